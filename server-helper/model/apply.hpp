// Files of the tree, changed atomically: each is old or new, never half, and what does not differ is not touched.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/files.hpp"

namespace diskless::server {

struct WantedFile {
    std::string content;
    std::uint32_t mode = 0644;  // 0600 for secrets: the file has it from its first byte
};

enum class ChangeKind { created, changed, removed };

struct FileChange {
    std::string path;
    ChangeKind kind = ChangeKind::changed;
    std::string diff;  // unified diff of text; of a secret (mode without group and other) only that it differs
};

/// By absolute path.
using WantedFiles = std::map<std::string, WantedFile>;

/// Makes the files as wanted and removes those of `unwanted` that exist: new ones first, so that nothing that is
/// pointed to is absent in between. With `dry_run` only tells. Every file is replaced by rename(2); a failure (a full
/// disk) leaves those not yet reached as they were, and applying again goes on from there.
Result<std::vector<FileChange>> apply_files(Files& files, const WantedFiles& wanted,
                                            const std::vector<std::string>& unwanted, bool dry_run);

/// "--- a" / "+++ b" with three lines of context; empty when nothing differs.
std::string unified_diff(const std::string& path, std::string_view before, std::string_view after);

/// The diffs of all changes, one after the other, as --dry-run prints them.
std::string diff_text(const std::vector<FileChange>& changes);

/// Points the symlink `path` at `target` by renaming a new one over it: it always points at the old or the new one.
Result<> switch_link(Files& files, const std::string& path, const std::string& target);

}  // namespace diskless::server
