// Which files hold lists, and which of them is stronger.
#pragma once

#include <vector>

#include "common/state/state_plan.hpp"
#include "common/state/tree_view.hpp"

namespace diskless {

struct RankedEntry {
    ListEntry entry;
    bool from_litefile = false;  // its first content is looked for in the litetree
};

struct ReadLists {
    std::vector<RankedEntry> entries;   // strongest list first, then by line
    std::vector<std::string> litetree;  // directories as seen from here, strongest first
    std::vector<StateProblem> problems;
    std::vector<std::string> files;  // that were read, strongest first
};

/// Reads every list there is. `snapshot` and `location` may be null. In these two nothing is read through a symlink.
ReadLists read_lists(const StateInput& input, const Files& files, TreeView& root, TreeView* snapshot,
                     TreeView* location);

}  // namespace diskless
