#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/os/content_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/file_batch.hpp"
#include "common/os/place_file.hpp"

namespace diskless {

namespace {
std::string shown(const FileInRoot& file) { return join_path(file.root == "/" ? "" : file.root, file.path); }

Result<Descriptor> open_in_root(const FileInRoot& file, struct statx& status) {
    const Descriptor root(::open(file.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return fail_errno("open directory " + file.root);
    open_how how{};
    how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;  // a fifo must not stop us
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    Descriptor opened(static_cast<int>(::syscall(SYS_openat2, root.get(), file.path.c_str(), &how, sizeof how)));
    if (!opened) return fail_errno("open " + shown(file));
    if (::statx(opened.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) != 0)
        return fail_errno("stat " + shown(file));
    return opened;
}

Result<Descriptor> open_regular(const FileInRoot& file, struct statx& status) {
    auto opened = TRY(open_in_root(file, status));
    if (!S_ISREG(status.stx_mode)) return fail(shown(file) + " is no regular file", "", EINVAL);
    return opened;
}

/// By what is open, not by its name: that may be another file's by now.
bool make_link(int from, const std::string& to) {
    const auto name = fmt::format("/proc/self/fd/{}", from);
    return ::linkat(AT_FDCWD, name.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

Result<> make_copy(int from, const struct statx& status, const std::string& to, const std::string& name) {
    Descriptor copy(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!copy) return fail_errno("create " + to);
    if (::ioctl(copy.get(), FICLONE, from) != 0) TRY(copy_content(from, copy.get(), status, name));
    const timespec times[2] = {{0, UTIME_OMIT}, {status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec}};
    if (::fchmod(copy.get(), 0644) != 0 || ::futimens(copy.get(), times) != 0 || ::fsync(copy.get()) != 0 ||
        !copy.close())
        return fail_errno("write " + to, errno, errno == ENOSPC ? "make room on that file system" : "");
    return {};
}

Result<> sync_directory(const std::string& path) {
    const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) return fail_errno("sync directory " + path);
    return {};
}
}  // namespace

Result<FileStatus> status_in_root(const FileInRoot& file) {
    struct statx found {};
    const auto opened = TRY(open_in_root(file, found));
    FileStatus status;
    status.kind = S_ISREG(found.stx_mode)   ? FileKind::regular
                  : S_ISDIR(found.stx_mode) ? FileKind::directory
                                            : FileKind::fifo;
    status.mode = found.stx_mode & 07777;
    status.uid = found.stx_uid;
    status.gid = found.stx_gid;
    status.size = found.stx_size;
    status.inode = found.stx_ino;
    status.modified = found.stx_mtime.tv_sec;
    return status;
}

Result<std::string> read_start_in_root(const FileInRoot& file, std::size_t limit) {
    struct statx found {};
    const auto opened = TRY(open_regular(file, found));
    std::string content(limit, '\0');
    std::size_t used = 0;
    while (used < limit) {
        const auto got = ::read(opened.get(), content.data() + used, limit - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("read " + shown(file));
        if (got == 0) break;
        used += static_cast<std::size_t>(got);
    }
    content.resize(used);
    return content;
}

Result<Placed> place_file(const FileInRoot& from, const std::string& to, bool may_link) {
    struct statx status {};
    const auto opened = TRY(open_regular(from, status));
    const auto temporary = FileBatch::staging_path(to);
    ::unlink(temporary.c_str());  // of a process that was killed
    const bool readable = (status.stx_mode & 0444) == 0444 && (status.stx_mode & 06022) == 0;
    const bool linked = may_link && readable && make_link(opened.get(), temporary);
    auto done = linked ? Result<>() : make_copy(opened.get(), status, temporary, shown(from));
    if (done && ::rename(temporary.c_str(), to.c_str()) != 0) done = fail_errno("rename to " + to);
    ::unlink(temporary.c_str());  // rename(2) does nothing between two names of one file
    if (!done) return within("place " + to, done.error());
    TRY(sync_directory(parent_path(to)));
    return linked ? Placed::linked : Placed::copied;
}

}  // namespace diskless
