#include "init/boot_loop.hpp"

#include <fmt/core.h>

#include "common/base/text.hpp"
#include "init/boot_report_of.hpp"
#include "init/hand_over.hpp"
#include "init/plan.hpp"

namespace diskless {

namespace {

constexpr int kError = 3, kWarning = 4, kInfo = 6;  // syslog(2) levels
constexpr Retry kTryAgain{0, Milliseconds{4000}, Milliseconds{60'000}};
constexpr const char* kShells[] = {"/bin/busybox", "/bin/sh"};  // of the image; after the switch the root's

double seconds(Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

/// Until the operator leaves it, then the boot goes on from the step that failed.
void rescue_shell(Os& os) {
    os.machine.say(kError, "a shell on the console; leave it to go on with the boot");
    auto pid = Result<int>(fail(""));
    for (const char* shell : kShells)
        if (!pid)
            pid = os.processes.spawn(
                {.path = shell,
                 .arguments = {"sh"},
                 .environment = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/", "TERM=linux", "PS1=diskless# "},
                 .console = "/dev/console"});
    if (!pid) {
        os.machine.say(kError, "no shell: " + pid.error().cause + "; build the image with --shell");
        os.clock.sleep(Seconds{30});
        return;
    }
    (void)os.processes.wait(*pid, Deadline{});
}

/// What the command line wants done about a failure; comes back when it is to be tried again.
void react(BootWorld world, const BootConfig& config, const Error& error, int failures) {
    Os& os = world.os;
    os.machine.say(kError, "boot stopped: " + error.cause);
    if (!error.remedy.empty()) os.machine.say(kError, "what to do: " + error.remedy);
    switch (config.failure.action) {
        case OnFailure::reboot:
            os.machine.say(kError, fmt::format("rebooting in {:.0f} s", seconds(config.failure.reboot_after)));
            os.clock.sleep(config.failure.reboot_after);
            (void)os.machine.power(PowerVerb::reboot);
            return world.emergency_stop({"reboot", "the kernel refused to reboot", "reset the machine"}, 10);
        case OnFailure::shell:
            rescue_shell(os);
            return;
        case OnFailure::wait:
            break;
    }
    const auto delay = kTryAgain.first / 2 + backoff_delay(kTryAgain, failures, os.machine.random());
    os.machine.say(kError, fmt::format("trying again from there in {:.0f} s", seconds(delay)));
    os.clock.sleep(delay);
}

}  // namespace

ExecutorEvents narrate(Os& os, const Boot& boot) {
    ExecutorEvents events;
    events.ended = [&os, &boot](const StepReport& step) {
        if (boot.config.verbose)
            for (const auto& note : step.notes) os.machine.say(kInfo, step.id + ": " + printable(note));
        const bool well = step.outcome == StepOutcome::done;
        os.machine.say(well ? kInfo : kWarning,
                       fmt::format("{} {:.2f} s{}{}", step.sentence, seconds(step.ended - step.started),
                                   well ? "" : ": ", step.cause));
        if (!step.remedy.empty()) os.machine.say(kWarning, "what to do: " + step.remedy);
    };
    events.retry = [&os](const StepReport& step, const Error& error, Milliseconds delay) {
        os.machine.say(kWarning, fmt::format("{}: {}; again in {:.1f} s", step.sentence, error.cause, seconds(delay)));
        if (!error.remedy.empty() && step.attempts == 1) os.machine.say(kWarning, "what to do: " + error.remedy);
    };
    events.waiting = [&os](const StepReport& step, std::string_view what) {
        os.machine.say(kWarning, fmt::format("{}: waiting for {} ({:.0f} s)", step.sentence, what,
                                             seconds(os.clock.now() - step.started)));
    };
    return events;
}

void boot_on(BootWorld world, Boot& boot, Executor& executor, Nanoseconds started,
             const std::vector<std::string>& environment) {
    Os& os = world.os;
    if (const auto early = executor.run(plan_early(boot)); !early)
        return world.emergency_stop({"boot", early.error().cause.c_str(), early.error().remedy.c_str()}, 60);
    for (const auto& warning : boot.config.warnings) {
        os.machine.say(kWarning, warning.parameter + ": " + warning.message);
        if (!warning.remedy.empty()) os.machine.say(kWarning, "what to do: " + warning.remedy);
    }
    if (boot.config.root_delay.count() > 0) os.clock.sleep(boot.config.root_delay);

    const auto plan = plan_boot(boot);
    for (int failures = 0;; ++failures) {
        if (const auto result = executor.run(plan); !result) {
            react(world, boot.config, result.error(), failures);
            continue;
        }
        os.machine.say(kInfo, fmt::format("root is ready {:.2f} s after the kernel, {:.2f} s of them ours; starting {}",
                                          seconds(os.clock.now()), seconds(os.clock.now() - started), boot.init));
        auto error = hand_over(os, boot, boot_report_of(boot, executor.reports(), os, started), environment);
        if (error.remedy.empty()) error.remedy = "mend the init of the image, or name another one by init=";
        react(world, boot.config, error, failures);
    }
}

}  // namespace diskless
