// What is in a snapshot, and what is done with it as a whole. Its content is the node's: nothing of it is trusted,
// no symlink in it is followed, no special file in it is opened.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <vector>

#include "common/os/confined_files_linux.hpp"

namespace diskless::server {

/// One name of a walk: `directory` and `name` open it (with O_NOFOLLOW), `path` is from the top ("var/log").
struct WalkedEntry {
    int directory;
    const std::string& name;
    const std::string& path;
    const struct stat& status;
};

/// Calls back with everything in the snapshot, parents first, names sorted; never leaves its file system. An error of
/// the call ends the walk.
Result<> walk_snapshot(const ConfinedFiles& snapshots, const std::string& snapshot,
                       const std::function<Result<>(const WalkedEntry&)>& call);

struct SnapshotFigures {
    bool exists = false;
    std::uint64_t files = 0;              // all but directories
    std::uint64_t bytes = 0;              // on the disk; what is cloned counts in each
    std::vector<std::string> suspicious;  // special files and set-id programs, at most 20
};
Result<SnapshotFigures> snapshot_figures(const ConfinedFiles& snapshots, const std::string& snapshot);

/// "M var/spool/cron/root": differs from the image; "A": is not in the image; "S": a special file. Paths as they are.
struct SnapshotDifference {
    char kind;
    std::string path;
    bool operator==(const SnapshotDifference&) const = default;
};
Result<std::vector<SnapshotDifference>> diff_snapshot(const ConfinedFiles& snapshots, const std::string& snapshot,
                                                      const std::string& root);

/// A tar archive, compressed by zstd, readable by its owner only and complete or absent. Set-id bits and special files
/// stay behind: they are told in the result.
Result<std::vector<std::string>> archive_snapshot(const ConfinedFiles& snapshots, const std::string& snapshot,
                                                  const std::string& out);

/// Out of the way at once, then removed name by name.
Result<> remove_snapshot(const ConfinedFiles& snapshots, const std::string& snapshot);
/// Fails when `to` exists.
Result<> rename_snapshot(const ConfinedFiles& snapshots, const std::string& from, const std::string& to);

}  // namespace diskless::server
