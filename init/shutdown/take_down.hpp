// Carries the shutdown plan out and ends the machine: always, and inside the deadline.
#pragma once

#include <functional>

#include "common/os/os.hpp"
#include "common/plan/executor.hpp"
#include "common/report/boot_report.hpp"
#include "init/shutdown/shutdown_plan.hpp"

namespace diskless {

/// Runs the plan, then reboot(2). A guard thread does the same when the time is over, whatever the steps are doing:
/// first reboot(2), and should that come back, sysrq. Does not return on a machine that obeys.
void take_down(Os& os, const ShutdownSituation& situation);

/// What take_down() does in other threads: a test on a fake clock replaces it.
struct TakeDownThreads {
    /// Calls `end` after `wait`, whatever else goes on. False: the system has no thread for that.
    std::function<bool(Nanoseconds wait, std::function<void()> end)> guard;
    bool overlap = true;  // as for Executor
};
void take_down(Os& os, ShutdownSituation situation, const TakeDownThreads& threads);

/// Every way to end the machine, politest first. Comes back only where nothing works, as in a test.
void end_machine(Os& os, PowerVerb verb);

/// One line a step on the kernel's log.
ExecutorEvents say_steps(Os& os);

/// "--diskless-deadline=" and milliseconds since boot: what our own PID 1 gives the shutdown program beside the verb.
inline constexpr std::string_view kDeadlineArgument = "--diskless-deadline=";
/// It has found out that the root's server is gone.
inline constexpr std::string_view kServerGoneArgument = "--diskless-server-gone";

/// The part of the total that is kept for reboot(2) itself and the devices that it shuts down.
Nanoseconds kept_for_the_end(Milliseconds total);

/// The shutdown program as systemd's initrd interface calls it: PID 1, pivoted into RAM, the verb as argument, the old
/// root at /oldroot. Unknown verbs (such as "exit") reboot.
[[noreturn]] void shutdown_main(Os& os, const std::vector<std::string>& arguments);

}  // namespace diskless
