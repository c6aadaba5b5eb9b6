// Kernels, initramfs and first programs brought below <base>/boot, where menus and DHCP answers name them.
//
// plan_kernels() and plan_loaders() tell what is wanted and what it is made from; stage_files() carries it out. What
// was staged is recorded in <base>/boot/.staged: only what that names is replaced or removed, so that files which the
// administrator has put there himself stay.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/place_file.hpp"
#include "initramfs/builder.hpp"
#include "server-helper/render/rendered.hpp"

namespace diskless::server {

struct BootFile {
    std::string path;                           // below <base>/boot: "tftp/debian/7/vmlinuz"
    std::string fingerprint;                    // changes when anything changes that the file is made from
    FileInRoot source;                          // of what is copied
    bool may_link = false;                      // the source is never changed in place
    std::function<Result<std::string>()> make;  // the content of what is made; then `source` is unused
    std::string slow;                           // "the initramfs of debian/7": for progress; empty: quick
};

/// A file that menus or DHCP answers name and that cannot be staged.
struct LackingFile {
    std::string path;           // below <base>/boot
    std::string cause, remedy;  // "debian/7 has no kernel in /boot"
};

/// Must stay where it is until its files are staged: what is built adds its warnings to it.
struct StagePlan {
    std::vector<BootFile> files;
    std::vector<LackingFile> lacking;
    std::vector<std::string> warnings;
};

/// The kernel and the initramfs of every generation that a node boots. `build` has the program and the options of all
/// initramfs; kernel and root are filled in. What a generation has not is taken from boot/tftp/<image>/vmlinuz and
/// initrd.img, where the administrator may have put them.
void plan_kernels(const Site& site, const BuildRequest& build, StagePlan& plan);

/// The first programs that the wanted DHCP dialects and boot loaders name, from the packages of a machine whose root is
/// `host`. For 32-bit UEFI and foreign processors nothing is lacking when it is not there.
Result<> plan_loaders(const Cluster& cluster, const std::string& host, StagePlan& plan);

struct StageOptions {
    bool dry_run = false;
    bool force = false;                                    // replace files that were not staged
    std::function<void(const std::string& what)> working;  // before what takes seconds; may be empty
};

struct Staged {
    std::vector<std::string> made;  // whole paths: copied, linked or built
    std::size_t unchanged = 0;
    std::vector<LackingFile> lacking;  // of which nothing is there yet
};

/// Brings the files there, each old or new, never half. The caller holds the tree's lock.
Result<Staged> stage_files(const std::string& boot, const StagePlan& plan, const StageOptions& options);

/// Removes staged files that no node boots and whose generation is gone, and programs that are no longer wanted. Files
/// of generations that are still there stay: a node that is booting right now may ask for them, and going back to a
/// generation is quick. Whole paths of what was, or would be, removed.
Result<std::vector<std::string>> remove_unused_boot_files(const Site& site, bool dry_run);

/// Short text that differs when the file (or its absence) does: size and time of change.
std::string file_fingerprint(const FileInRoot& file);

}  // namespace diskless::server
