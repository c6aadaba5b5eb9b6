// reboot, poweroff, halt: by the agent, or from here when it does not answer.
#include <fmt/format.h>

#include "agent/ctl/commands.hpp"
#include "common/base/text.hpp"
#include "common/report/words.hpp"

namespace diskless::ctl {

namespace {

constexpr Milliseconds kDefaultTimeout{30'000};

/// Did the agent refuse, or was it not there? Only the latter is a reason to go on without it.
bool is_absent(const Error& error) {
    return error.code == ENOENT || error.code == ECONNREFUSED || error.code == ETIMEDOUT || error.code == ECONNRESET ||
           error.code == EPIPE;
}

int go_down(CtlWorld& world, const ParsedOptions& options, ControlVerb verb) {
    ControlRequest request{verb};
    request.now = options.has("now");
    if (options.has("timeout")) {
        const auto given = parse_milliseconds(options.value("timeout"));
        if (!given || *given < kShortestTimeout.count() || *given > kLongestTimeout.count())
            return bad_usage(world, text(verb), "--timeout takes 1 s to 10 min, as in 30, 30s, 2m");
        request.timeout = Milliseconds{*given};
    }
    if (world.user != 0)
        return failed(world, {fmt::format("{} needs root", text(verb)), "become root, or use sudo", EPERM});
    // Never take down a machine that is not ours to take down: the report is there on every node we booted.
    if (const auto report = boot_report(world); !report && report.error().code == ENOENT)
        return failed(world, report.error());

    const auto answer = ask_agent(world, request);
    if (answer) {
        const Json* at_most = answer->find("at_most_ms");
        const Nanoseconds left = Milliseconds{at_most != nullptr ? at_most->integer : 0};
        world.out.write(fmt::format("{}: {} is asked; at the latest in {}\n", printable(answer->text_of("verb")),
                                    printable(answer->text_of("asks")), seconds_text(left, 1)));
        return kExitDone;
    }
    if (!is_absent(answer.error()) || !world.take_down) return failed(world, answer.error());
    world.err.write(fmt::format("disklessctl: the agent does not answer ({}), taking the node down from here\n",
                                answer.error().cause));
    const auto timeout = request.timeout.count() != 0 ? request.timeout : kDefaultTimeout;
    return failed(world, world.take_down(*power_verb(verb), Deadline::after(world.clock, timeout)));
}

}  // namespace

int reboot(CtlWorld& world, const ParsedOptions& options) { return go_down(world, options, ControlVerb::reboot); }
int poweroff(CtlWorld& world, const ParsedOptions& options) { return go_down(world, options, ControlVerb::poweroff); }
int halt(CtlWorld& world, const ParsedOptions& options) { return go_down(world, options, ControlVerb::halt); }

}  // namespace diskless::ctl
