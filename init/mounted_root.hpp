// A root that was mounted before this program began: by the kernel (CONFIG_ROOT_NFS) or by another initramfs.
#pragma once

#include <vector>

#include "common/nfs/version.hpp"
#include "common/os/os.hpp"

namespace diskless {

/// What is mounted at kNewRoot.
struct MountedRoot {
    Ipv4 server;
    std::string path;
    NfsVersion version = NfsVersion::automatic;
    std::string options;
    bool writable = false;
};
Result<MountedRoot> mounted_root(Os& os);

/// PID 1 on a root of its own that is no RAM: makes a file system in RAM its root, shows the old one at kNewRoot, moves
/// the kernel's file systems along, and executes this program there. From then on everything is as in an initramfs
/// whose root is mounted already, and no page of this program is on NFS. Does nothing in an initramfs. Returns when
/// there was nothing to do (true: a root is mounted at kNewRoot), or with what failed.
Result<bool> step_into_ram(Os& os, const std::vector<std::string>& arguments,
                           const std::vector<std::string>& environment);

}  // namespace diskless
