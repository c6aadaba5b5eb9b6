// The part of a snapshot that all nodes of an image have in common.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/os/files.hpp"
#include "common/state/state_plan.hpp"
#include "server-helper/snapshot/tree_template.hpp"

namespace diskless::server {

/// What of the image is copied into a snapshot before the node's first boot; that copies the rest itself.
enum class SeedWhat {
    cheap,       // entries that the file system can clone, and those of at most kSmallEntry bytes
    everything,  // also where each byte is to be copied
    nothing,
};
constexpr std::uint64_t kSmallEntry = 256 * 1024;  // bytes of all files of one entry

struct ImagePart {
    StatePlan plan;                        // against an empty snapshot
    TreeTemplate content;                  // what is copied
    std::set<std::string> left;            // "/var/cache": entries that the node's first boot copies
    std::set<std::string> scaffold;        // "/var": directories that are no copies yet (snapshot_files.hpp)
    std::vector<std::string> shared_keys;  // "etc/ssh/ssh_host_rsa_key": the image's, which no node may have
    bool has_ssh = false;
};

/// Files whose content is the node's alone: names as the node's own boot makes them, content empty.
std::vector<GeneratedFile> identity_names(const std::vector<std::string>& names_in_etc_ssh);

/// Plans and seeds into `work`, an empty directory that nobody else can write to. `root_mode`: "ro", "rw", "overlay".
Result<ImagePart> make_image_part(const std::string& root, std::string_view root_mode, const std::string& location,
                                  const std::string& node, const std::string& work, SeedWhat what, Files& files);

/// The persistent entry of the plan that shows this path ("/etc/hosts") of the snapshot on the node; null: none does.
const StateEntry* shown_by(const StatePlan& plan, const std::string& path);

/// Is it to be copied beforehand? `clones`: files of the image share their blocks with copies in the snapshots.
bool is_seeded_beforehand(const StateEntry& entry, SeedWhat what, bool clones);

/// Do copies of files of `root` in `directory` share their blocks (FICLONE, ioctl_ficlonerange(2))? A root without any
/// file has nothing to copy: true.
bool can_clone(const std::string& root, const std::string& directory);

}  // namespace diskless::server
