// The way down, as a plan: the same steps and the same executor as the boot.
//
// Why it cannot hang: every step has a deadline and works in children that are killed past it; the whole has a deadline
// and a guard that calls reboot(2) whatever the steps are doing (take_down.hpp). Nothing here needs a byte of the root.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/os/os.hpp"
#include "common/plan/step.hpp"
#include "common/report/boot_report.hpp"
#include "init/boot.hpp"

namespace diskless {

struct ShutdownSituation {
    PowerVerb verb = PowerVerb::reboot;
    /// Total time until the machine is down.
    Milliseconds timeout{30'000};
    /// The root's server does not answer: what needs it is skipped, and nothing is waited for that it would hold up.
    bool server_dead = false;
    /// Asked again when something hangs that should not; empty: nobody can tell.
    std::function<bool(Deadline)> server_answers;
    /// True: systemd (or another init) has ended everything and started us from RAM; its root is below `old_root`.
    /// False: the agent does the job because PID 1 did not: processes run, and the root is PID 1's, not ours.
    bool after_pivot = true;
    std::string old_root = "/oldroot";
    /// Never signalled, beside PID 1: ourselves.
    std::vector<int> spared;
    /// kRunDirectory of the initramfs as this process sees it: the agent's own, or below "/proc/<agent>/root".
    std::string run_directory = kRunDirectory;
    /// False: this program goes on from RAM afterwards: only processes are ended, and memory is written back.
    bool ends_here = true;
    /// The node's snapshot is mounted there: how it went is kept in it.
    bool has_snapshot = false;
    /// diskless.wol=, and the interface that carries the root.
    WakeOnLan wake_on_lan = WakeOnLan::keep;
    std::string interface;
};

/// What the steps of one way down share. Only written by StepContext::publish.
struct WayDown {
    ShutdownSituation situation;
    Nanoseconds began{0};
    bool server_dead = false;  // found out on the way, if not before
    LastShutdown told;

    /// When a step has to end so that those after it keep `seconds` of every 30 of the total.
    Deadline leaving(int seconds) const {
        const auto& total = situation.timeout;
        return {began + total - total * seconds / 30};
    }
};

/// The steps down to, but without, the final reboot(2). A server that is known to be gone has fewer of them.
Plan plan_shutdown(const std::shared_ptr<WayDown>& down);

/// The same for nobody who wants to know what was lost.
Plan plan_shutdown(const ShutdownSituation& situation, const Clock& clock);

// ---- The steps, a file each -----------------------------------------------------------------------------------------

/// TERM, time to end, KILL. Processes in D state on a dead server do not end; they are left behind.
Result<> end_processes(StepContext& context, WayDown& down);
/// Wake-on-LAN as diskless.wol= wants it. A card that cannot is told on the console and is no failure.
Result<> arm_wake(StepContext& context, WayDown& down);
/// sync(2) in a child, as long as it makes progress; without a server what is on local disks.
Result<> write_back(StepContext& context, WayDown& down);
/// Local partitions and files; zram needs nothing.
Result<> stop_swap(StepContext& context, WayDown& down);
/// Everything but the root and the snapshot, which keep_record() needs; `all`: these as well, and what is left is
/// detached.
Result<> release_mounts(StepContext& context, WayDown& down, bool all);
/// Time and losses into the snapshot, where the next boot looks for them.
Result<> keep_record(StepContext& context, WayDown& down);

/// `told` and its time into the snapshot below `run_directory`, in a child; the mark that the node runs goes.
Result<> write_record(Os& os, const std::string& run_directory, const LastShutdown& told, Deadline until);

/// Asks the server in doubt, and remembers that it is gone.
bool server_is_gone(StepContext& context, WayDown& down);

// ---- Pure parts -----------------------------------------------------------------------------------------------------

/// A mount that is to be released.
struct Release {
    std::string path;     // as this process reaches it
    std::string shown;    // as the node saw it
    std::string type;     // "nfs4"
    bool matters = true;  // NFS or a disk: in memory nothing can be lost
    Unmount how = Unmount::normal;
    bool operator==(const Release&) const = default;
};
/// What is to be released, in order: last mounted first. After a pivot `table` is that of this process, and all below
/// old_root is; else it is that of PID 1, and file systems of the kernel stay.
std::vector<Release> release_order(const std::vector<MountEntry>& table, const ShutdownSituation& situation, bool all);

/// Bytes that /proc/meminfo calls Dirty, Writeback and NFS_Unstable: what a reboot now would lose.
std::uint64_t unwritten_bytes(std::string_view meminfo);

/// Whether there is something for arm_wake(): a machine that reboots is not to be woken.
bool wants_wake(const ShutdownSituation& situation);

/// "5" of "/proc/5/stat" texts that are user processes: not kernel threads (PF_KTHREAD, proc(5)), not zombies.
bool is_user_process(std::string_view stat);
/// Real and effective user id 0: a name alone is anybody's to take. proc(5), /proc/PID/status.
bool is_of_root(const Files& files, int pid);
/// Root's processes of that name, as of /proc/PID/comm, but for PID 1: resident ones of ours.
std::vector<int> own_processes(const Files& files, std::string_view name);

struct Swap {
    std::string path;
    std::uint64_t used;  // kB
};

/// Entries of /proc/swaps (proc(5)) that have to be switched off: all but zram, which is memory.
std::vector<Swap> swaps_to_stop(std::string_view proc_swaps);

/// MemAvailable of /proc/meminfo in kB; kUnknownMemory when it does not say.
inline constexpr std::uint64_t kUnknownMemory = ~std::uint64_t{0};
std::uint64_t memory_available(std::string_view meminfo);

}  // namespace diskless
