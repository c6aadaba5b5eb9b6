#include "common/os/supervise.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace diskless {
namespace {

/// The servers are shells: `command` each.
struct Case {
    std::string log;
    std::vector<int> signals;  // one that comes to us after each line
    std::function<void()> reload;

    Result<> run(const std::vector<std::string>& commands, bool restarts = false) {
        std::vector<ServerProcess> servers;
        for (const auto& command : commands)
            servers.push_back({"s" + std::to_string(servers.size()), {"/bin/sh", "-c", command}, restarts});
        SuperviseHooks hooks;
        std::size_t lines = 0;
        hooks.log = [&](std::string_view name, std::string_view line) {
            log += std::string(name) + ": " + std::string(line) + "\n";
            const auto number = lines < signals.size() ? signals[lines] : 0;
            ++lines;
            if (number != 0) ::kill(::getpid(), number);
        };
        hooks.reload = reload;
        return supervise(servers, hooks, std::chrono::milliseconds(200));
    }
};

TEST(Supervise, EndsAllWhenItIsTold) {
    Case one;
    one.signals = {0, SIGTERM};
    const auto done = one.run(
        {"trap 'echo bye; exit 0' TERM; echo one; while :; do sleep 0.05; done", "echo two >&2; exec sleep 60"});
    EXPECT_TRUE(done) << done.error().cause;
    EXPECT_NE(one.log.find("s0: one\n"), std::string::npos) << one.log;
    EXPECT_NE(one.log.find("s1: two\n"), std::string::npos) << one.log;
    EXPECT_NE(one.log.find("s0: bye\n"), std::string::npos) << one.log;
}

TEST(Supervise, OneThatEndsIsAFailureAndEndsTheOthers) {
    Case one;
    const auto done =
        one.run({"trap 'echo ended; exit 0' TERM; while :; do sleep 0.02; done", "sleep 0.3; echo no room; exit 3"});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().cause, "s1 ended by itself (exit status 3): no room");
    EXPECT_NE(one.log.find("s0: ended"), std::string::npos) << one.log;
}

TEST(Supervise, AlsoOneThatEndsWell) {
    const auto done = Case().run({"exit 0"});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().cause, "s0 ended by itself (exit status 0)");
}

TEST(Supervise, ASignalIsNamed) {
    const auto done = Case().run({"kill -KILL $$"});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().cause, "s0 ended by itself (signal 9)");
}

TEST(Supervise, AProgramThatIsAbsent) {
    SuperviseHooks hooks;
    hooks.log = [](auto, auto) {};
    const auto done = supervise({{"ghost", {"/no/such/program"}, false}}, hooks);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().cause.find("cannot be started: No such file"), std::string::npos) << done.error().cause;
}

TEST(Supervise, WhoDoesNotEndIsKilled) {
    Case one;
    one.signals = {SIGTERM};
    EXPECT_TRUE(one.run({"trap '' TERM; echo deaf; while :; do sleep 1; done"}));
    EXPECT_NE(one.log.find("does not end within 200 ms: killed"), std::string::npos) << one.log;
}

TEST(Supervise, ReloadTellsOrStartsAgain) {
    Case told;
    bool reloaded = false;
    told.reload = [&] { reloaded = true; };
    told.signals = {SIGHUP, SIGTERM};
    EXPECT_TRUE(told.run({"trap 'echo again' HUP; echo ready; for i in $(seq 500); do sleep 0.02; done"}));
    EXPECT_TRUE(reloaded);
    EXPECT_EQ(told.log, "s0: ready\ns0: again\n");

    Case anew;
    anew.signals = {SIGHUP, SIGTERM};
    EXPECT_TRUE(anew.run({"echo begins; exec sleep 60"}, true));
    EXPECT_EQ(anew.log, "s0: begins\ns0: begins\n");
}

TEST(Supervise, ReloadsUnderNohup) {
    Case told;
    told.signals = {SIGHUP, SIGTERM};
    const auto before = ::signal(SIGHUP, SIG_IGN);
    EXPECT_TRUE(told.run({"trap 'echo again' HUP; echo ready; for i in $(seq 100); do sleep 0.02; done"}));
    ::signal(SIGHUP, before);
    EXPECT_EQ(told.log, "s0: ready\ns0: again\n");
}

TEST(Supervise, LinesAreCleanAndCut) {
    Case one;
    EXPECT_FALSE(one.run({"printf 'a\\033[2J\\n\\n'; head -c 5000 /dev/zero | tr '\\0' x; printf '\\nlast'; exit 1"}));
    EXPECT_NE(one.log.find("s0: a\\x1b[2J\n"), std::string::npos) << one.log.substr(0, 40);
    EXPECT_NE(one.log.find("s0: last\n"), std::string::npos);
    EXPECT_EQ(one.log.find(std::string(4097, 'x')), std::string::npos);
}

}  // namespace
}  // namespace diskless
