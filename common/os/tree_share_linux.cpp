#include "common/os/tree_share_linux.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "common/os/content_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/files.hpp"
#include "common/os/tree_linux.hpp"

namespace diskless {

namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool status_at(int directory, const char* name, struct statx& found) {
    return ::statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &found) == 0;
}

std::string read_link_at(int directory, const char* name) {
    char target[4097];
    const auto length = ::readlinkat(directory, name, target, sizeof target);
    return length < 0 ? std::string() : std::string(target, static_cast<std::size_t>(length));
}

/// Names and values of extended attributes, as one text to compare.
std::string attributes_at(int directory, const char* name) {
    // There is no *at() form of these calls; /proc/self/fd keeps to the directory that is open.
    const auto path = fmt::format("/proc/self/fd/{}/{}", directory, name);
    char names[65536];
    const auto length = ::llistxattr(path.c_str(), names, sizeof names);
    std::set<std::string> all;
    for (const char* at = names; length > 0 && at < names + length; at += std::strlen(at) + 1) {
        char value[65536];
        const auto size = ::lgetxattr(path.c_str(), at, value, sizeof value);
        all.insert(std::string(at) + '\0' + std::string(value, size > 0 ? static_cast<std::size_t>(size) : 0));
    }
    std::string text;
    for (const auto& one : all) text += fmt::format("{}:{}", one.size(), one);
    return text;
}

bool same_owner(const struct statx& a, const struct statx& b) {
    return a.stx_mode == b.stx_mode && a.stx_uid == b.stx_uid && a.stx_gid == b.stx_gid;
}

