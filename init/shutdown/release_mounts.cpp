// unmount and release.
#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "common/base/text.hpp"
#include "init/child_work.hpp"
#include "init/shutdown/shutdown_plan.hpp"

namespace diskless {

namespace {

constexpr const char* kRootOfInit = "/proc/1/root";
constexpr Seconds kEach{5};
constexpr Milliseconds kBetween{50};

bool is_below(std::string_view path, std::string_view directory) {
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

bool is_nfs(const MountEntry& entry) { return entry.type.starts_with("nfs"); }

/// It outlives the machine: a disk that is not unmounted stays marked as in use. What an overlay covers may be either.
bool matters(const MountEntry& entry) {
    return is_nfs(entry) || entry.type == "overlay" || entry.source.starts_with("/dev/");
}

/// Until the end: the record of this way down is written there, and the root may be a file in the last.
bool is_kept(std::string_view shown) {
    return shown == "/" || shown == kSnapshot || shown == kLocation || shown == kImageDirectory;
}

/// A root that is a file in there keeps it busy, and is busy itself as long as that is mounted below it.
Unmount way_of(std::string_view shown) { return shown == kImageDirectory ? Unmount::lazy : Unmount::normal; }

/// As seen from init; empty: none of its file systems.
std::string shown_path(const MountEntry& entry, const ShutdownSituation& situation) {
    if (situation.after_pivot) {
        if (!is_below(entry.target, situation.old_root)) return {};
        const auto rest = entry.target.substr(situation.old_root.size());
        return rest.empty() ? "/" : rest;
    }
    // Of the kernel, or memory: they end with the machine. The root is init's as long as init lives.
    for (const std::string_view api : {"/proc", "/sys", "/dev", "/run"})
        if (!matters(entry) && is_below(entry.target, api)) return {};
    return entry.target == "/" ? std::string() : entry.target;
}

auto depth(std::string_view path) { return path == "/" ? 0 : std::ranges::count(path, '/'); }

Result<std::vector<Release>> to_release(Os& os, const ShutdownSituation& situation, bool all) {
    const auto table = situation.after_pivot
                           ? TRY(os.mounts.table())
                           : parse_mountinfo(TRY(os.files.read("/proc/1/mountinfo", std::size_t{4} << 20)));
    return release_order(table, situation, all);
}

/// What the agent holds beside PID 1: mounts of the initramfs, which no table shows after a pivot.
void release_own(StepContext& context, const WayDown& down) {
    Os& os = context.os;
    (void)do_in_child(os.processes, "release the snapshot", down.leaving(4), [&]() -> Result<> {
        const auto& own = down.situation.run_directory;
        // "root": the server's one beneath an overlay
        for (const char* name : {"snapshot", "location", "root"}) (void)os.mounts.unmount(join_path(own, name));
        (void)os.mounts.unmount(join_path(own, "image"), way_of(kImageDirectory));
        const auto swap = join_path(own, "swap");  // disks with a swap file
        for (const auto& name : os.files.list(swap).value_or(std::vector<std::string>{}))
            (void)os.mounts.unmount(join_path(swap, name));
        return {};
    });
}

/// What one child unmounts: one mount of a server or a disk, or all that stand in a row and are memory or the kernel's.
std::span<const Release> first_batch(std::span<const Release> left) {
    std::size_t size = 1;
    while (size < left.size() && !left[0].matters && !left[size].matters) ++size;
    return left.first(size);
}

struct Unmounted {
    std::size_t done = 0;  // how many
    bool timed_out = false;
};

Unmounted unmount_batch(Os& os, std::span<const Release> batch, Deadline until) {
    const auto busy =
        os.processes.in_child("unmount " + batch.front().shown, Deadline::after(os.clock, kEach).sooner_of(until),
                              [&]() -> Result<std::string> {
                                  std::size_t count = 0;
                                  for (const auto& release : batch)
                                      count += os.mounts.unmount(release.path, release.how) ? 0 : 1;
                                  return std::to_string(count);
                              });
    if (!busy) return {0, busy.error().code == ETIMEDOUT};
    return {batch.size() - std::min(batch.size(), parse_number<std::size_t>(*busy).value_or(batch.size())), false};
}

/// A detached file system is released when its last user is gone, which is at once or never.
void detach(StepContext& context, const WayDown& down, const std::vector<Release>& left) {
    Os& os = context.os;
    (void)do_in_child(os.processes, "detach what is left", down.leaving(3), [&]() -> Result<> {
        for (const auto& release : left) (void)os.mounts.unmount(release.path, Unmount::lazy);
        return {};
    });
}

}  // namespace

std::vector<Release> release_order(const std::vector<MountEntry>& table, const ShutdownSituation& situation, bool all) {
    std::vector<Release> order;
    for (const auto& entry : table) {
        const auto shown = shown_path(entry, situation);
        if (shown.empty() || (!all && is_kept(shown))) continue;
        order.push_back({.path = situation.after_pivot ? entry.target : kRootOfInit + shown,
                         .shown = shown,
                         .type = entry.type,
                         .matters = matters(entry),
                         .how = way_of(shown)});
    }
    std::ranges::reverse(order);
    // Children first: what the boot moved into the root is older than the root.
    std::ranges::stable_sort(order, std::ranges::greater{},
                             [](const Release& release) { return depth(release.shown); });
    return order;
}

/// Tries all, and again as long as something changed: a mount that was busy may not be any more once its child is gone.
Result<> release_mounts(StepContext& context, WayDown& down, bool all) {
    Os& os = context.os;
    const auto until = down.leaving(all ? 4 : 6);
    if (all && !down.server_dead) release_own(context, down);
    std::vector<Release> left;
    for (bool changed = true; changed && !until.passed(os.clock) && !down.server_dead;) {
        changed = false;
        bool busy = false;
        const auto releases = TRY(to_release(os, down.situation, all));
        for (std::span<const Release> rest(releases); !rest.empty() && !until.passed(os.clock);) {
            const auto batch = first_batch(rest);
            rest = rest.subspan(batch.size());
            const auto unmounted = unmount_batch(os, batch, until);
            changed = changed || unmounted.done > 0;
            busy = busy || unmounted.done < batch.size();
            if (unmounted.timed_out && server_is_gone(context, down)) break;
        }
        if (changed && busy) os.clock.sleep(kBetween);
    }
    if (down.server_dead) return {};  // keep-record says so; local disks were written before
    left = TRY(to_release(os, down.situation, all));
    std::erase_if(left, [](const Release& release) { return !release.matters; });
    if (left.empty()) return {};
    for (const auto& release : left) context.note(fmt::format("{} ({}) was still in use", release.shown, release.type));
    if (all) {
        detach(context, down, left);
    } else {
        context.publish([&] {
            for (const auto& release : left)
                down.told.losses.push_back(fmt::format("{} ({}) was still in use", release.shown, release.type));
        });
    }
    return {};
}

}  // namespace diskless
