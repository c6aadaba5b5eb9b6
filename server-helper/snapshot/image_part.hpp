// The part of a snapshot that all nodes of an image have in common.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/os/files.hpp"
#include "common/state/state_plan.hpp"
#include "server-helper/snapshot/tree_template.hpp"

namespace diskless::server {

struct ImagePart {
    StatePlan plan;                        // against an empty snapshot
    TreeTemplate content;                  // what the node would seed
    std::set<std::string> scaffold;        // "/var": directories that are no copies yet (path_order.hpp)
    std::vector<std::string> shared_keys;  // "etc/ssh/ssh_host_rsa_key": the image's, which no node may have
    bool has_ssh = false;
};

/// Files whose content is the node's alone: names as the node's own boot makes them, content empty.
std::vector<GeneratedFile> identity_names(const std::vector<std::string>& names_in_etc_ssh);

/// Plans and seeds into `work`, an empty directory that nobody else can write to. `lazy`: plans only.
Result<ImagePart> make_image_part(const std::string& root, const std::string& location, const std::string& node,
                                  const std::string& work, bool lazy, Files& files);

/// Does a persistent entry of the plan show this path ("/etc/hosts") of the snapshot on the node?
bool is_shown(const StatePlan& plan, const std::string& path);

}  // namespace diskless::server
