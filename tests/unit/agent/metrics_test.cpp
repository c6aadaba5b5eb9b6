#include "agent/ctl/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/base/text.hpp"
#include "tests/unit/report/sample_report.hpp"

namespace diskless {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

NodeStatus full_status() {
    LiveFacts live;
    live.now = Milliseconds{62'240};
    live.wall = 1'795'000'000;
    live.agent = "running";
    live.root = Health{.state = "ok", .milliseconds = 3};
    live.snapshot = Health{"read-only", 12, 60, "nothing can be written", "export it rw"};
    live.space = Space{1 << 20, 2 << 20, 5, 10};
    live.lease.emplace();
    live.lease->lease = test_report::sample_report().lease;
    live.lease->carrier = true;
    live.counters = {1, 2, 3, 4, 5, 6, 7};
    return node_status(test_report::sample_report(), live);
}

TEST(Metrics, HaveUnitsAndStates) {
    const auto text = ctl::metrics_text(full_status());
    for (const char* line :
         {"diskless_node_info{version=\"0.1.0\",", "diskless_uptime_seconds 62.240\n", "diskless_agent_up 1\n",
          "diskless_carrier 1\n", "diskless_server_state{server=\"root\",state=\"ok\"} 1\n",
          "diskless_server_state{server=\"snapshot\",state=\"ok\"} 0\n",
          "diskless_server_state{server=\"snapshot\",state=\"read-only\"} 1\n",
          "diskless_server_response_seconds{server=\"snapshot\"} 0.012\n",
          "diskless_server_outages_total{server=\"root\"} 6\n", "diskless_snapshot_free_bytes 1048576\n",
          "diskless_lease_remaining_seconds 3540\n", "diskless_agent_restarts_total 1\n",
          "diskless_carrier_losses_total 5\n", "# UNIT diskless_uptime_seconds seconds\n"})
        EXPECT_THAT(text, HasSubstr(line));
}

/// The grammar as far as it matters to a collector.
TEST(Metrics, AreWellFormed) {
    NodeStatus hostile;
    hostile.version = "\"}\n# EOF\ndiskless_agent_up 7 \\";
    hostile.lease.expires_in = INT64_MIN;
    hostile.uptime = Nanoseconds::min();
    for (const auto& status : {full_status(), NodeStatus{}, hostile}) {
        const auto text = ctl::metrics_text(status);
        EXPECT_THAT(text, EndsWith("\n# EOF\n"));
        std::set<std::string, std::less<>> families, samples;
        std::string family, type;
        for (const auto line : lines(text)) {
            if (line == "# EOF") continue;
            const auto parts = words(line);
            ASSERT_GE(parts.size(), 2U) << line;
            if (parts[0] == "#") {
                ASSERT_GE(parts.size(), 4U) << line;
                if (parts[1] == "HELP") {
                    EXPECT_TRUE(families.emplace(parts[2]).second) << "twice: " << line;
                    family = std::string(parts[2]);
                }
                EXPECT_EQ(parts[2], family) << line;
                if (parts[1] == "TYPE") type = std::string(parts[3]);
                if (parts[1] == "UNIT") {
                    EXPECT_TRUE(family.ends_with("_" + std::string(parts[3]))) << line;
                }
                continue;
            }
            const auto name = line.substr(0, line.find_first_of("{ "));
            EXPECT_EQ(name, family + (type == "counter" ? "_total" : "")) << line;
            EXPECT_TRUE(samples.emplace(line.substr(0, line.rfind(' '))).second) << "twice: " << line;
            const auto value = line.substr(line.rfind(' ') + 1);
            EXPECT_EQ(value.find_first_not_of("0123456789.-"), std::string_view::npos) << line;
        }
    }
    EXPECT_THAT(ctl::metrics_text(hostile), HasSubstr(R"(version="\"}\n# EOF\ndiskless_agent_up 7 \\")"));
}

TEST(Metrics, WithoutTheAgentNothingSeemsToBeginAnew) {
    auto status = full_status();
    status.agent = "not answering";
    status.lease.expires_in.reset();
    status.root_health.reset();
    status.snapshot_health.reset();
    status.counters = {};
    const auto text = ctl::metrics_text(status);
    EXPECT_THAT(text, HasSubstr("diskless_agent_up 0\n"));
    EXPECT_THAT(text, HasSubstr("diskless_node_info{"));
    for (const char* name : {"_total", " counter", "server_", "lease_"}) EXPECT_THAT(text, Not(HasSubstr(name)));
}

TEST(Metrics, WhatIsNotKnownIsNotThere) {
    const auto text = ctl::metrics_text(NodeStatus{});
    for (const char* name : {"carrier ", "lease_remaining", "snapshot_free", "server_state{"})
        EXPECT_THAT(text, Not(HasSubstr(std::string("diskless_") + name)));
}

}  // namespace
}  // namespace diskless
