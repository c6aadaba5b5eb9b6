// A change of the node list: worked out on its text, checked as a whole, then written at once.
#pragma once

#include <set>

#include "server-helper/model/lock.hpp"
#include "server-helper/model/node_edit.hpp"
#include "server-helper/model/node_files.hpp"
#include "server-helper/tree_options.hpp"

namespace diskless::server {

class NodeChange {
  public:
    /// Locks the tree unless --dry-run, and loads it.
    static Result<NodeChange> begin(const ParsedOptions& options, Streams& streams);

    const Cluster& cluster() const { return cluster_; }
    /// Edits of the file that holds the node; new nodes go to nodes.toml.
    NodeEdits& edits_of(const Node& node) { return edits_[node.place.file]; }
    NodeEdits& edits_of_new_nodes() { return edits_[cluster_.base + "/nodes.toml"]; }
    /// Would setting these values of a node change nothing?
    Result<bool> has_already(const Node& node, const NodeValues& values) const;
    /// Checks the list as it would be; writes it and tells. A node that could not boot by it is warned of, not refused:
    /// its image may come later.
    Result<> finish(const ParsedOptions& options, Streams& streams);

  private:
    Cluster cluster_;
    std::optional<TreeLock> lock_;
    std::map<std::string, NodeEdits> edits_;  // by file
};

/// "key=value" words as values of nodes: checked by the list's own reader later. Groups are given with commas.
Result<NodeValues> parse_settings(const std::vector<std::string>& words);

}  // namespace diskless::server
