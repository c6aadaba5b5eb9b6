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
            control.answer(message->connection, std::to_string(getpid()) + " " + std::to_string(life) + " " +
                                                    std::to_string(getppid()));
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
    (void)linux_background().start([]() -> Result<std::string> { return std::string(); });
    linux_clock().sleep(Milliseconds{50});
    int left = 0;
    while (waitpid(-1, nullptr, WNOHANG) > 0) ++left;
    EXPECT_LE(left, 1) << "all but the last are collected";
}

}  // namespace
}  // namespace diskless
