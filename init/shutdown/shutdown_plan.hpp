// The way down, as a plan: the same steps and the same executor as the boot.
//
// Why it cannot hang: every step has a deadline and works in children that are killed past it; the whole has a deadline
// and a guard that calls reboot(2) whatever the steps are doing (take_down.hpp). Nothing here needs a byte of the root.
#pragma once

#include <string>
#include <vector>

#include "common/os/os.hpp"
#include "common/plan/step.hpp"

namespace diskless {

struct ShutdownSituation {
    PowerVerb verb = PowerVerb::reboot;
    /// Total time until the machine is down.
    Milliseconds timeout{30'000};
    /// The root's server does not answer: what needs it is skipped, and nothing is waited for that it would hold up.
    bool server_dead = false;
    /// True: systemd (or another init) has ended everything and started us from RAM; its root is below `old_root`.
    /// False: the agent does the job because PID 1 did not: processes run, and the root is PID 1's, not ours.
    bool after_pivot = true;
    std::string old_root = "/oldroot";
    /// Never signalled, beside PID 1: ourselves.
    std::vector<int> spared;
};

/// The steps down to, but without, the final reboot(2).
Plan plan_shutdown(const ShutdownSituation& situation);

/// Mount points at or below `old_root` in the order in which they are to be unmounted: last mounted first.
std::vector<MountEntry> unmount_order(const std::vector<MountEntry>& table, const std::string& old_root);

/// Bytes that /proc/meminfo calls Dirty, Writeback and NFS_Unstable: what a reboot now would lose.
std::uint64_t unwritten_bytes(std::string_view meminfo);

/// "5" of "/proc/5/stat" texts that are user processes: not kernel threads (PF_KTHREAD, proc(5)), not zombies.
bool is_user_process(std::string_view stat);

}  // namespace diskless
