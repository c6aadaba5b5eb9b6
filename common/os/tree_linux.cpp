#include "common/os/tree_linux.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <utility>

#include "common/os/confined_files_linux.hpp"
#include "common/os/content_linux.hpp"
#include "common/os/descriptor.hpp"

namespace diskless {

namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool status_at(int directory, const char* name, int flags, struct statx& found) {
    return ::statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | flags, STATX_BASIC_STATS, &found) == 0;
}

dev_t device_of(const struct statx& status) { return makedev(status.stx_dev_major, status.stx_dev_minor); }

/// Does another mount begin here? The kernel tells since 5.8, and so even for binds within one file system.
bool starts_mount(const struct statx& status, dev_t above) {
    return device_of(status) != above || (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

class TreeCopy {
  public:
    TreeCopy(CopyWhat what, bool cross_mounts) : what_(what), cross_mounts_(cross_mounts) {}

    /// `relative`: path of the target below `top`, for hard links.
    Result<> entry(int from, const char* from_name, int to, const char* to_name, const std::string& shown,
                   const std::string& relative, const dev_t* above);

    CopyResult result;
    int top = -1;  // directory that `relative` paths start from

  private:
    Result<> file(int from, const char* from_name, int to, const char* to_name, const struct statx& status,
                  const std::string& shown);
    Result<> folder(int from, const char* from_name, int to, const char* to_name, const struct statx& status,
                    const std::string& shown, const std::string& relative, bool enter);
    Result<> node(int from, const char* from_name, int to, const char* to_name, const struct statx& status,
                  const std::string& shown);
    bool link_to_first(const std::string& first, int to, const char* to_name) const;

    const CopyWhat what_;
    const bool cross_mounts_;
    std::map<std::pair<dev_t, ino_t>, std::string> links_;  // first copy of every file with several names
};

Result<> TreeCopy::entry(int from, const char* from_name, int to, const char* to_name, const std::string& shown,
                         const std::string& relative, const dev_t* above) {
    struct statx status {};
    if (!status_at(from, from_name, 0, status)) return fail_errno("stat " + shown);
    if (S_ISDIR(status.stx_mode)) {
        const bool enter =
            what_ != CopyWhat::node && (above == nullptr || cross_mounts_ || !starts_mount(status, *above));
        return folder(from, from_name, to, to_name, status, shown, relative, enter);
    }
    if (above != nullptr && what_ == CopyWhat::directories) return {};
    if (status.stx_nlink > 1) {
        const auto [first, is_first] = links_.try_emplace({device_of(status), status.stx_ino}, relative);
        if (!is_first && link_to_first(first->second, to, to_name)) return {};
    }
    if (S_ISREG(status.stx_mode)) return file(from, from_name, to, to_name, status, shown);
    return node(from, from_name, to, to_name, status, shown);
}

/// The way to the first copy is walked without following symlinks: somebody else may write there.
bool TreeCopy::link_to_first(const std::string& first, int to, const char* to_name) const {
    const auto above = parent_path(first);
    const Descriptor parent(open_beneath(top, above.empty() ? "." : above, O_PATH | O_DIRECTORY));
    return parent && ::linkat(parent.get(), base_name(first).c_str(), to, to_name, 0) == 0;
}

Result<> TreeCopy::file(int from, const char* from_name, int to, const char* to_name, const struct statx& status,
                        const std::string& shown) {
    const Descriptor source(::openat(from, from_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!source) return fail_errno("open " + shown);
    Descriptor target(::openat(to, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!target) return fail_errno("create copy of " + shown);
    result.bytes += TRY(copy_content(source.get(), target.get(), status, shown));
    TRY(copy_metadata(source.get(), target.get(), status, shown));
    if (!target.close()) return fail_errno("close copy of " + shown);
    ++result.files;
    return {};
}

Result<> TreeCopy::folder(int from, const char* from_name, int to, const char* to_name, const struct statx& status,
                          const std::string& shown, const std::string& relative, bool enter) {
    const Descriptor source(::openat(from, from_name, kOpenDirectory));
    if (!source) return fail_errno("open directory " + shown);
    if (::mkdirat(to, to_name, 0700) == 0)
        ++result.files;
    else if (errno != EEXIST)
        return fail_errno("make copy of directory " + shown);
    const Descriptor target(::openat(to, to_name, kOpenDirectory));
    if (!target) return fail_errno("open copy of directory " + shown, errno == ENOTDIR ? EEXIST : errno);
    if (enter) {
        const dev_t device = device_of(status);
        Result<> inside;
        const bool read = for_each_name(source.get(), [&](const char* name, unsigned char type) {
            // the directory says what is a file: no round trip for what is not copied
            if (what_ == CopyWhat::directories && type != DT_DIR && type != DT_UNKNOWN) return true;
            inside =
                entry(source.get(), name, target.get(), name, join_path(shown, name), relative + "/" + name, &device);
            return inside.has_value();
        });
        if (!inside) return inside;
        if (!read) return fail_errno("read directory " + shown);
    }
    return copy_metadata(source.get(), target.get(), status, shown);
}

Result<> TreeCopy::node(int from, const char* from_name, int to, const char* to_name, const struct statx& status,
                        const std::string& shown) {
    if (S_ISLNK(status.stx_mode)) {
        char target[4097];
        const auto length = ::readlinkat(from, from_name, target, sizeof target - 1);
        if (length < 0) return fail_errno("readlink " + shown);
        target[length] = '\0';
        if (::symlinkat(target, to, to_name) != 0) return fail_errno("make copy of symlink " + shown);
    } else if (::mknodat(to, to_name, status.stx_mode, makedev(status.stx_rdev_major, status.stx_rdev_minor)) != 0) {
        return fail_errno("make copy of device " + shown);
    }
    struct statx made {};
    if (!status_at(to, to_name, 0, made)) return fail_errno("stat copy of " + shown);
    if ((made.stx_uid != status.stx_uid || made.stx_gid != status.stx_gid) &&
        ::fchownat(to, to_name, status.stx_uid, status.stx_gid, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno("give copy of " + shown + " to its owner", errno, owner_remedy());
    if (!S_ISLNK(status.stx_mode) && ::fchmodat(to, to_name, status.stx_mode & 07777, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno("set mode of copy of " + shown);
    const timespec times[2] = {{status.stx_atime.tv_sec, status.stx_atime.tv_nsec},
                               {status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec}};
    if (::utimensat(to, to_name, times, AT_SYMLINK_NOFOLLOW) != 0) return fail_errno("set times of copy of " + shown);
    ++result.files;
    return {};
}

constexpr int kDeep = 64;  // levels that are walked at once: each costs two descriptors and a piece of the stack

/// Removes what is in a tree. What lies deeper than kDeep is moved to its top, and removed from there.
class TreeRemoval {
  public:
    TreeRemoval(int top, dev_t device) : top_(top), device_(device) {}

    Result<> run(const std::string& shown) {
        do {
            moved_ = false;
            TRY(beneath(top_, shown, 0));
        } while (moved_);
        return {};
    }

  private:
    Result<> beneath(int directory, const std::string& shown, int level);
    Result<> folder(int directory, const char* name, const std::string& path, int level);

    int top_;
    dev_t device_;
    bool moved_ = false;
    unsigned next_ = 0;
};

Result<> TreeRemoval::folder(int directory, const char* name, const std::string& path, int level) {
    if (level == kDeep) {
        // A name that is taken belongs to an attempt that was killed.
        for (int tries = 0; tries < 1000; ++tries) {
            const auto higher = fmt::format(".deep-{}", next_++);
            if (::renameat(directory, name, top_, higher.c_str()) != 0) {
                if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR) continue;
                return fail_errno("move " + path);
            }
            moved_ = true;
            return {};
        }
        return fail_errno("move " + path, EEXIST);
    }
    {
        const Descriptor opened(::openat(directory, name, kOpenDirectory));
        if (!opened) return fail_errno("open directory " + path);
        TRY(beneath(opened.get(), path, level + 1));
    }
    if (::unlinkat(directory, name, AT_REMOVEDIR) != 0) return fail_errno("remove " + path);
    return {};
}

Result<> TreeRemoval::beneath(int directory, const std::string& shown, int level) {
    Result<> inside;
    const bool read = for_each_name(directory, [&](const char* name, unsigned char) {
        if (::unlinkat(directory, name, 0) == 0) return true;
        const auto path = join_path(shown, name);
        const int code = errno;
        struct statx status {};
        if (code != EISDIR || !status_at(directory, name, 0, status)) {
            inside = fail_errno("remove " + path, code);
        } else if (starts_mount(status, device_)) {
            inside = fail_errno("remove " + path + ", something is mounted there", EBUSY, "unmount it");
        } else {
            inside = folder(directory, name, path, level);
        }
        return inside.has_value();
    });
    if (!inside) return inside;
    if (!read) return fail_errno("read directory " + shown);
    return {};
}

}  // namespace

bool for_each_name(int directory, const std::function<bool(const char*, unsigned char)>& call) {
    // closedir(3) closes what it is given. Not opened once more by ".": NFS asks the server at each open.
    const int own = ::fcntl(directory, F_DUPFD_CLOEXEC, 0);
    if (own < 0) return false;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own), ::closedir);
    if (!stream) {
        ::close(own);
        return false;
    }
    ::rewinddir(stream.get());  // the position is the given descriptor's
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr) return errno == 0;
        const std::string_view name(entry->d_name);
        if (name == "." || name == "..") continue;
        if (!call(entry->d_name, entry->d_type)) return true;
    }
}

Result<CopyResult> copy_tree(const std::string& from, const std::string& to, CopyWhat what, bool cross_mounts) {
    const Descriptor target(::open(parent_path(to).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!target) return fail_errno("open directory " + parent_path(to));
    TreeCopy copy(what, cross_mounts);
    copy.top = target.get();
    const auto name = base_name(to);
    TRY(copy.entry(AT_FDCWD, from.c_str(), target.get(), name.c_str(), from, name, nullptr));
    return copy.result;
}

Result<> remove_tree_at(int directory, const std::string& name, const std::string& shown) {
    if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR) return fail_errno("remove " + shown);
    const Descriptor tree(::openat(directory, name.c_str(), kOpenDirectory));
    if (!tree) return fail_errno("open directory " + shown);
    struct statx status {};
    if (!status_at(tree.get(), "", AT_EMPTY_PATH, status)) return fail_errno("stat " + shown);
    if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
        return fail_errno("remove " + shown + ", something is mounted there", EBUSY, "unmount it");
    TRY(TreeRemoval(tree.get(), device_of(status)).run(shown));
    if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0) return fail_errno("remove " + shown);
    return {};
}

}  // namespace diskless
