#include "init/shutdown/take_down.hpp"

#include <fmt/format.h>

#include <thread>

#include "common/base/text.hpp"
#include "common/plan/executor.hpp"
#include "init/boot.hpp"
#include "init/server_probe.hpp"

namespace diskless {

namespace {

constexpr Seconds kSysrqTime{5};

}  // namespace

void end_machine(Os& os, PowerVerb verb) {
    const auto refused = os.machine.power(verb);
    os.machine.say(3, fmt::format("{} refused: {}; using sysrq", text(verb), refused.cause));
    const auto asked = os.machine.sysrq(verb == PowerVerb::poweroff || verb == PowerVerb::halt ? 'o' : 'b');
    // 'o' only schedules the power-off (kernel/power/poweroff.c): a reboot at once would overtake it.
    if (asked) os.clock.sleep(kSysrqTime);
    if (verb != PowerVerb::reboot) (void)os.machine.power(PowerVerb::reboot);
}

ExecutorEvents say_steps(Os& os) {
    ExecutorEvents events;
    events.ended = [&os](const StepReport& step) {
        const bool well = step.outcome == StepOutcome::done;
        os.machine.say(well ? 6 : 4, fmt::format("{} {:.2f} s{}{}", step.sentence,
                                                 std::chrono::duration<double>(step.ended - step.started).count(),
                                                 well ? "" : ": ", step.cause));
    };
    return events;
}

void take_down(Os& os, const ShutdownSituation& situation) {
    take_down(os, situation, {.guard = [&os](Nanoseconds wait, std::function<void()> end) {
                  std::thread([&os, wait, end = std::move(end)] {
                      os.clock.sleep(wait);
                      end();
                  }).detach();
              }});
}

void take_down(Os& os, const ShutdownSituation& situation, const TakeDownThreads& threads) {
    const auto deadline = Deadline::after(os.clock, situation.timeout);
    os.machine.say(6, fmt::format("{}: at the latest in {:.0f} s{}", text(situation.verb),
                                  static_cast<double>(situation.timeout.count()) / 1000,
                                  situation.server_dead ? "; the server is gone, what needs it is skipped" : ""));
    // A second early, so that the machine is down at the deadline, not on its way.
    threads.guard(std::max<Nanoseconds>(deadline.left(os.clock) - Seconds{1}, Milliseconds{100}),
                  [&os, verb = situation.verb] {
                      os.machine.say(4, fmt::format("{}: time is over, ending the machine now", text(verb)));
                      end_machine(os, verb);
                  });

    Executor executor(os, say_steps(os), threads.overlap);
    if (const auto result = executor.run(plan_shutdown(situation)); !result) os.machine.say(4, result.error().cause);
    end_machine(os, situation.verb);
}

[[noreturn]] void shutdown_main(Os& os, const std::vector<std::string>& arguments) {
    ShutdownSituation situation;
    const std::string verb = arguments.size() > 1 ? arguments[1] : "reboot";
    for (const auto known : {PowerVerb::poweroff, PowerVerb::halt, PowerVerb::kexec})
        if (text(known) == verb) situation.verb = known;
    if (const auto text = os.files.read(kReportFile, 4 << 20)) {
        if (const auto report = boot_report_from_json(*text)) {
            situation.timeout = parse_boot_config({report->command_line, {}, 0}).shutdown_timeout;
            situation.server_dead = !server_answers(os, report->root.server, Deadline::after(os.clock, Seconds{2}));
        }
    }
    situation.timeout /= 2;  // systemd has done the long part
    for (const auto& argument : arguments)
        if (argument.starts_with(kDeadlineArgument))
            if (const auto at = parse_number<long long>(argument.substr(kDeadlineArgument.size())))
                situation.timeout = std::chrono::duration_cast<Milliseconds>(
                    Deadline{std::min<Nanoseconds>(Milliseconds{*at}, os.clock.now() + Seconds{600})}.left(os.clock));
    take_down(os, situation);
    for (;;) os.clock.sleep(Seconds{60});
}

}  // namespace diskless
