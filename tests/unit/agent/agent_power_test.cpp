// The agent on the way down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/agent_fixture.hpp"

namespace diskless {
namespace {

using namespace test_agent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(AgentTest, RebootsWhenTheRootIsGoneForTooLong) {
    watch();
    settings.root_loss = Seconds{60};
    pass(Seconds{600});
    EXPECT_FALSE(agent().over());
    look_fails = Error{"statvfs: Stale file handle", {}, ESTALE};
    const auto lost = clock.now();
    pass(Seconds{50});
    look_fails.reset();
    pass(Seconds{30});
    EXPECT_FALSE(agent().over()) << "it came back in time";
    look_fails = Error{"statvfs: Stale file handle", {}, ESTALE};
    run_to_the_end();
    EXPECT_GE(taken_down_at, lost + Seconds{80 + 60});
    EXPECT_LE(taken_down_at, lost + Seconds{80 + 75});
    EXPECT_THAT(machine.said, HasSubstr("rebooting because the root is gone for 1 min (diskless.root-loss)"));
    EXPECT_THAT(processes.signals, IsEmpty()) << "PID 1 would hang on it";
    EXPECT_THAT(machine.done, ElementsAre("power reboot", "sysrq b"));
}

TEST_F(AgentTest, ADeadRootIsWaitedForUnlessToldOtherwise) {
    watch();
    look_fails = Error{"statvfs: Stale file handle", {}, ESTALE};
    pass(Seconds{3600});
    EXPECT_FALSE(agent().over());
}

TEST_F(AgentTest, OnTheWayDownNoLookIsLeftForSystemdToWaitFor) {
    watch();
    pass(Seconds{15});
    background.hang_next = 4;
    pass(Seconds{12});
    EXPECT_GT(background.alive, 0) << "a look is under way";
    ask("reboot timeout_ms=60000");
    const auto started = background.started;
    pass(Milliseconds{300});
    EXPECT_EQ(background.alive, 0);
    const auto collected = background.collected;
    EXPECT_GT(collected, 0);
    pass(Seconds{1});
    EXPECT_GT(background.collected, collected) << "killed is not dead yet: again and again";
    EXPECT_EQ(background.started, started);
}

TEST_F(AgentTest, OnTheWayDownItStaysWhatItIs) {
    hooks.is_guarded = [] { return false; };
    hooks.become_guardian = []() -> Error { throw std::logic_error("the threads that end the machine would be lost"); };
    processes.hanging.insert("keep the time");
    ask("reboot now");
    run_to_the_end();
    EXPECT_THAT(machine.done, ElementsAre("power reboot", "sysrq b"));
}

TEST_F(AgentTest, AnotherLifeGoesOnWhereThisOneEnded) {
    ask("ping");
    machine.say(4, "not through the agent");
    logged.say(4, "a line to be kept");
    ask("ping");
    EXPECT_EQ(kept().log.back().text, "a line to be kept");
    ask("reboot timeout_ms=60000");
    EXPECT_EQ(kept().power.verb, "reboot");
    EXPECT_EQ(kept().power.until, Seconds{160});

    resumed = kept();
    resumed.counters.root_outages = 5;
    clock.time += Seconds{20};
    agent_.reset();
    guard_at = {};
    agent();
    EXPECT_EQ(guard_at, Seconds{161}) << "the promise stands";
    EXPECT_EQ(node_status_from(*ask("status"))->agent, "rebooting");
    EXPECT_EQ(node_status_from(*ask("status"))->counters.root_outages, 5U);
    EXPECT_THAT(processes.signals, ElementsAre(std::pair(1, 39))) << "PID 1 is not asked again";
    run_to_the_end();
    EXPECT_LE(clock.now(), Seconds{162});
}

TEST_F(AgentTest, AnotherLifeWaitsForAnInitThatHasReacted) {
    ask("reboot timeout_ms=60000");
    files.content["/proc/1/stat"] = "1 (systemd) S 0 1 1 0 -1 4194560 30100 600000 100 2000 70 130 1500 900";
    pass(Seconds{1});
    EXPECT_TRUE(kept().power.reacted);
    resumed = kept();
    agent_.reset();
    run_to_the_end();
    EXPECT_GE(taken_down_at, Seconds{135});
    EXPECT_TRUE(kept().power.now) << "one that follows does not wait";
}

TEST_F(AgentTest, APromiseThatIsOverIsKeptAtOnce) {
    resumed.power = {"poweroff", Seconds{90}, false};
    run_to_the_end();
    EXPECT_LE(clock.now(), Seconds{102});
    EXPECT_THAT(machine.done, ElementsAre("power poweroff", "sysrq o"));
}

TEST_F(AgentTest, OnlyRootEndsTheMachine) {
    for (const char* verb : {"reboot", "poweroff now", "halt"}) {
        const auto answer = ask(verb, 1000);
        ASSERT_FALSE(answer);
        EXPECT_THAT(answer.error().cause, HasSubstr("needs root"));
    }
    EXPECT_EQ(guard_at.count(), 0);
    EXPECT_THAT(processes.signals, IsEmpty());
}

TEST_F(AgentTest, AsksSystemdAndPromisesABound) {
    const auto answer = ask("reboot timeout_ms=60000");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->text_of("asks"), "systemd");
    EXPECT_EQ(answer->find("at_most_ms")->integer, 60'000);
    EXPECT_EQ(guard_at, Seconds{161});
    EXPECT_THAT(processes.signals, ElementsAre(std::pair(1, 39)));
    EXPECT_EQ(taken_down_at.count(), 0) << "not yet";
    EXPECT_EQ(files.content[kGoingDownFile], "reboot") << "systemd need not tell it";
    EXPECT_EQ(node_status_from(*ask("status"))->agent, "rebooting");
}

TEST_F(AgentTest, SystemdThatHasBegunIsBoundedButNotAskedAgain) {
    ASSERT_TRUE(ask("reboot begun"));
    EXPECT_NE(guard_at.count(), 0);
    EXPECT_THAT(processes.signals, IsEmpty());
    EXPECT_EQ(node_status_from(*ask("status"))->agent, "rebooting");
    run_to_the_end();
    EXPECT_THAT(machine.said, HasSubstr("it does not react"));
}

TEST_F(AgentTest, GoesOnWithoutAnInitThatDoesNotReact) {
    ask("poweroff");
    run_to_the_end();
    EXPECT_LE(taken_down_at, Seconds{106});
    EXPECT_EQ(deadline_given, Seconds{130});
    EXPECT_THAT(machine.done, ElementsAre("power poweroff", "sysrq o")) << "even taking down did not work";
    EXPECT_THAT(machine.said, HasSubstr("it does not react"));
    EXPECT_THAT(machine.said, HasSubstr("Device or resource busy"));
}

TEST_F(AgentTest, DoesNotAskAnInitWhoseRootIsGone) {
    server_alive = false;
    ask("reboot");
    EXPECT_THAT(processes.signals, IsEmpty());
    EXPECT_LE(taken_down_at, Seconds{104});
    EXPECT_THAT(machine.said, HasSubstr("the root server is gone"));
    EXPECT_THAT(machine.done, ElementsAre("power reboot", "sysrq b"));
}

TEST_F(AgentTest, AsksAnInitWhoseRootIsBusy) {
    unanswered = 1;
    ask("reboot");
    EXPECT_THAT(processes.signals, ElementsAre(std::pair(1, 39)));
    EXPECT_EQ(taken_down_at.count(), 0);
}

TEST_F(AgentTest, ItsGuardianWaitsWhileASilentServerIsAsked) {
    Nanoseconds promised{0};
    hooks.promise = [&](Nanoseconds until) { promised = until; };
    hooks.root_is_gone_takes = verdict.longest();
    settings.patience = Seconds{2};  // diskless.watchdog=5
    hooks.root_is_gone = [&] {
        const bool gone = verdict.is_gone();
        EXPECT_GT(promised, clock.now());
        return gone;
    };
    server_alive = false;
    ask("reboot");
    EXPECT_EQ(probes, 2);
}

TEST_F(AgentTest, WritesToSysvinitInAChild) {
    files.content["/proc/1/comm"] = "init\n";
    files.fifos.insert("/run/initctl");
    ask("reboot");
    EXPECT_EQ(files.content["/run/initctl"].size(), 384u);
    EXPECT_THAT(processes.children, ElementsAre("write to init"));
}

TEST_F(AgentTest, GoesOnWhenNobodyReadsTheFifo) {
    files.content["/proc/1/comm"] = "init\n";
    files.fifos.insert("/run/initctl");
    processes.hanging.insert("write to init");
    ask("reboot");
    run_to_the_end();
    EXPECT_LE(taken_down_at, Seconds{103});
}

TEST_F(AgentTest, ASecondRequestOnlyHurriesTheFirst) {
    ask("reboot timeout_ms=60000");
    const auto second = ask("poweroff now timeout_ms=600000");
    ASSERT_TRUE(second);
    EXPECT_EQ(second->text_of("verb"), "reboot");
    EXPECT_EQ(guard_at, Seconds{161}) << "the promise stands";
    EXPECT_EQ(deadline_given, Seconds{160});
}

TEST_F(AgentTest, KeepsTheAddressOnTheWayDownToo) {
    EagerKeeper keeper(clock);
    lease = &keeper;
    files.content["/proc/1/stat"] = kIdle;
    ask("reboot timeout_ms=60000");
    run_to_the_end();
    ASSERT_GE(keeper.worked.size(), 2U);
    EXPECT_GE(keeper.worked.back(), taken_down_at - Seconds{3}) << "until the machine was taken down";
}

}  // namespace
}  // namespace diskless
