#include "common/report/node_status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/report/sample_report.hpp"

namespace diskless {
namespace {

using test_report::sample_report;
using ::testing::HasSubstr;
using ::testing::Not;

LiveFacts live_at(Nanoseconds now) {
    LiveFacts live;
    live.now = now;
    live.wall = 1'795'000'000 + now.count() / 1'000'000'000;
    live.agent = "running";
    live.root = Health{.state = "ok", .milliseconds = 3};
    return live;
}

TEST(Overall, WeighsTheWorst) {
    auto report = sample_report();
    EXPECT_EQ(overall(report), StepOutcome::degraded);
    report.steps[3].outcome = StepOutcome::skipped;
    EXPECT_EQ(overall(report), StepOutcome::done);
    report.state[0].problem = "source is missing";
    EXPECT_EQ(overall(report), StepOutcome::degraded);
    report.state[0].problem = "";
    report.steps[5].outcome = StepOutcome::running;
    EXPECT_EQ(overall(report), StepOutcome::done) << "the hand-over, as it writes the report";
    report.steps[5].outcome = StepOutcome::waiting;
    EXPECT_EQ(overall(report), StepOutcome::degraded) << "never ran";
    report.handed_over = {};
    EXPECT_EQ(overall(report), StepOutcome::running);
    report.steps[4].outcome = StepOutcome::failed;
    EXPECT_EQ(overall(report), StepOutcome::failed);
}

TEST(NodeStatus, CountsTheLeaseDown) {
    const auto report = sample_report();
    EXPECT_EQ(node_status(report, live_at(Milliseconds{62'240})).lease.expires_in, 3540);
    auto fixed = report;
    fixed.lease.lease_time = Seconds{0};
    EXPECT_EQ(node_status(fixed, live_at(Seconds{60})).lease.expires_in, std::nullopt);
    const auto expired = node_status(report, live_at(Seconds{4000}));
    EXPECT_LT(*expired.lease.expires_in, 0);
    EXPECT_EQ(expired.degraded.back().what, "lease");
}

TEST(NodeStatus, NamesWhatIsNotWellWithRemedy) {
    auto report = sample_report();
    report.state[1].problem = "source is missing";
    auto live = live_at(Seconds{60});
    live.root = Health{"unreachable", 3, 70, "10.9.0.1 does not answer", "start it"};
    live.space = Space{10, 1000, 500, 1000};
    const auto status = node_status(report, live);
    std::vector<std::string> what;
    for (const auto& item : status.degraded) what.push_back(item.what);
    EXPECT_THAT(what, ::testing::ElementsAre("set-time", "state /var/log", "root server", "snapshot"));
    EXPECT_EQ(status.degraded[0].remedy, "name a time server: diskless.ntp=");
}

TEST(NodeStatus, TellsSlowFromGoneAndMissingCarrier) {
    auto live = live_at(Seconds{60});
    live.root = Health{"slow", 1500, 61, "10.9.0.1 took 1.5 s to answer", "see load"};
    live.snapshot = Health{"full", 2, 5, "full: 0 B free of 1 MiB", "free room"};
    live.space = Space{0, 1 << 20, 5, 10};
    live.lease.emplace();
    live.lease->carrier = false;
    live.watchdog = "fed";
    live.counters.agent_restarts = 3;
    const auto status = node_status(sample_report(), live);
    EXPECT_EQ(status.root_server, "answers");
    const auto text = status_text(status);
    EXPECT_THAT(text, HasSubstr("server slow for 1 min 1 s\n"));
    EXPECT_THAT(text, HasSubstr("server full for 5 s\n"));
    EXPECT_THAT(text, HasSubstr("degraded   root server: 10.9.0.1 took 1.5 s to answer\n           -> see load\n"));
    EXPECT_THAT(text, HasSubstr("degraded   snapshot: full: 0 B free of 1 MiB\n           -> free room\n"));
    EXPECT_THAT(text, HasSubstr("degraded   carrier: eth0 has no carrier\n           -> see cable and switch\n"));
    EXPECT_THAT(text, HasSubstr("agent      running, started again 3 times\nwatchdog   fed\n"));
    EXPECT_THAT(text, Not(HasSubstr("nearly full"))) << "said once";
}

TEST(NodeStatus, InodesCanRunOutToo) {
    auto live = live_at(Seconds{60});
    live.space = Space{900, 1000, 1, 1000};
    EXPECT_EQ(node_status(sample_report(), live).degraded.back().what, "snapshot");
    live.space = Space{900, 1000, 0, 0};  // a server that does not count inodes
    EXPECT_EQ(node_status(sample_report(), live).degraded.back().what, "set-time");
}

TEST(StatusText, SaysWhatAnOperatorAsks) {
    auto live = live_at(Seconds{7200});
    live.space = Space{3u << 30, 4ull << 30, 1000, 2000};
    auto report = sample_report();
    report.lease.lease_time = Seconds{36'000};
    const auto text = status_text(node_status(report, live));
    EXPECT_THAT(text, HasSubstr("node       node07.example.org (name from DHCP)\n"));
    EXPECT_THAT(text, HasSubstr("root       10.9.0.1:/srv/root, NFS 4.2, ro, generation 2026-11-20\n"));
    EXPECT_THAT(text, HasSubstr("\n           server ok, answers in 3 ms\n"));
    EXPECT_THAT(text, HasSubstr("snapshot   node07, mounted 10.9.0.1:/srv/snapshots/node07; 3.0 GiB free of 4.0 GiB"));
    EXPECT_THAT(text, HasSubstr("10.9.0.21/24 on eth0 (52:54:00:12:34:56), dhcp from 10.9.0.1, expires in 8 h, "
                                "confirmed 1 h 59 min ago\n"));
    EXPECT_THAT(text, HasSubstr("up         2 h; booted in 2.7 s: degraded\n"));
    EXPECT_THAT(text, HasSubstr("degraded   set-time: no answer from 10.9.0.1 in 0.4 s\n"));
}

TEST(StatusText, IsSafeForATerminalAndForAnything) {
    NodeStatus status;
    status.identity.hostname = "\x1b[2Jnode";
    status.lease.expires_in = INT64_MIN;
    status.wall = INT64_MIN;
    status.time.step = Nanoseconds::min();
    EXPECT_THAT(status_text(status), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace diskless
