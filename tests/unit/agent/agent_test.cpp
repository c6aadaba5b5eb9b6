#include "agent/agent.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <utmp.h>

#include <thread>

#include "common/nfs/server_verdict.hpp"
#include "tests/fakes/control_socket.hpp"
#include "tests/fakes/fake_background.hpp"
#include "tests/fakes/fake_watchdog.hpp"
#include "tests/unit/agent/small_world.hpp"
#include "tests/unit/report/sample_report.hpp"

namespace diskless {
namespace {

using namespace test_agent;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kIdle = "1 (systemd) S 0 1 1 0 -1 4194560 30000 600000 100 2000 70 130 1500 900";

class AgentTest : public ::testing::Test {
  protected:
    AgentTest() {
        files.content["/run/diskless/boot.json"] = to_json(test_report::sample_report());
        files.content["/proc/1/comm"] = "systemd\n";
        files.content["/proc/1/stat"] = kIdle;
        hooks.root_is_gone = [this] { return verdict.is_gone(); };
        hooks.take_down = [this](PowerVerb, Deadline deadline) {
            taken_down_at = clock.now();
            deadline_given = deadline.at;
            return Error{"unmount /: Device or resource busy", {}, EBUSY};
        };
        hooks.end_at = [this](Deadline deadline, PowerVerb) {
            guard_at = deadline.at;
            return Result<>();
        };
    }

    Result<Json> ask(const std::string& line, std::uint32_t uid = 0) {
        const int connection = control.ask(line, uid);
        agent().turn(Deadline{clock.now()});
        return parse_control_answer(control.answer_to(connection));
    }
    Agent& agent() {
        if (!agent_) {
            parts.lease = lease;
            agent_.emplace(Agent::World{clock, files, processes, logged, control}, hooks, settings, parts, resumed);
        }
        return *agent_;
    }
    void run_to_the_end() {
        for (int turns = 0; turns < 1000 && !agent().over(); ++turns) agent().turn(Deadline{});
        ASSERT_TRUE(agent().over());
    }

    SmallClock clock;
    SmallFiles files;
    SmallProcesses processes{clock};
    SmallMachine machine;
    FakeControlServer control{[this](Deadline deadline) { clock.time = std::max(clock.time, deadline.at); }};
    AgentHooks hooks;
    /// The root and the snapshot are looked at.
    void watch() {
        const auto look = [this]() -> Result<Space> {
            if (look_fails) return Failure(*look_fails);
            return Space{1 << 30, 2u << 30, 100, 200};
        };
        const auto ask = []() -> Result<> { return fail("connect to 10.9.0.1: Connection refused"); };
        root_watch.emplace(clock, background, MountWatch::Place{"root server", "10.9.0.1", false},
                           MountWatch::Probes{look, ask});
        snapshot_watch.emplace(clock, background, MountWatch::Place{"snapshot server", "10.9.0.1", true},
                               MountWatch::Probes{look, ask});
        parts.root = &*root_watch;
        parts.snapshot = &*snapshot_watch;
    }
    void pass(Nanoseconds span) {
        const auto end = clock.now() + span;
        while (clock.now() < end && !agent().over()) agent().turn(Deadline{end});
    }
    AgentState kept() const { return agent_state_from_json(files.content.at(kAgentStateFile)).value(); }

