#pragma once

#include "server-helper/model/cluster.hpp"

namespace diskless::server {

/// What one entry alone does not show, but for node_problems(): groups that are absent or inherit from themselves. What
/// can be meant for a while (an image that is not there yet) becomes a warning.
Result<> validate(Cluster& cluster);

struct NodeProblem {
    std::string key;  // the same where the problem is, whatever line it stands in
    Error error;
};

/// Doubled names and addresses, and addresses that cannot be a node's; linear in the nodes.
std::vector<NodeProblem> node_problems(const Cluster& cluster);

/// "is in the list twice, first at nodes.toml:3": what is wrong with the name of the second one.
std::string double_name(const Node& first, const Node& second);

}  // namespace diskless::server
