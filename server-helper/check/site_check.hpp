// What is wrong with a cluster before a node is switched on.
#pragma once

#include "server-helper/check/finding.hpp"
#include "server-helper/render/rendered.hpp"

namespace diskless::server {

/// The node list alone; pure: doubles, addresses outside the network or in the DHCP range, nodes that nothing can boot.
Findings check_nodes(const Site& site);

/// What the node program would say of the nodes' kernel parameters: pure, each once for all nodes.
Findings check_parameters(const Site& site);

/// The tree on disk: roots, kernels, snapshots (missing, left over), overlays, free space. Nothing below snapshots/ is
/// opened.
Findings check_tree(const Site& site);

}  // namespace diskless::server
