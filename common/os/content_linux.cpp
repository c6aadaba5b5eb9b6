#include "common/os/content_linux.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/magic.h>
#include <sys/sendfile.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace diskless {

namespace {

/// The way of copying cannot do this pair of files; another one can.
bool unsupported(int code) {
    return code == EXDEV || code == EINVAL || code == ENOSYS || code == EOPNOTSUPP || code == EBADF || code == EPERM ||
           code == ETXTBSY;
}

/// copy_file_range(2): between two NFSv4.2 mounts of one server the content never crosses the network. Stops at end of
/// file or where it is not supported; 0 at both ends leaves the rest to the next way.
bool by_copy_file_range(int from, int to, std::uint64_t& copied) {
    for (;;) {
        const auto done = ::copy_file_range(from, nullptr, to, nullptr, std::size_t{1} << 30, 0);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return unsupported(errno);
        if (done == 0) return true;
        copied += static_cast<std::uint64_t>(done);
    }
}

bool by_sendfile(int from, int to, std::uint64_t& copied) {
    for (;;) {
        const auto done = ::sendfile(to, from, nullptr, std::size_t{1} << 30);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return unsupported(errno);
        if (done == 0) return true;
        copied += static_cast<std::uint64_t>(done);
    }
}

/// Reads and writes, leaving out blocks of zeros: /var/log/lastlog is gigabytes of nothing.
bool by_reading(int from, int to, off_t begin, off_t end, std::uint64_t& copied) {
    constexpr std::size_t kBlock = 65536;
    std::vector<char> buffer(kBlock);
    off_t at = begin;
    while (at < end) {
        const auto wanted = std::min<off_t>(kBlock, end - at);
        const auto got = ::pread(from, buffer.data(), static_cast<std::size_t>(wanted), at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (got == 0) return true;  // it shrank
        if (std::any_of(buffer.begin(), buffer.begin() + got, [](char c) { return c != 0; })) {
            for (ssize_t put = 0; put < got;) {
                const auto done = ::pwrite(to, buffer.data() + put, static_cast<std::size_t>(got - put), at + put);
                if (done < 0 && errno == EINTR) continue;
                if (done < 0) return false;
                put += done;
            }
            copied += static_cast<std::uint64_t>(got);
        }
        at += got;
    }
    return true;
}

bool by_segments(int from, int to, off_t size, std::uint64_t& copied) {
    for (off_t at = 0; at < size;) {
        off_t data = ::lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;  // nothing but a hole follows
        if (data < 0) data = at;                // not known here: take all for data
        off_t hole = ::lseek(from, data, SEEK_HOLE);
        if (hole <= data) hole = size;
        if (!by_reading(from, to, data, hole, copied)) return false;
        at = hole;
    }
    return ::ftruncate(to, size) == 0;
}

/// Fewer blocks than its size takes. The initramfs counts no blocks and has no holes (ramfs).
bool may_have_holes(int from, const struct statx& status) {
    struct statfs system {};
    return status.stx_blocks * 512 < status.stx_size && (::fstatfs(from, &system) != 0 || system.f_type != RAMFS_MAGIC);
}

bool copy_attribute(int from, int to, const char* name) {
    std::vector<char> value(256);
    ssize_t size = ::fgetxattr(from, name, value.data(), value.size());
    if (size < 0 && errno == ERANGE) {
        value.resize(65536);  // XATTR_SIZE_MAX
        size = ::fgetxattr(from, name, value.data(), value.size());
    }
    if (size < 0) return errno == ENODATA || errno == ENOTSUP || errno == EPERM || errno == EACCES;
    if (::fsetxattr(to, name, value.data(), static_cast<std::size_t>(size), 0) == 0) return true;
    const std::string_view which(name);
    const bool privileged = which.starts_with("security.") || which.starts_with("trusted.");
    return errno == ENOTSUP || (privileged && (errno == EPERM || errno == EINVAL));
}

bool copy_attributes(int from, int to) {
    std::vector<char> names(1024);
    ssize_t size = ::flistxattr(from, names.data(), names.size());
    if (size < 0 && errno == ERANGE) {
        names.resize(65536);  // XATTR_LIST_MAX
        size = ::flistxattr(from, names.data(), names.size());
    }
    if (size < 0) return errno == ENOTSUP || errno == EPERM || errno == EACCES || errno == EBADF;
    for (const char* name = names.data(); name < names.data() + size; name += std::string_view(name).size() + 1) {
        // the NFS client shows the server's ACL as an attribute; the mode says what matters of it
        if (std::string_view(name).starts_with("system.nfs4_")) continue;
        if (!copy_attribute(from, to, name)) return false;
    }
    return true;
}

}  // namespace

Result<std::uint64_t> copy_content(int from, int to, const struct statx& status, const std::string& shown) {
    std::uint64_t copied = 0;
    const auto size = static_cast<off_t>(status.stx_size);
    bool done = false;
    if (may_have_holes(from, status)) {
        done = by_segments(from, to, size, copied);
    } else {
        // every way goes on where the one before it stopped; the last one takes files that change or claim no size
        done = by_copy_file_range(from, to, copied) && by_sendfile(from, to, copied);
        while (done) {
            char buffer[16384];
            const auto got = ::read(from, buffer, sizeof buffer);
            if (got == 0) break;
            done = got > 0 && ::write(to, buffer, static_cast<std::size_t>(got)) == got;
            if (done) copied += static_cast<std::uint64_t>(got);
        }
    }
    if (!done) return fail_errno(fmt::format("copy content of {}", shown));
    return copied;
}

std::string owner_remedy() { return ::geteuid() == 0 ? "export the snapshot with no_root_squash" : "run it as root"; }

Result<> copy_metadata(int from, int to, const struct statx& status, const std::string& shown) {
    struct stat now {};
    if (::fstat(to, &now) != 0) return fail_errno("stat copy of " + shown);
    if ((now.st_uid != status.stx_uid || now.st_gid != status.stx_gid) &&
        ::fchown(to, status.stx_uid, status.stx_gid) != 0)
        return fail_errno(fmt::format("give copy of {} to owner {}:{}", shown, status.stx_uid, status.stx_gid), errno,
                          owner_remedy());
    if (::fchmod(to, status.stx_mode & 07777) != 0) return fail_errno("set mode of copy of " + shown);
    if (!copy_attributes(from, to)) return fail_errno("copy extended attributes of " + shown);
    const timespec times[2] = {{status.stx_atime.tv_sec, status.stx_atime.tv_nsec},
                               {status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec}};
    if (::futimens(to, times) != 0) return fail_errno("set times of copy of " + shown);
    return {};
}

}  // namespace diskless
