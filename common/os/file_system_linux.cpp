#include <linux/magic.h>
#include <sys/statfs.h>

#include "common/os/file_system.hpp"

namespace diskless {

namespace {
constexpr long kFuse = 0x65735546;  // not in linux/magic.h before Linux 5.17

bool lacks_identity(long type) {
    return type == TMPFS_MAGIC || type == RAMFS_MAGIC || type == OVERLAYFS_SUPER_MAGIC || type == NFS_SUPER_MAGIC ||
           type == kFuse;
}
}  // namespace

Result<FileSystemStatus> file_system_of(const std::string& path) {
    struct statfs found {};
    if (::statfs(path.c_str(), &found) != 0) return fail_errno("statfs " + path);
    const auto block = static_cast<std::uint64_t>(found.f_frsize ? found.f_frsize : found.f_bsize);
    return FileSystemStatus{found.f_blocks * block, found.f_bavail * block, found.f_files, found.f_ffree,
                            !lacks_identity(found.f_type)};
}

}  // namespace diskless
