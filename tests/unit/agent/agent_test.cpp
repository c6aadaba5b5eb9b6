#include "agent/agent.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/agent_fixture.hpp"

namespace diskless {
namespace {

using namespace test_agent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

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