    LeaseKeeper* lease = nullptr;
    MessageLog log;
    LoggedMachine logged{machine, clock, log};
    AgentSettings settings;
    AgentParts parts{.log = &log};
    AgentState resumed;
    FakeBackground background;
    std::optional<Error> look_fails;
    std::optional<MountWatch> root_watch, snapshot_watch;
    std::optional<Agent> agent_;
    bool server_alive = true;
    int probes = 0, unanswered = 0;  // the first so many, by a server that is busy
    ServerVerdict verdict{clock, [this](Deadline deadline) {
                              if (++probes > unanswered && server_alive) return true;
                              clock.time = std::max(clock.time, deadline.at);
                              return false;
                          }};
    Nanoseconds taken_down_at{0}, deadline_given{0}, guard_at{0};
};

TEST_F(AgentTest, TellsEverybodyTheStatus) {
    watch();
    pass(Seconds{1});
    clock.time = Seconds{100};
    const auto answer = ask("status", 1000);
    ASSERT_TRUE(answer) << answer.error().cause;
    const auto status = node_status_from(*answer);
    ASSERT_TRUE(status) << status.error().cause;
    EXPECT_EQ(status->identity.hostname, "node07");
    EXPECT_EQ(status->root_server, "answers");
    EXPECT_EQ(status->space->free_inodes, 100u);
    EXPECT_EQ(status->agent, "running");
    EXPECT_EQ(status->uptime, Seconds{100});
}

TEST_F(AgentTest, TellsTheReport) {
    const auto answer = ask("report", 1000);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(*boot_report_from(*answer) == test_report::sample_report());
    EXPECT_TRUE(ask("ping", 1000));
}

TEST_F(AgentTest, ReadsTheReportAgainUntilTheHandOver) {
    auto early = test_report::sample_report();
    early.handed_over = {};
    early.init = "";
    files.content["/run/diskless/boot.json"] = to_json(early);
    EXPECT_EQ(ask("report")->text_of("init"), "");
    files.content["/run/diskless/boot.json"] = to_json(test_report::sample_report());
    EXPECT_EQ(ask("report")->text_of("init"), "/sbin/init");
    files.content.erase("/run/diskless/boot.json");
    EXPECT_EQ(ask("report")->text_of("init"), "/sbin/init") << "kept in memory";
}

TEST_F(AgentTest, LivesWithoutAReport) {
    files.content["/run/diskless/boot.json"] = "{broken";
    const auto status = node_status_from(*ask("status"));
    ASSERT_TRUE(status);
    EXPECT_EQ(status->degraded.back().what, "boot report");
    EXPECT_FALSE(ask("report"));
}

TEST_F(AgentTest, NobodyWhoAsksWaitsForASilentServer) {
    watch();
    pass(Seconds{15});
    background.hang_next = 2;
    pass(Seconds{20});
    const auto before = clock.now();
    const auto status = node_status_from(*ask("status"));
    EXPECT_LE(clock.now() - before, Milliseconds{1});
    EXPECT_EQ(status->root_server, "does not answer");
    EXPECT_EQ(status->root_health->state, "unreachable");
    EXPECT_EQ(status->snapshot_health->state, "unreachable");
    EXPECT_THAT(machine.said, HasSubstr("root server is unreachable: 10.9.0.1 does not answer"));
    background.release();
    pass(Seconds{1});
    EXPECT_EQ(node_status_from(*ask("status"))->root_health->state, "ok");
    EXPECT_EQ(node_status_from(*ask("status"))->counters.root_outages, 1U);
}

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

TEST_F(AgentTest, TakesThePlaceOfItsGuardian) {
    bool guarded = true;
    int times = 0;
    hooks.is_guarded = [&] { return guarded; };
    hooks.become_guardian = [&] {
        ++times;
        EXPECT_THAT(kept().log.back().text, HasSubstr("its guardian is gone")) << "the next life shall know";
        return Error{"run /proc/self/exe: Cannot allocate memory", {}, ENOMEM};
    };
    pass(Seconds{60});
    EXPECT_EQ(times, 0);
    guarded = false;
    ask("ping");
    pass(Seconds{60});
    EXPECT_EQ(times, 1) << "what failed is said, and lived with";
    EXPECT_THAT(machine.said, HasSubstr("going on without"));
}

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
    struct utmp record {};
    record.ut_type = RUN_LVL;
    const auto enter = [&](int level) {
        record.ut_pid = level;
        files.content["/run/utmp"] += std::string(reinterpret_cast<const char*>(&record), sizeof record);
    };
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
    struct utmp record {};
    record.ut_type = RUN_LVL;
    record.ut_pid = '6' + 256 * '2';
    files.content["/run/utmp"] = std::string(reinterpret_cast<const char*>(&record), sizeof record);
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
    struct utmp record {};
    record.ut_type = RUN_LVL;
    record.ut_pid = '0';
    files.content["/run/utmp"] = std::string(reinterpret_cast<const char*>(&record), sizeof record);
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
    void enter(int level) {
        struct utmp record {};
        record.ut_type = RUN_LVL;
        record.ut_pid = level;
        files.content["/run/utmp"] += std::string(reinterpret_cast<const char*>(&record), sizeof record);
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
            std::this_thread::yield();
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

TEST_F(AgentTest, PromisesASignOfLife) {
    Nanoseconds promised{0};
    hooks.is_guarded = [] { return true; };
    hooks.promise = [&](Nanoseconds until) { promised = until; };
    for (int i = 0; i < 20; ++i) {
        pass(Seconds{3});
        EXPECT_GE(promised, clock.now());
        EXPECT_LE(promised, clock.now() + Seconds{30});
    }
    ask("reboot");
    pass(Milliseconds{100});
    EXPECT_GE(promised, clock.now() + Seconds{30}) << "the way down may take its time";
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

TEST_F(AgentTest, WritesItsStateOnlyWhenItChanged) {
    watch();
    pass(Seconds{30});
    files.content.erase(kAgentStateFile);
    pass(Seconds{600});
    EXPECT_EQ(files.content.count(kAgentStateFile), 0U);
    logged.say(6, "news");
    pass(Seconds{20});
    EXPECT_EQ(files.content.count(kAgentStateFile), 1U);
}

TEST_F(AgentTest, LivesWithAFullRun) {
    files.read_only = true;
    pass(Seconds{30});
    ask("ping");
    logged.say(6, "news");
    pass(Seconds{30});
    const auto first = machine.said.find("cannot keep its state");
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(machine.said.find("cannot keep its state", first + 1), std::string::npos) << "said once";
}

TEST_F(AgentTest, TellsItsLogToAll) {
    logged.say(3, "something");
    const auto lines = log_from(*ask("log", 1000));
    ASSERT_TRUE(lines);
    EXPECT_EQ(lines->back(), (LogLine{Seconds{100}, 3, "something"}));
    for (int i = 0; i < 1000; ++i) logged.say(6, std::string(5000, 'x'));
    EXPECT_LE(ask("log")->items.size(), MessageLog::kMostLines);
    EXPECT_LE(kept().log.back().text.size(), MessageLog::kLongestLine);
}

TEST_F(AgentTest, OnlyRootMakesItReadTheReportAgain) {
    EXPECT_FALSE(ask("reload", 1000));
    ask("report");
    auto later = test_report::sample_report();
    later.state.push_back({"/opt/data", "persistent", "/run/diskless/snapshot/opt/data", 5, ""});
    files.content["/run/diskless/boot.json"] = to_json(later);
    EXPECT_EQ(boot_report_from(*ask("report"))->state.size(), later.state.size() - 1) << "kept in memory";
    EXPECT_TRUE(ask("reload"));
    EXPECT_EQ(boot_report_from(*ask("report"))->state.size(), later.state.size());
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

TEST_F(AgentTest, ABusyServerDoesNotEndWhatInitDoes) {
    hooks.is_guarded = [] { return true; };
    files.content["/proc/1/comm"] = "init\n";
    files.fifos.insert("/run/initctl");
    struct utmp record {};
    record.ut_type = RUN_LVL;
    record.ut_pid = '6';
    files.content["/run/utmp"] = std::string(reinterpret_cast<const char*>(&record), sizeof record);
    for (int minute = 0; minute < 10; ++minute) {
        unanswered = probes + 1;
        pass(Seconds{60});
    }
    EXPECT_EQ(taken_down_at, Nanoseconds{0});
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

/// Wants to be asked every 3 s, and remembers when it was.
class EagerKeeper : public LeaseKeeper {
  public:
    explicit EagerKeeper(SmallClock& clock) : clock_(clock) {}
    LiveLease live() const override {
        LiveLease live;
        live.lease.source = LeaseSource::dhcp;
        live.lease.address = Ipv4(10, 9, 0, 99);
        live.lease.lease_time = Seconds{60};
        live.lease.obtained = clock_.now() - Seconds{20};
        live.waits_for = "renewal of 10.9.0.99 unanswered for 4 s";
        live.problem = Error{"10.9.0.1 refuses to renew 10.9.0.99", "see the DHCP server", 0};
        return live;
    }
    Nanoseconds next_due() const override { return worked.empty() ? Nanoseconds{0} : worked.back() + Seconds{3}; }
    void work(Nanoseconds now) override { worked.push_back(now); }

    std::vector<Nanoseconds> worked;

  private:
    SmallClock& clock_;
};

TEST_F(AgentTest, ShowsTheLeaseAsItIs) {
    EagerKeeper keeper(clock);
    lease = &keeper;
    const auto status = node_status_from(*ask("status"));
    ASSERT_TRUE(status) << status.error().cause;
    EXPECT_EQ(status->lease.address, "10.9.0.99/0");
    EXPECT_EQ(status->lease.expires_in, 40);
    EXPECT_EQ(status->lease.confirmed, 20);
    EXPECT_THAT(status->lease.waits_for, HasSubstr("unanswered"));
    EXPECT_EQ(status->degraded.back().cause, "10.9.0.1 refuses to renew 10.9.0.99");
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

TEST_F(AgentTest, KeepsAStatusFileButNotOnTheWayDown) {
    hooks.snapshot = "/snapshot";
    watch();
    while (clock.now() < Seconds{115}) agent().turn(Deadline{Seconds{115}});
    const auto kept = node_status_from_json(files.content["/snapshot/.diskless/status.json"]);
    ASSERT_TRUE(kept) << kept.error().cause;
    EXPECT_EQ(kept->identity.hostname, "node07");
    EXPECT_EQ(kept->root_server, "answers");
    EXPECT_EQ(kept->space->free_inodes, 100U);
    processes.children.clear();
    ask("reboot");
    EXPECT_THAT(processes.children, ElementsAre("keep the time")) << "once more, while the server is there";
    run_to_the_end();
    EXPECT_THAT(processes.children, Not(::testing::Contains("keep the status")));
}

TEST_F(AgentTest, AnswersNonsenseAndGoesOn) {
    EXPECT_FALSE(ask("\xff\x01garbage"));
    EXPECT_FALSE(ask(""));
    EXPECT_TRUE(ask("ping"));
}

}  // namespace
}  // namespace diskless
