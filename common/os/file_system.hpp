// What the file system that holds a path is.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.hpp"

namespace diskless {

struct FileSystemStatus {
    std::uint64_t size = 0, free = 0;           // bytes; free for those who are not root
    std::uint64_t inodes = 0, free_inodes = 0;  // 0 and 0: the file system does not count them
    /// May the kernel's NFS server tell it from others by itself (a UUID or a device number that lasts)? tmpfs,
    /// overlayfs and FUSE need fsid= in exports(5).
    bool has_identity = true;
};

Result<FileSystemStatus> file_system_of(const std::string& path);

}  // namespace diskless
