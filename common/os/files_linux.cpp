#include "common/os/files_linux.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "common/os/anchors.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/tree_linux.hpp"

namespace diskless {

namespace {

Failure failed(std::string_view call, const std::string& path, int code = errno) {
    return fail_errno(fmt::format("{} {}", call, path), code);
}

FileKind kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFDIR:
            return FileKind::directory;
        case S_IFLNK:
            return FileKind::symlink;
        case S_IFCHR:
            return FileKind::character_device;
        case S_IFBLK:
            return FileKind::block_device;
        case S_IFIFO:
            return FileKind::fifo;
        case S_IFSOCK:
            return FileKind::socket;
        default:
            return FileKind::regular;
    }
}

int open_at(const std::string& path, int flags, mode_t mode = 0) {
    const At at(path);
    return ::openat(at.directory, at.path, flags, mode);
}

int unlink_at(const std::string& path, int flags = 0) {
    const At at(path);
    return ::unlinkat(at.directory, at.path, flags);
}

int chmod_at(const std::string& path, mode_t mode) {
    const At at(path);
    return ::fchmodat(at.directory, at.path, mode, 0);
}

/// Of a directory that was just made: one that somebody has put a symlink in the place of stays as it is.
int chmod_directory_at(const std::string& path, mode_t mode) {
    const Descriptor made(open_at(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return made ? ::fchmod(made.get(), mode) : -1;
}

int mkdir_at(const std::string& path) {
    const At at(path);
    return ::mkdirat(at.directory, at.path, 0700);
}

int stat_at(const std::string& path, struct stat& found, int flags = 0) {
    const At at(path);
    return ::fstatat(at.directory, at.path, &found, flags);
}

int rename_at(const std::string& from, const std::string& to) {
    const At source(from), target(to);
    return ::renameat(source.directory, source.path, target.directory, target.path);
}

}  // namespace

Result<std::string> LinuxFiles::read(const std::string& path, std::size_t limit) const {
    // O_NONBLOCK: a fifo that somebody left in place of a list must not stop us
    const Descriptor file(open_at(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file) return failed("open", path);
    std::string content;
    std::size_t used = 0;
    for (;;) {
        content.resize(std::min(limit, used + 16384) + 1);  // one more than allowed tells "too big"
        const auto got = ::read(file.get(), content.data() + used, content.size() - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed("read", path);
        if (got == 0) break;
        used += static_cast<std::size_t>(got);
        if (used > limit) return failed("read", path, EFBIG);
    }
    content.resize(used);
    return content;
}

Result<std::string> LinuxFiles::read_head(const std::string& path, std::size_t bytes) const {
    const Descriptor file(open_at(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!file) return failed("open", path);
    std::string content(bytes, '\0');
    const auto got = ::pread(file.get(), content.data(), bytes, 0);
    if (got < 0) return failed("read", path);
    content.resize(static_cast<std::size_t>(got));
    return content;
}

Result<> LinuxFiles::write(const std::string& path, std::string_view content) {
    Descriptor file(open_at(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644));
    if (!file) return failed("open", path);
    if (!write_all(file.get(), content.data(), content.size()) || !file.close()) return failed("write", path);
    return {};
}

Result<> LinuxFiles::replace(const std::string& path, std::string_view content, std::uint32_t mode) {
    const auto parent = parent_path(path);
    const auto temporary = join_path(parent, fmt::format(".diskless-{}.tmp", ::getpid()));
    unlink_at(temporary);  // of a process with our number that was killed
    Descriptor file(open_at(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return failed("create", temporary);
    if (!write_all(file.get(), content.data(), content.size()) || ::fchmod(file.get(), mode) != 0 ||
        ::fsync(file.get()) != 0 || !file.close() || rename_at(temporary, path) != 0) {
        const int code = errno;
        unlink_at(temporary);
        return failed("replace", path, code);
    }
    const Descriptor directory(open_at(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) ::fsync(directory.get());  // the new name survives a power cut; some file systems cannot
    return {};
}

bool LinuxFiles::writable(const std::string& path) const {
    const At at(path);
    return ::faccessat(at.directory, at.path, W_OK, 0) == 0;
}

Result<FileStatus> LinuxFiles::status(const std::string& path) const {
    struct stat found {};
    if (stat_at(path, found, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) return failed("stat", path);
    return FileStatus{kind_of(found.st_mode),
                      found.st_mode & 07777,
                      found.st_uid,
                      found.st_gid,
                      static_cast<std::uint64_t>(found.st_size),
                      found.st_dev,
                      found.st_ino,
                      found.st_mtim.tv_sec};
}

Result<std::string> LinuxFiles::read_link(const std::string& path) const {
    std::string target(4096, '\0');
    const At at(path);
    const auto length = ::readlinkat(at.directory, at.path, target.data(), target.size());
    if (length < 0) return failed("readlink", path);
    target.resize(static_cast<std::size_t>(length));
    return target;
}

Result<std::vector<std::string>> LinuxFiles::list(const std::string& path) const {
    Descriptor directory(open_at(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return failed("open directory", path);
    std::vector<std::string> names;
    if (!for_each_name(directory.get(), [&](const char* name, unsigned char) {
            names.emplace_back(name);
            return true;
        }))
        return failed("read directory", path);
    std::sort(names.begin(), names.end());
    return names;
}

Result<> LinuxFiles::make_directories(const std::string& path, std::uint32_t mode) {
    int made = mkdir_at(path);
    if (made != 0 && errno == ENOENT && path.size() > 1 && parent_path(path) != ".") {
        TRY(make_directories(parent_path(path), mode));
        made = mkdir_at(path);
    }
    if (made == 0) {
        if (chmod_directory_at(path, mode) != 0) return failed("chmod", path);  // mkdir(2) applies the umask
        return {};
    }
    // NFS does not look for the name before an exclusive create: on a read-only mount it says EROFS of what exists.
    const int problem = errno;
    if (problem != EEXIST && problem != EROFS) return failed("mkdir", path);
    struct stat found {};
    if (stat_at(path, found) != 0) return failed("mkdir", path, problem);
    if (!S_ISDIR(found.st_mode)) return failed("mkdir", path, ENOTDIR);
    return {};
}

Result<> LinuxFiles::make_symlink(const std::string& target, const std::string& path) {
    const At at(path);
    if (::symlinkat(target.c_str(), at.directory, at.path) != 0) return failed("symlink", path);
    return {};
}

Result<> LinuxFiles::make_device(const std::string& path, FileKind kind, unsigned major_number, unsigned minor_number,
                                 std::uint32_t mode) {
    const mode_t type = kind == FileKind::block_device ? S_IFBLK : kind == FileKind::fifo ? S_IFIFO : S_IFCHR;
    const At at(path);
    if (::mknodat(at.directory, at.path, type | (mode & 07777), makedev(major_number, minor_number)) != 0)
        return failed("mknod", path);
    if (chmod_at(path, mode) != 0) return failed("chmod", path);
    return {};
}

Result<> LinuxFiles::make_file(const std::string& path, std::uint32_t mode) {
    const Descriptor file(open_at(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) {
        if (errno != EEXIST) return failed("create", path);
        struct stat found {};
        if (stat_at(path, found) == 0 && S_ISDIR(found.st_mode)) return failed("create", path, EISDIR);
        return {};
    }
    if (::fchmod(file.get(), mode) != 0) return failed("chmod", path);
    return {};
}

Result<> LinuxFiles::link(const std::string& existing, const std::string& path) {
    const At from(existing), to(path);
    if (::linkat(from.directory, from.path, to.directory, to.path, 0) != 0) return failed("link", path);
    return {};
}

Result<> LinuxFiles::rename(const std::string& from, const std::string& to) {
    if (rename_at(from, to) != 0) return failed(fmt::format("rename {} to", from), to);
    return {};
}

Result<> LinuxFiles::set_mode(const std::string& path, std::uint32_t mode) {
    if (chmod_at(path, mode) != 0) return failed("chmod", path);
    return {};
}

Result<> LinuxFiles::remove(const std::string& path) {
    // unlink(2) says EISDIR for a directory, whatever is in it
    if (unlink_at(path) == 0 || errno == ENOENT) return {};
    if (errno == EISDIR && (unlink_at(path, AT_REMOVEDIR) == 0 || errno == ENOENT)) return {};
    return failed("remove", path);
}

Result<> LinuxFiles::remove_tree(const std::string& path) {
    Descriptor parent(open_at(parent_path(path), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!parent) {
        if (errno == ENOENT) return {};
        return failed("open directory", parent_path(path));
    }
    return remove_tree_at(parent.get(), base_name(path), path);
}

Result<CopyResult> LinuxFiles::copy(const std::string& from, const std::string& to, CopyWhat what, bool cross_mounts) {
    return copy_tree(from, to, what, cross_mounts);
}

}  // namespace diskless
