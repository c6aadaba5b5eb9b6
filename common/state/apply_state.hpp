// Carries a StatePlan out. Runs inside a killable child: it touches NFS freely, and may be killed at any call.
#pragma once

#include <string>
#include <vector>

#include "common/os/files.hpp"
#include "common/os/mounts.hpp"
#include "common/report/boot_report.hpp"
#include "common/state/state_plan.hpp"

namespace diskless {

struct StateTarget {
    std::string root = "/sysroot";
    std::string scratch = "/run/diskless/state";  // an existing directory on a tmpfs, the same path after switch_root
    std::string snapshot;                         // as in StateInput; empty: none
};

/// Mounts the plan's entries in order, seeding the snapshot where it has no copy yet. One entry's failure is its
/// `problem` and never stops the others; skipped entries give facts with kind "skipped". An error means that nothing
/// was done at all: scratch is not writable, or holds an earlier attempt (EEXIST: undo_state first).
///
/// Seeding is atomic: copies grow in <snapshot>/.diskless/seed and are renamed into place; what is in place is never
/// overwritten. Nothing in the snapshot is followed through a symlink. A snapshot that cannot be written (full,
/// read-only, not permitted) makes its missing entries volatile, said so in their problem.
Result<std::vector<StateFacts>> apply_state(const StatePlan& plan, const StateTarget& target, Files& files,
                                            Mounts& mounts);

/// Takes away what an earlier attempt in the same boot has mounted and left in scratch: call it before plan_state when
/// a step is tried again. Does nothing at a first attempt.
Result<> undo_state(const StateTarget& target, Files& files, Mounts& mounts);

}  // namespace diskless
