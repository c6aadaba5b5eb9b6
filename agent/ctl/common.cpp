#include <fmt/core.h>

#include "agent/agent.hpp"
#include "agent/ctl/commands.hpp"

namespace diskless::ctl {

namespace {
constexpr Nanoseconds kAnswerDeadline = Seconds{10};  // the agent may look at two servers for 2 s each
constexpr const char* kNotAnswering = "not answering";
}  // namespace

int failed(CtlWorld& world, const Error& error) {
    world.err.write(fmt::format("disklessctl: {}\n", error.cause));
    if (!error.remedy.empty()) world.err.write(fmt::format("  -> {}\n", error.remedy));
    return kExitFailed;
}

int bad_usage(CtlWorld& world, std::string_view command, std::string_view what) {
    world.err.write(
        fmt::format("disklessctl: {}\n  -> disklessctl help{}{}\n", what, command.empty() ? "" : " ", command));
    return kExitUsage;
}

Result<Json> ask_agent(CtlWorld& world, const ControlRequest& request) {
    const auto text = world.agent.ask(to_line(request), Deadline::after(world.clock, kAnswerDeadline));
    if (!text) return Failure(text.error());
    return parse_control_answer(*text);
}

Result<BootReport> boot_report(CtlWorld& world) {
    const auto content = world.files.read(kBootReportFile, 4 << 20);
    if (!content && content.error().code == ENOENT)
        return fail(fmt::format("this is no diskless node: there is no {}", kBootReportFile), {}, ENOENT);
    if (!content) return Failure(content.error());
    return boot_report_from_json(*content);
}

Result<NodeStatus> node_status_now(CtlWorld& world) {
    const auto answer = ask_agent(world, {ControlVerb::status});
    if (answer) return node_status_from(*answer);
    auto report = boot_report(world);
    if (!report) return Failure(report.error());
    report->lease.lease_time = Seconds{0};  // only the agent knows whether it was renewed since
    LiveFacts live;
    live.now = world.clock.now();
    live.wall = std::chrono::duration_cast<Seconds>(world.clock.wall()).count();
    live.agent = kNotAnswering;
    NodeStatus status = node_status(*report, live);
    status.degraded.push_back({"agent", answer.error().cause,
                               "disklessctl reboot works all the same; see the end of dmesg for what ended the agent"});
    return status;
}

bool agent_answers(const NodeStatus& status) { return status.agent != kNotAnswering; }

}  // namespace diskless::ctl
