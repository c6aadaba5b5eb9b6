// What nodes would destroy for each other: one snapshot for several of them, a root that one writes and others boot.
#pragma once

#include <string>
#include <vector>

#include "server-helper/model/cluster.hpp"

namespace diskless::server {

struct Sharing {
    std::string rule;                // of check: "shared-snapshot", "shared-root-rw"
    std::vector<std::string> nodes;  // that must not be as they are
    Error error;
};

/// Snapshots first, then roots, each by name; linear in the nodes. Only of these nodes: give all of the cluster.
std::vector<Sharing> find_sharing(const Cluster& cluster, const std::vector<ResolvedNode>& nodes);

/// Fails with the first of them.
Result<> check_sharing(const Cluster& cluster, const std::vector<ResolvedNode>& nodes);

}  // namespace diskless::server