bool same_content(int a_directory, int b_directory, const char* name) {
    const Descriptor a(::openat(a_directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    const Descriptor b(::openat(b_directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!a || !b) return false;
    static thread_local char a_block[1 << 16], b_block[1 << 16];
    for (off_t at = 0;;) {
        const auto a_got = ::pread(a.get(), a_block, sizeof a_block, at);
        if (a_got <= 0) return a_got == 0;
        // The sizes are equal: a short read of the second is a failure or a change.
        for (ssize_t have = 0; have < a_got;) {
            const auto got = ::pread(b.get(), b_block + have, static_cast<std::size_t>(a_got - have), at + have);
            if (got <= 0) return false;
            have += got;
        }
        if (std::memcmp(a_block, b_block, static_cast<std::size_t>(a_got)) != 0) return false;
        at += a_got;
    }
}

class TreeShare {
  public:
    explicit TreeShare(const ShareRequest& request) : request_(request) {}

    Result<> run() {
        const Descriptor from(::open(request_.from.c_str(), kOpenDirectory & ~O_NOFOLLOW));
        if (!from) return fail_errno("open directory " + request_.from);
        if (::mkdir(request_.to.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("mkdir " + request_.to);
        Descriptor to(::open(request_.to.c_str(), kOpenDirectory));
        if (!to) return fail_errno("open directory " + request_.to);
        Descriptor previous;
        if (!request_.previous.empty()) {
            previous = Descriptor(::open(request_.previous.c_str(), kOpenDirectory));
            if (!previous) return fail_errno("open directory " + request_.previous);
        }
        top_ = to.get();
        struct statx status {};
        if (::statx(from.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) != 0)
            return fail_errno("stat " + request_.from);
        matched_.assign(request_.excluded.size(), false);
        TRY(folder(from.get(), previous.get(), to.get(), status, ""));
        for (std::size_t at = 0; at < matched_.size(); ++at)
            if (!matched_[at] && request_.unmatched) request_.unmatched(request_.excluded[at]);
        return {};
    }

  private:
    Result<> folder(int from, int previous, int to, const struct statx& status, const std::string& path);
    Result<> entry(int from, int previous, int to, const char* name, const std::string& path, dev_t above);
    Result<> subfolder(int from, int previous, int to, const char* name, const struct statx& status,
                       const std::string& path, dev_t above);
    Result<> copy(int from, int to, const char* name, const struct statx& status, const std::string& path);
    bool same(int a, const struct statx& a_status, int b, const char* name) const;

    bool is_excluded(const std::string& path) {
        bool found = false;
        for (std::size_t at = 0; at < matched_.size(); ++at) {
            const auto& excluded = request_.excluded[at];
            const bool matches =
                excluded == path || (excluded.find_first_of("*?[") != excluded.npos &&
                                     ::fnmatch(excluded.c_str(), path.c_str(), FNM_PATHNAME) == 0);
            if (matches) found = matched_[at] = true;
        }
        return found;
    }
    std::string shown(const std::string& path) const { return join_path(request_.from, path); }

    const ShareRequest& request_;
    int top_ = -1;
    std::uint64_t entries_ = 0, bytes_ = 0;
    std::vector<bool> matched_;  // by index of what is excluded
    std::map<std::pair<dev_t, ino_t>, std::string> links_;  // first copy of files that have several names
};

bool TreeShare::same(int a, const struct statx& a_status, int b, const char* name) const {
    struct statx status {};
    if (b < 0 || !status_at(b, name, status) || !same_owner(a_status, status)) return false;
    if (S_ISLNK(status.stx_mode)) return read_link_at(a, name) == read_link_at(b, name);
    if (!S_ISREG(status.stx_mode))
        return a_status.stx_rdev_major == status.stx_rdev_major && a_status.stx_rdev_minor == status.stx_rdev_minor;
    return a_status.stx_size == status.stx_size && a_status.stx_mtime.tv_sec == status.stx_mtime.tv_sec &&
           a_status.stx_mtime.tv_nsec == status.stx_mtime.tv_nsec && attributes_at(a, name) == attributes_at(b, name) &&
           (!request_.compare_content || same_content(a, b, name));
}

Result<> TreeShare::folder(int from, int previous, int to, const struct statx& status, const std::string& path) {
    std::set<std::string> wanted;
    const dev_t device = makedev(status.stx_dev_major, status.stx_dev_minor);
    Result<> inside;
    const bool enter = path.empty() || !is_excluded(path);
    const bool read = !enter || for_each_name(from, [&](const char* name, unsigned char) {
        const auto below = path.empty() ? std::string(name) : path + "/" + name;
        wanted.insert(name);
        inside = entry(from, previous, to, name, below, device);
        return inside.has_value();
    });
    if (!inside) return inside;
    if (!read) return fail_errno("read directory " + shown(path));
    // What a run that was killed has left, and the source has no more.
    std::vector<std::string> extra;
    if (!for_each_name(to, [&](const char* name, unsigned char) {
            if (!wanted.contains(name)) extra.emplace_back(name);
            return true;
        }))
        return fail_errno("read copy of directory " + shown(path));
    for (const auto& name : extra) TRY(remove_tree_at(to, name, join_path(request_.to, path) + "/" + name));
    return copy_metadata(from, to, status, shown(path));
}

Result<> TreeShare::subfolder(int from, int previous, int to, const char* name, const struct statx& status,
                              const std::string& path, dev_t above) {
    const Descriptor source(::openat(from, name, kOpenDirectory));
    if (!source) return fail_errno("open directory " + shown(path));
    if (::mkdirat(to, name, 0700) != 0) {
        struct statx found {};
        if (errno != EEXIST || !status_at(to, name, found)) return fail_errno("make copy of directory " + shown(path));
        if (!S_ISDIR(found.stx_mode) && (::unlinkat(to, name, 0) != 0 || ::mkdirat(to, name, 0700) != 0))
            return fail_errno("make copy of directory " + shown(path));
    }
    const Descriptor target(::openat(to, name, kOpenDirectory));
    if (!target) return fail_errno("open copy of directory " + shown(path));
    const bool mounted = makedev(status.stx_dev_major, status.stx_dev_minor) != above ||
                         (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    if (mounted) return copy_metadata(source.get(), target.get(), status, shown(path));
    const Descriptor older(previous < 0 ? -1 : ::openat(previous, name, kOpenDirectory));
    return folder(source.get(), older.get(), target.get(), status, path);
}

Result<> TreeShare::entry(int from, int previous, int to, const char* name, const std::string& path, dev_t above) {
    struct statx status {};
    if (!status_at(from, name, status)) {
        if (errno == ENOENT) return {};  // a running machine's files come and go
        return fail_errno("stat " + shown(path));
    }
    ++entries_;
    if (request_.progress) request_.progress(entries_, bytes_);
    if (S_ISDIR(status.stx_mode)) return subfolder(from, previous, to, name, status, path, above);
    struct statx existing {};
    if (status_at(to, name, existing)) {
        const bool wanted = !S_ISSOCK(status.stx_mode) && !is_excluded(path);
        if (wanted && same(from, status, to, name)) return {};
        TRY(remove_tree_at(to, name, join_path(request_.to, path)));
    }
    if (S_ISSOCK(status.stx_mode) || is_excluded(path)) return {};
    if (same(from, status, previous, name) && ::linkat(previous, name, to, name, 0) == 0) return {};
    return copy(from, to, name, status, path);
}

Result<> TreeShare::copy(int from, int to, const char* name, const struct statx& status, const std::string& path) {
    if (status.stx_nlink > 1) {
        const auto inode = std::pair(makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino);
        const auto [first, is_first] = links_.try_emplace(inode, path);
        if (!is_first && ::linkat(top_, first->second.c_str(), to, name, 0) == 0) return {};
    }
    if (S_ISREG(status.stx_mode)) {
        const Descriptor source(::openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!source) return fail_errno("open " + shown(path));
        Descriptor target(::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!target) return fail_errno("create copy of " + shown(path));
        bytes_ += TRY(copy_content(source.get(), target.get(), status, shown(path)));
        TRY(copy_metadata(source.get(), target.get(), status, shown(path)));
        if (!target.close()) return fail_errno("write copy of " + shown(path));
        return {};
    }
    if (S_ISLNK(status.stx_mode)) {
        if (::symlinkat(read_link_at(from, name).c_str(), to, name) != 0)
            return fail_errno("make copy of symlink " + shown(path));
    } else if (::mknodat(to, name, status.stx_mode, makedev(status.stx_rdev_major, status.stx_rdev_minor)) != 0) {
        return fail_errno("make copy of device " + shown(path), errno, "run as root");
    }
    if (::fchownat(to, name, status.stx_uid, status.stx_gid, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno("give copy of " + shown(path) + " to its owner", errno, "run as root");
    if (!S_ISLNK(status.stx_mode) && ::fchmodat(to, name, status.stx_mode & 07777, 0) != 0)
        return fail_errno("chmod copy of " + shown(path));
    const timespec times[2] = {{status.stx_atime.tv_sec, status.stx_atime.tv_nsec},
                               {status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec}};
    if (::utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno("set times of copy of " + shown(path));
    return {};
}

Result<> count(int previous, int tree, const std::string& shown, std::string_view ignored, ShareCount& result) {
    std::set<std::string> names;
    Result<> inside;
    const auto is_ignored = [&](std::string_view name) { return !ignored.empty() && name.starts_with(ignored); };
    const auto look = [&](const char* name, unsigned char) -> bool {
        if (is_ignored(name)) return true;
        names.insert(name);
        ++result.entries;
        struct statx status {
        }, older{};
        if (!status_at(tree, name, status)) {
            inside = fail_errno("stat " + join_path(shown, name));
            return false;
        }
        const bool has_older = previous >= 0 && status_at(previous, name, older);
        if (!S_ISDIR(status.stx_mode)) {
            if (has_older && older.stx_ino == status.stx_ino) {
                ++result.shared;
            } else {
                ++result.differences;
                if (S_ISREG(status.stx_mode)) result.bytes += status.stx_size;
            }
            return true;
        }
        if (!has_older || !same_owner(status, older)) ++result.differences;
        const Descriptor older_folder(has_older ? ::openat(previous, name, kOpenDirectory) : -1);
        const Descriptor folder(::openat(tree, name, kOpenDirectory));
        if (!folder)
            inside = fail_errno("open directory " + join_path(shown, name));
        else
            inside = count(older_folder.get(), folder.get(), join_path(shown, name), "", result);
        return inside.has_value();
    };
    const bool read = for_each_name(tree, look);
    if (!inside) return inside;
    if (!read) return fail_errno("read directory " + shown);
    if (previous >= 0)
        for_each_name(previous, [&](const char* name, unsigned char) {
            if (!is_ignored(name) && !names.contains(name)) ++result.differences;
            return true;
        });
    return {};
}

}  // namespace

Result<> share_tree(const ShareRequest& request) { return TreeShare(request).run(); }

Result<ShareCount> compare_shared(const std::string& previous, const std::string& tree, std::string_view ignored) {
    const Descriptor older(previous.empty() ? -1 : ::open(previous.c_str(), kOpenDirectory));
    const Descriptor newer(::open(tree.c_str(), kOpenDirectory));
    if (!newer) return fail_errno("open directory " + tree);
    ShareCount result;
    TRY(count(older.get(), newer.get(), tree, ignored, result));
    return result;
}

Result<> sync_file_system(const std::string& path) {
    const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::syncfs(directory.get()) != 0) return fail_errno("sync the file system of " + path);
    return {};
}

}  // namespace diskless
