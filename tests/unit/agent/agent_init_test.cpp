// What the agent does about an init that goes down without asking it, and the watchdog meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/fakes/fake_watchdog.hpp"
#include "tests/unit/agent/agent_fixture.hpp"

namespace diskless {
namespace {

using namespace test_agent;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(AgentTest, TellsTheNextBootThatInitTakesTheNodeDown) {
    std::vector<std::string> told;
    std::optional<int> sender;
    hooks.taken_term = [&] { return std::exchange(sender, std::nullopt); };
    hooks.told_end = [&](std::string_view verb) { told.emplace_back(verb); };
    files.content["/proc/1/comm"] = "init\n";
    files.links["/proc/1/exe"] = "/bin/busybox";
    files.content["/proc/77/comm"] = "sh\n";
    sender = 77;
    pass(Seconds{10});
    EXPECT_THAT(told, IsEmpty()) << "somebody's kill";
    sender = 1;
    pass(Seconds{10});
    sender = 1;
    pass(Seconds{10});
    EXPECT_THAT(told, ElementsAre("end")) << "once";
}

TEST_F(AgentTest, SeesTheRunLevelOfSysvinitGoDown) {
    std::vector<std::string> told;
    hooks.told_end = [&](std::string_view verb) { told.emplace_back(verb); };
    hooks.is_guarded = [] { return true; };
    files.content["/proc/1/comm"] = "init\n";
    files.fifos.insert("/run/initctl");
    enter('2');
    pass(Seconds{10});
    EXPECT_THAT(told, IsEmpty());
    enter('6' + 256 * '2');
    pass(Seconds{10});
    EXPECT_THAT(told, ElementsAre("reboot"));
}

TEST_F(AgentTest, ASysvinitThatSleepsWhileItsScriptsRunIsNotDeaf) {
    files.content["/proc/1/comm"] = "init\n";
    files.fifos.insert("/run/initctl");
    ask("reboot timeout_ms=60000");
    enter('6' + 256 * '2');
    run_to_the_end();
    EXPECT_GE(taken_down_at, Seconds{140}) << "two thirds of the time are its own";
    EXPECT_THAT(machine.said, HasSubstr("it takes too long"));
}

TEST_F(AgentTest, FinishesWhatBusyboxWasToldWhenTheServerIsGone) {
    hooks.is_guarded = [] { return true; };
    files.content["/proc/1/comm"] = "init\n";
    files.links["/proc/1/exe"] = "/bin/busybox";
    files.content["/proc/1/status"] = "Name:\tinit\nSigCgt:\t0000000000080000\n";
    server_alive = false;
    pass(Seconds{60});
    EXPECT_EQ(taken_down_at, Nanoseconds{0}) << "nobody has told it to go down";
    server_alive = true;
    files.content["/proc/1/status"] = "Name:\tinit\nSigCgt:\t0000000000000000\n";
    pass(Seconds{60});
    EXPECT_EQ(taken_down_at, Nanoseconds{0}) << "it takes its time, and does not hang";
    server_alive = false;
    const auto begun = clock.now();
    pass(Seconds{6});
    EXPECT_GT(taken_down_at, begun);
    EXPECT_THAT(machine.done, Contains("power reboot"));
}

TEST_F(AgentTest, FinishesWhatSysvinitWasToldWhenTheServerIsGone) {
    hooks.is_guarded = [] { return true; };
    files.content["/proc/1/comm"] = "init\n";
    files.fifos.insert("/run/initctl");
    enter('0');
    pass(Seconds{60});
    EXPECT_EQ(taken_down_at, Nanoseconds{0});
    server_alive = false;
    pass(Seconds{6});
    EXPECT_GT(taken_down_at, Seconds{60});
    EXPECT_THAT(machine.done, Contains("power poweroff"));
}

/// sysvinit, with a watchdog of 60 s.
class SysvinitTest : public AgentTest {
  protected:
    SysvinitTest() {
        hooks.is_guarded = [] { return true; };
        hooks.taken_term = [this] { return std::exchange(sender, std::nullopt); };
        hooks.told_end = [this](std::string_view verb) { told.emplace_back(verb); };
        files.content["/proc/1/comm"] = "init\n";
        files.content["/proc/77/comm"] = "killall5\n";
        files.fifos.insert("/run/initctl");
        parts.watchdog = &keeper;
        enter('2');
        pass(Seconds{30});
    }
    std::optional<int> sender;
    std::vector<std::string> told;
    FakeWatchdog dog{[this] { return clock.now(); }};
    WatchdogKeeper keeper{dog, Seconds{60}};
};

TEST_F(SysvinitTest, ItsScriptsMayTakeLongerThanTheWatchdog) {
    enter('0' + 256 * '2');
    for (int second = 0; second < 300; ++second) {
        pass(Seconds{1});
        ASSERT_GT(dog.bites_at, clock.now()) << second;
    }
    EXPECT_THAT(told, ElementsAre("poweroff"));
    sender = 77;
    pass(Seconds{1});
    EXPECT_EQ(keeper.next_due(), Nanoseconds::max()) << "KILL follows";
    EXPECT_LE(dog.bites_at, clock.now() + Seconds{60});
    EXPECT_THAT(told, ElementsAre("poweroff")) << "once";
}

TEST_F(SysvinitTest, AWayDownThatTheHardwareCannotHoldIsFed) {
    dog.most = Seconds{60};
    ask("poweroff timeout_ms=300000");
    enter('0' + 256 * '2');
    const auto begun = clock.now();
    while (taken_down_at.count() == 0) {
        agent().turn(Deadline{});
        ASSERT_GT(dog.bites_at, clock.now());
    }
    EXPECT_GE(taken_down_at, begun + Seconds{200}) << "two thirds";
}

TEST_F(SysvinitTest, TheWatchdogIsFedWhileTheMachineIsTakenDown) {
    dog.most = Seconds{60};
    hooks.take_down = [this](PowerVerb, Deadline) {
        taken_down_at = clock.now();
        // Only what feeds it moves this clock.
        const auto give_up = std::chrono::steady_clock::now() + Seconds{10};
        while (clock.now() < taken_down_at + Seconds{45} && std::chrono::steady_clock::now() < give_up)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));  // leaves it the processor
        return Error{"unmount /: Device or resource busy", {}, EBUSY};
    };
    agent_.reset();  // the next one has this hook
    ask("poweroff timeout_ms=300000");
    enter('0' + 256 * '2');
    run_to_the_end();
    EXPECT_FALSE(dog.has_bitten);
    EXPECT_GT(dog.bites_at, taken_down_at + Seconds{60}) << "nobody has fed it since";
}

