#include "agent/agent.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/control_socket.hpp"
#include "tests/unit/agent/small_world.hpp"
#include "tests/unit/report/sample_report.hpp"

namespace diskless {
namespace {

using namespace test_agent;
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
        hooks.root_answers = [this](Deadline deadline) {
            ++probes;
            if (!server_alive) clock.time = std::max(clock.time, deadline.at);
            return server_alive;
        };
        hooks.snapshot_space = [] { return Result<Space>(Space{1 << 30, 2u << 30, 100, 200}); };
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
        if (!agent_) agent_.emplace(Agent::World{clock, files, processes, machine, control}, hooks, Seconds{30}, lease);
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
    LeaseKeeper* lease = nullptr;
    std::optional<Agent> agent_;
    bool server_alive = true;
    int probes = 0;
    Nanoseconds taken_down_at{0}, deadline_given{0}, guard_at{0};
};

TEST_F(AgentTest, TellsEverybodyTheStatus) {
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

TEST_F(AgentTest, AsksASilentServerOnceForAllWhoAsk) {
    server_alive = false;
    processes.hanging.insert("look at the snapshot");
    const auto status = node_status_from(*ask("status"));
    EXPECT_EQ(status->root_server, "does not answer");
    EXPECT_EQ(clock.now(), Seconds{104}) << "2 s for the server, 2 s for the snapshot";
    ask("status");
    EXPECT_EQ(probes, 1);
    EXPECT_EQ(clock.now(), Seconds{104});
    clock.time += Seconds{11};
    ask("status");
    EXPECT_EQ(probes, 2);
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
    EXPECT_EQ(node_status_from(*ask("status"))->agent, "rebooting");
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
    EXPECT_LE(taken_down_at, Seconds{102});
    EXPECT_THAT(machine.said, HasSubstr("the root server is gone"));
    EXPECT_THAT(machine.done, ElementsAre("power reboot", "sysrq b"));
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
    hooks.status_directory = "/snapshot/.diskless";
    agent();
    while (clock.now() < Seconds{115}) agent().turn(Deadline{});
    const auto kept = node_status_from_json(files.content["/snapshot/.diskless/status.json"]);
    ASSERT_TRUE(kept) << kept.error().cause;
    EXPECT_EQ(kept->identity.hostname, "node07");
    EXPECT_EQ(kept->root_server, "answers");
    EXPECT_EQ(kept->space->free_inodes, 100U);
    ask("reboot");
    processes.children.clear();
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
