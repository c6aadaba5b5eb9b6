// A copy of a tree that shares what has not changed with an older copy, by hard links.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

struct ShareCount {
    std::uint64_t entries = 0;      // all that the new tree has
    std::uint64_t shared = 0;       // of them the same file as in the older copy
    std::uint64_t bytes = 0;        // content of files that are not
    std::uint64_t differences = 0;  // entries that are new, changed or gone
};

struct ShareRequest {
    std::string from, to;
    std::string previous;  // the older copy; empty: none
    /// Paths below `from` without leading "/", or patterns of them (glob(7), name by name): of directories the content,
    /// else all.
    std::vector<std::string> excluded;
    std::function<void(const std::string& excluded)> unmatched;  // called with those that match nothing
    bool compare_content = false;  // else size and modification time say that a file is the same
    std::function<void(std::uint64_t entries, std::uint64_t bytes)> progress;
};

/// Makes `to` like `from`, not entering what is mounted below it and leaving sockets out. What a run that was killed
/// has left in `to` is used when it is complete, and removed when it does not belong there. Files with equal metadata
/// (and content, when asked) are hard links to the older copy: neither is ever to be changed in place.
Result<> share_tree(const ShareRequest& request);

/// How the tree differs from the older copy that it shares with. `ignored`: names at the top that begin so do not
/// count.
Result<ShareCount> compare_shared(const std::string& previous, const std::string& tree, std::string_view ignored);

/// Everything of the file system that holds the path is on disk when it returns.
Result<> sync_file_system(const std::string& path);

}  // namespace diskless
