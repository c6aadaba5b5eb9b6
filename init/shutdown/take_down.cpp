#include "init/shutdown/take_down.hpp"

#include <fmt/core.h>

#include <exception>
#include <thread>

#include "common/base/text.hpp"
#include "common/plan/executor.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {

constexpr Seconds kSysrqTime{5};
constexpr Milliseconds kWithoutServer{5000};  // everything that could take longer waits for it

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
        os.machine.say(well ? 6 : 4, fmt::format("{} {}{}{}", step.sentence, seconds_text(step.ended - step.started, 2),
                                                 well ? "" : ": ", step.cause));
    };
    return events;
}

void take_down(Os& os, const ShutdownSituation& situation) {
    take_down(os, situation, {.guard = [&os](Nanoseconds wait, std::function<void()> end) {
                  try {
                      std::thread([&os, wait, end = std::move(end)] {
                          os.clock.sleep(wait);
                          end();
                      }).detach();
                      return true;
                  } catch (const std::exception&) {
                      return false;
                  }
              }});
}

Nanoseconds kept_for_the_end(Milliseconds total) { return std::min<Nanoseconds>(Seconds{3}, total / 10); }

void take_down(Os& os, ShutdownSituation situation, const TakeDownThreads& threads) {
    if (situation.server_dead) situation.timeout = std::min(situation.timeout, kWithoutServer);
    const auto deadline = Deadline::after(os.clock, situation.timeout);
    os.machine.say(6, fmt::format("{}: at the latest in {}{}", text(situation.verb), seconds_text(situation.timeout),
                                  situation.server_dead ? "; the server is gone, what needs it is skipped" : ""));
    const auto guard_wait = deadline.left(os.clock) - kept_for_the_end(situation.timeout);
    const bool guarded = threads.guard(guard_wait, [&os, verb = situation.verb] {
        os.machine.say(4, fmt::format("{}: time is over, ending the machine now", text(verb)));
        end_machine(os, verb);
    });
    // Each step has its own deadline, and the processes that have eaten all threads are ended by the first.
    if (!guarded) os.machine.say(4, "no thread is to be had: one step after the other");

    const auto down = std::make_shared<WayDown>();
    down->server_dead = situation.server_dead;
    down->began = os.clock.now();
    down->situation = std::move(situation);
    Executor executor(os, say_steps(os), threads.overlap && guarded);
    if (const auto result = executor.run(plan_shutdown(down)); !result) os.machine.say(4, result.error().cause);
    os.machine.say(down->told.outcome == "clean" ? 6 : 4, last_shutdown_text(down->told));
    end_machine(os, down->situation.verb);
}

}  // namespace diskless
