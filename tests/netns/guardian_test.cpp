// The guardian and its agent with real processes and a real control socket: killed again and again, somebody answers.
#include "agent/guardian.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/os/background.hpp"
#include "common/os/clock_linux.hpp"
#include "common/os/control_socket.hpp"
#include "tests/fakes/fake_machine.hpp"

namespace diskless {
namespace {

constexpr const char* kSocket = "/tmp/guardian-test";

/// Answers each request with its process id and the number of its life.
[[noreturn]] void serve(ControlServer& control, unsigned life) {
    for (;;)
        if (const auto message = control.wait(Deadline{}))
            control.answer(message->connection,
                           std::to_string(getpid()) + " " + std::to_string(life) + " " + std::to_string(getppid()));
}

class GuardianTest : public testing::Test {
  protected:
    void SetUp() override {
        guardian_ = fork();
        if (guardian_ == 0) {
            FakeMachine machine;
            auto control = listen_control_socket(kSocket, linux_clock());
            Guardian guardian({linux_clock(), machine, linux_forks()}, [] {});
            const auto life = guardian.guard();
            serve(**control, life);
        }
        for (int tries = 0; tries < 500 && !ask(); ++tries) linux_clock().sleep(Milliseconds{10});
    }
    void TearDown() override {
        kill(guardian_, SIGKILL);
        waitpid(guardian_, nullptr, 0);
        if (agent_ > 0) kill(agent_, SIGKILL);
    }
    std::optional<unsigned> ask() {
        const auto client = control_socket_client(kSocket, linux_clock());
        const auto answer = client->ask("who", Deadline::after(linux_clock(), Seconds{5}));
        if (!answer) return std::nullopt;
        const auto parts = words(*answer);
        if (parts.size() != 3) return std::nullopt;
        agent_ = parse_number<int>(parts[0]).value_or(-1);
        EXPECT_EQ(parse_number<int>(parts[2]), guardian_);
        return parse_number<unsigned>(parts[1]);
    }
    int guardian_ = -1, agent_ = -1;
};

TEST_F(GuardianTest, WhoAsksIsAnsweredAcrossDeaths) {
    ASSERT_EQ(ask(), 0U);
    for (unsigned life = 1; life <= 4; ++life) {
        const int before = agent_;
        ASSERT_EQ(kill(before, SIGKILL), 0);
        // Asked while it is dead: the socket is the guardian's, the next life answers.
        std::optional<unsigned> answer;
        for (int tries = 0; tries < 5 && !answer; ++tries) answer = ask();
        ASSERT_EQ(answer, life);
        EXPECT_NE(agent_, before);
    }
}

TEST_F(GuardianTest, TheAgentOutlivesItsGuardian) {
    ASSERT_EQ(ask(), 0U);
    ASSERT_EQ(kill(guardian_, SIGKILL), 0);
    waitpid(guardian_, nullptr, 0);
    const auto client = control_socket_client(kSocket, linux_clock());
    const auto answer = client->ask("who", Deadline::after(linux_clock(), Seconds{5}));
    ASSERT_TRUE(answer) << answer.error().cause;
    EXPECT_NE(words(*answer).back(), std::to_string(guardian_)) << "and can see that it is gone";
}

/// What changes something is for root alone: the kernel says who asks, not the one who asks.
TEST(ControlPeer, IsWhoItIs) {
    if (setegid(65534) != 0 || setegid(0) != 0) GTEST_SKIP() << "one user only in this namespace";
    auto control = listen_control_socket("/tmp/peer-test", linux_clock());
    ASSERT_TRUE(control) << control.error().cause;
    for (const uid_t user : {uid_t{65534}, uid_t{0}}) {
        auto asking = linux_background().start([user]() -> Result<std::string> {
            if (setresuid(user, user, user) != 0) return fail_errno("setresuid");
            return control_socket_client("/tmp/peer-test", linux_clock())
                ->ask("reboot now", Deadline::after(linux_clock(), Seconds{10}));
        });
        ASSERT_TRUE(asking);
        const auto message = (*control)->wait(Deadline::after(linux_clock(), Seconds{10}));
        ASSERT_TRUE(message) << "everybody may connect";
        EXPECT_EQ(message->uid, user);
        EXPECT_GT(message->pid, 1);
        (*control)->answer(message->connection, "no");
        while (!(*asking)->result()) linux_clock().sleep(Milliseconds{1});
        EXPECT_EQ((*asking)->result()->value(), "no");
    }
}

TEST(ControlPeer, IsNotHeldUpByAChildThatHangs) {
    auto control = listen_control_socket("/tmp/held-up-test", linux_clock());
    ASSERT_TRUE(control) << control.error().cause;
    auto asking = linux_background().start([]() -> Result<std::string> {
        return control_socket_client("/tmp/held-up-test", linux_clock())
            ->ask("status", Deadline::after(linux_clock(), Seconds{10}));
    });
    const auto message = (*control)->wait(Deadline::after(linux_clock(), Seconds{10}));
    ASSERT_TRUE(message);
    // It has the connection open as well, and looks at a server that is gone.
    auto looking = linux_background().start([]() -> Result<std::string> {
        linux_clock().sleep(Seconds{100});
        return std::string();
    });
    (*control)->answer(message->connection, "all is well");
    const auto deadline = Deadline::after(linux_clock(), Seconds{5});
    while (!(*asking)->result() && !deadline.passed(linux_clock())) linux_clock().sleep(Milliseconds{1});
    ASSERT_TRUE((*asking)->result());
    EXPECT_EQ((*asking)->result()->value(), "all is well");
}

TEST(Background, ChildrenGoOnBesideAndAreCollected) {
    auto quick = linux_background().start([]() -> Result<std::string> { return std::string("done"); });
    auto slow = linux_background().start([]() -> Result<std::string> {
        linux_clock().sleep(Seconds{100});
        return std::string("too late");
    });
    auto broken = linux_background().start([]() -> Result<std::string> { return fail_errno("statvfs", ESTALE); });
    auto dead = linux_background().start([]() -> Result<std::string> { _exit(3); });
    ASSERT_TRUE(quick && slow && broken && dead);
    const auto deadline = Deadline::after(linux_clock(), Seconds{10});
    while (!deadline.passed(linux_clock()) && !((*quick)->result() && (*broken)->result() && (*dead)->result()))
        linux_clock().sleep(Milliseconds{1});
    EXPECT_EQ((*quick)->result()->value(), "done");
    EXPECT_EQ((*broken)->result()->error().code, ESTALE);
    EXPECT_FALSE(*(*dead)->result());
    EXPECT_FALSE((*slow)->result()) << "nobody waits for it";
    quick->reset();
    slow->reset();
    broken->reset();
    dead->reset();
    linux_clock().sleep(Milliseconds{50});
    linux_background().collect();
    int left = 0;
    while (waitpid(-1, nullptr, WNOHANG) > 0) ++left;
    EXPECT_LE(left, 1) << "all but the last are collected";
}

}  // namespace
}  // namespace diskless
