#include <gtest/gtest.h>

#include "common/report/agent_state.hpp"
#include "common/report/json.hpp"
#include "tests/unit/report/sample_report.hpp"

namespace diskless {
namespace {

using test_report::sample_report;

TEST(BootReportJson, ComesBackAsItWas) {
    const auto report = sample_report();
    const auto back = boot_report_from_json(to_json(report));
    ASSERT_TRUE(back) << back.error().cause;
    EXPECT_TRUE(*back == report);
    const auto line = to_json_line(report);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_TRUE(*boot_report_from_json(line) == report);
    EXPECT_TRUE(*boot_report_from_json(to_json(BootReport{})) == BootReport{});
}

TEST(BootReportJson, IgnoresWhatItDoesNotKnowAndMissesNothingItDoesNotNeed) {
    const auto report =
        boot_report_from_json(R"({"format":1,"kernel":"6.1","later":{"x":[1]},"lease":{"dns":["1.2.3.4"]}})");
    ASSERT_TRUE(report) << report.error().cause;
    EXPECT_EQ(report->kernel, "6.1");
    EXPECT_EQ(report->lease.dns.front(), Ipv4(1, 2, 3, 4));
}

TEST(BootReportJson, NamesTheFieldThatIsWrong) {
    const struct {
        const char* json;
        const char* words;
    } cases[] = {
        {"[]", "no object"},
        {"{}", "format"},
        {R"({"format":2})", "format is not 1"},
        {R"({"format":1,"kernel":5})", "field kernel is no text"},
        {R"({"format":1,"steps":{}})", "field steps is no list"},
        {R"({"format":1,"steps":[{"id":"a"},{"attempts":"two"}]})", "field steps[1].attempts is no whole number"},
        {R"({"format":1,"steps":[{"outcome":"happy"}]})", "steps[0].outcome has a word"},
        {R"({"format":1,"steps":[7]})", "steps[0] is no object"},
        {R"({"format":1,"lease":{"address":"10.0.0"}})", "lease.address is no IPv4"},
        {R"({"format":1,"lease":{"prefix":300}})", "lease.prefix is out of range"},
        {R"({"format":1,"lease":{"client_id":"0x"}})", "lease.client_id is not"},
        {R"({"format":1,"lease":{"client_id":"012"}})", "half a byte"},
        {R"({"format":1,"state":[{"bytes":-1}]})", "state[0].bytes is out of range"},
        {R"({"format":1,"started_ns":9223372036854775807})", "started_ns is out of range"},
        {R"({"format":1,"started_ns":1.5})", "no whole number"},
        {R"({"format":1,)", "not JSON"},
    };
    for (const auto& c : cases) {
        const auto report = boot_report_from_json(c.json);
        ASSERT_FALSE(report) << c.json;
        EXPECT_NE(report.error().cause.find(c.words), std::string::npos) << c.json << ": " << report.error().cause;
    }
}

TEST(NodeStatusJson, ComesBackAsItWas) {
    LiveFacts live;
    live.now = Seconds{7000};
    live.wall = 1'795'007'000;
    live.agent = "running";
    live.root = Health{"unreachable", 3, 70, "10.9.0.1 does not answer", "start it"};
    live.lease.emplace();
    live.lease->carrier = true;
    live.watchdog = "fed";
    live.counters = {1, 2, 3, 4, 5, 6, 7};
    live.space = Space{1 << 20, 1u << 30, 5, 1000};
    const auto status = node_status(sample_report(), live);
    const auto back = node_status_from_json(to_json(status));
    ASSERT_TRUE(back) << back.error().cause;
    EXPECT_TRUE(*back == status);
}

TEST(AgentStateJson, ComesBackAsItWas) {
    AgentState state;
    state.lease = sample_report().lease;
    state.lease_cause = "10.9.0.1 refuses";
    state.lease_remedy = "see the DHCP server";
    state.counters = {1, 2, 3, 4, 5, 6, 7};
    state.power = {"reboot", Seconds{130}, true, true, true, true};
    state.end = "poweroff";
    state.log = {{Seconds{5}, 4, "a line"}, {Seconds{6}, 6, "another \"line\""}};
    const auto back = agent_state_from_json(to_json(state));
    ASSERT_TRUE(back) << back.error().cause;
    EXPECT_TRUE(*back == state);
    EXPECT_TRUE(*agent_state_from_json(to_json(AgentState{})) == AgentState{});
    const auto log = log_from(*parse_json(to_json_line(state.log)));
    EXPECT_TRUE(*log == state.log);
}

TEST(AgentStateJson, RubbishIsRefusedNotBelieved) {
    for (const char* text : {"", "{", "{}", R"({"format":2})", R"({"format":1,"power":{"now":"yes"}})",
                             R"({"format":1,"log":[5]})", R"({"format":1,"counters":{"lease_losses":-1}})"})
        EXPECT_FALSE(agent_state_from_json(text)) << text;
}

}  // namespace
}  // namespace diskless
