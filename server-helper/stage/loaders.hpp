// The first programs of machines and which package of the server has them.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "server-helper/model/cluster.hpp"

namespace diskless::server {

/// Paths below <base>/boot of all files that may be staged for the cluster's loaders, whether a package has them or
/// not.
std::vector<std::string> loader_paths(const Cluster& cluster);

/// A GRUB that finds its menu by itself, for 'platform' "i386-pc" or "x86_64-efi", made from the modules in
/// `directory`.
Result<std::string> make_grub_core(const std::string& platform, const std::string& directory);

}  // namespace diskless::server