TEST_F(SysvinitTest, SingleUserModeIsNoEnd) {
    enter('1' + 256 * '2');
    pass(Seconds{10});
    sender = 77;
    pass(Seconds{5});
    EXPECT_THAT(told, IsEmpty()) << "the mark that the node runs stays";
    EXPECT_EQ(dog.bites_at, Nanoseconds::max());
    EXPECT_THAT(machine.said, HasSubstr("the node goes on: without this agent"));
    EXPECT_THAT(machine.said, HasSubstr("the watchdog is stopped"));
    pass(Seconds{120});
    EXPECT_GT(dog.bites_at, clock.now()) << "it lives";
    EXPECT_NE(dog.bites_at, Nanoseconds::max());
}

TEST_F(SysvinitTest, AnotherLifeKnowsWhatInitDoes) {
    enter('6' + 256 * '2');
    pass(Seconds{10});
    EXPECT_EQ(kept().end, "reboot");
    resumed = kept();
    agent_.reset();
    pass(Seconds{10});
    EXPECT_THAT(told, ElementsAre("reboot")) << "once";
    server_alive = false;
    pass(Seconds{20});
    EXPECT_THAT(machine.done, Contains("power reboot"));
}

TEST_F(SysvinitTest, AnotherLifeFeedsOnTheWayDown) {
    dog.fixed = true;
    ask("poweroff timeout_ms=300000");
    enter('0' + 256 * '2');
    pass(Seconds{40});
    resumed = kept();
    agent_.reset();
    WatchdogKeeper other(dog, Seconds{60});
    parts.watchdog = &other;
    pass(Seconds{100});
    EXPECT_GT(dog.bites_at, clock.now());
}

TEST_F(AgentTest, ABusyServerDoesNotEndWhatInitDoes) {
    hooks.is_guarded = [] { return true; };
    files.content["/proc/1/comm"] = "init\n";
    files.fifos.insert("/run/initctl");
    enter('6');
    for (int minute = 0; minute < 10; ++minute) {
        unanswered = probes + 1;
        pass(Seconds{60});
    }
    EXPECT_EQ(taken_down_at, Nanoseconds{0});
}

}  // namespace
}  // namespace diskless
