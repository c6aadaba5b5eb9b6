// The real socket, in a directory of its own.
#include "common/os/control_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "tests/fakes/temporary_directory.hpp"

namespace diskless {
namespace {

class RealClock : public Clock {
  public:
    Nanoseconds now() const override {
        timespec time{};
        ::clock_gettime(CLOCK_BOOTTIME, &time);
        return Seconds{time.tv_sec} + Nanoseconds{time.tv_nsec};
    }
    Nanoseconds wall() const override { return {}; }
    Result<> set_wall(Nanoseconds) override { return {}; }
    void sleep(Nanoseconds) override {}
};

class ControlSocketTest : public ::testing::Test {
  protected:
    ControlSocketTest() { server = std::move(listen_control_socket(path, clock).value()); }
    int raw_connection() const {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path.c_str());
        EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        return fd;
    }
    Deadline in(Nanoseconds span) const { return Deadline::after(clock, span); }

    RealClock clock;
    const TemporaryDirectory directory;
    const std::string path = directory.path + "/control";
    std::unique_ptr<ControlServer> server;
};

TEST_F(ControlSocketTest, CarriesOneLineAndABigAnswer) {
    const std::string big(3 << 20, 'x');
    Result<std::string> answer;
    std::thread client([&] { answer = control_socket_client(path, clock)->ask("status", in(Seconds{10})); });
    const auto message = server->wait(in(Seconds{10}));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->line, "status");
    EXPECT_EQ(message->uid, ::geteuid());
    EXPECT_EQ(message->pid, ::getpid());
    server->answer(message->connection, big);
    EXPECT_FALSE(server->wait(in(Milliseconds{500}))) << "sends the rest while it waits";
    client.join();
    ASSERT_TRUE(answer) << answer.error().cause;
    EXPECT_TRUE(*answer == big);
}

TEST_F(ControlSocketTest, EverybodyMayConnect) {
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0666u);
}

TEST_F(ControlSocketTest, SilentAndEndlessClientsHoldUpNobody) {
    std::vector<int> silent;
    for (int i = 0; i < 60; ++i) {
        silent.push_back(raw_connection());
        if (i % 8 == 7) {
            EXPECT_FALSE(server->wait(in(Milliseconds{5})));
        }
    }
    const int endless = raw_connection();
    const std::string junk(100'000, 'j');
    (void)!::send(endless, junk.data(), 4096, MSG_NOSIGNAL);
    const int gone = raw_connection();
    (void)!::send(gone, "status\n", 7, MSG_NOSIGNAL);
    ::close(gone);
    Result<std::string> answer;
    std::thread client([&] { answer = control_socket_client(path, clock)->ask("ping", in(Seconds{10})); });
    for (int i = 0; i < 100; ++i) {
        const auto message = server->wait(in(Milliseconds{100}));
        if (!message) continue;
        EXPECT_TRUE(message->line == "ping" || message->line == "status") << message->line.substr(0, 20);
        server->answer(message->connection, "alive");
        if (message->line == "ping") break;
    }
    client.join();
    ASSERT_TRUE(answer) << answer.error().cause;
    EXPECT_EQ(*answer, "alive");
    for (const int fd : silent) ::close(fd);
    ::close(endless);
}

TEST_F(ControlSocketTest, ClientsThatComeAndGoWithoutEndDoNotHoldUpTheAgent) {
    std::atomic<bool> over = false;
    std::vector<std::thread> flood;
    for (int i = 0; i < 6; ++i)
        flood.emplace_back([&] {
            while (!over) ::close(raw_connection());
        });
    for (int turns = 0; turns < 5; ++turns) {
        const auto begun = clock.now();
        EXPECT_FALSE(server->wait(in(Milliseconds{50})));
        EXPECT_LT(clock.now() - begun, Seconds{2});
    }
    Result<std::string> answer;
    std::atomic<bool> answered = false;
    std::thread client([&] {
        answer = control_socket_client(path, clock)->ask("ping", in(Seconds{20}));
        answered = true;
    });
    while (!answered)
        if (const auto message = server->wait(in(Milliseconds{50}))) server->answer(message->connection, "alive");
    over = true;
    // Who waits for room in the backlog must get it to come to an end.
    std::atomic<bool> ended = false;
    std::thread end([&] {
        for (auto& each : flood) each.join();
        ended = true;
    });
    while (!ended) (void)server->wait(in(Milliseconds{10}));
    end.join();
    client.join();
    ASSERT_TRUE(answer) << answer.error().cause;
    EXPECT_EQ(*answer, "alive");
}

TEST_F(ControlSocketTest, RootMakesRoomForNobodyElse) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to be others, too";
    ASSERT_EQ(::chmod(directory.path.c_str(), 0755), 0);
    const auto connect_as = [&](std::uint32_t uid) {
        // Of this thread alone, not of the process as setresuid(3) would: the test goes on as root.
        int fd = -1;
        std::thread([&] {
            EXPECT_EQ(::syscall(SYS_setresuid, -1, uid, -1), 0);
            fd = raw_connection();
        }).join();
        EXPECT_FALSE(server->wait(in(Milliseconds{1})));
        return fd;
    };
    const auto is_open = [](int fd) {
        char c = 0;
        return ::recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
    };
    const int root = connect_as(0);
    std::vector<int> others;
    for (int i = 0; i < 40; ++i) others.push_back(connect_as(65534));
    EXPECT_TRUE(is_open(root)) << "though it has waited longest";
    EXPECT_FALSE(is_open(others.front()));
    EXPECT_TRUE(is_open(others.back()));
    std::vector<int> roots;
    for (int i = 0; i < 33; ++i) roots.push_back(connect_as(0));
    EXPECT_FALSE(is_open(others.back()));
    EXPECT_FALSE(is_open(root)) << "for its own kind";
    const int late = connect_as(65534);
    EXPECT_FALSE(is_open(late));
    EXPECT_TRUE(is_open(roots.back()));
    for (auto* each : {&others, &roots})
        for (const int fd : *each) ::close(fd);
    ::close(root);
    ::close(late);
}

TEST_F(ControlSocketTest, ClientErrorsHaveTheirCodes) {
    EXPECT_EQ(control_socket_client(path, clock)->ask("ping", in(Milliseconds{30})).error().code, ETIMEDOUT);
    EXPECT_EQ(control_socket_client(directory.path + "/none", clock)->ask("ping", in(Seconds{1})).error().code, ENOENT);
    server.reset();
    EXPECT_EQ(control_socket_client(path, clock)->ask("ping", in(Seconds{1})).error().code, ECONNREFUSED);
    EXPECT_TRUE(listen_control_socket(path, clock)) << "a left-over socket file is replaced";
    EXPECT_FALSE(listen_control_socket(std::string(200, 'x'), clock));
}

}  // namespace
}  // namespace diskless
