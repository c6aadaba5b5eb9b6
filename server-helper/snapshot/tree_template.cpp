#include "server-helper/snapshot/tree_template.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/os/content_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/files.hpp"
#include "common/os/tree_linux.hpp"

namespace diskless::server {

namespace {

constexpr std::uint64_t kKeptInMemory = 64 * 1024;  // bytes of a file; a larger one is cloned from the disk

bool write_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

std::vector<std::pair<std::string, std::string>> attributes_of(int fd) {
    std::vector<std::pair<std::string, std::string>> found;
    std::string names(65536, '\0');  // XATTR_LIST_MAX
    const auto size = ::flistxattr(fd, names.data(), names.size());
    for (const auto name :
         split(std::string_view(names).substr(0, size > 0 ? static_cast<std::size_t>(size) : 0), '\0')) {
        if (name.empty()) continue;
        std::string value(65536, '\0');  // XATTR_SIZE_MAX
        const auto length = ::fgetxattr(fd, std::string(name).c_str(), value.data(), value.size());
        if (length < 0) continue;
        value.resize(static_cast<std::size_t>(length));
        found.emplace_back(name, value);
    }
    return found;
}

struct Reader {
    std::vector<TreeTemplate::Entry>& entries;
    std::map<std::pair<dev_t, ino_t>, std::string> names;  // first name of a file with several

    Result<> add(int directory, const std::string& name, const std::string& path);
};

Result<> Reader::add(int directory, const std::string& name, const std::string& path) {
    struct stat found {};
    if (::fstatat(directory, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return fail_errno("stat " + path);
    TreeTemplate::Entry entry{.path = path,
                              .mode = found.st_mode,
                              .uid = found.st_uid,
                              .gid = found.st_gid,
                              .seconds = found.st_mtim.tv_sec,
                              .nanoseconds = found.st_mtim.tv_nsec,
                              .device = found.st_rdev,
                              .size = static_cast<std::uint64_t>(found.st_size),
                              .content = {},
                              .link = {},
                              .attributes = {}};
    if (!S_ISDIR(found.st_mode) && found.st_nlink > 1) {
        const auto [first, is_first] = names.try_emplace({found.st_dev, found.st_ino}, path);
        if (!is_first) entry.link = first->second;
    }
    if (S_ISLNK(found.st_mode)) {
        entry.content.resize(4096);
        const auto length = ::readlinkat(directory, name.c_str(), entry.content.data(), entry.content.size());
        if (length < 0) return fail_errno("readlink " + path);
        entry.content.resize(static_cast<std::size_t>(length));
    }
    if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)) {
        entries.push_back(std::move(entry));
        return {};
    }
    const Descriptor file(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) return fail_errno("open " + path);
    entry.attributes = attributes_of(file.get());
    if (S_ISREG(found.st_mode)) {
        if (entry.size <= kKeptInMemory && entry.link.empty()) {
            entry.content.resize(entry.size);
            const auto got = ::pread(file.get(), entry.content.data(), entry.size, 0);
            if (got != static_cast<ssize_t>(entry.size)) return fail_errno("read " + path, got < 0 ? errno : EIO);
        }
        entries.push_back(std::move(entry));
        return {};
    }
    entries.push_back(std::move(entry));
    std::vector<std::string> children;
    if (!for_each_name(file.get(), [&](const char* child, unsigned char) {
            children.emplace_back(child);
            return true;
        }))
        return fail_errno("read directory " + path);
    std::sort(children.begin(), children.end());
    for (const auto& child : children) TRY(add(file.get(), child, path.empty() ? child : path + "/" + child));
    return {};
}

/// Owner before mode, which chown(2) strips of its set-id bits; times last.
Result<> set_metadata(int fd, const TreeTemplate::Entry& entry) {
    if ((entry.uid != 0 || entry.gid != 0 || ::geteuid() != 0) && ::fchown(fd, entry.uid, entry.gid) != 0)
        return fail_errno("set owner of " + entry.path);
    if (::fchmod(fd, entry.mode & 07777) != 0) return fail_errno("set mode of " + entry.path);
    for (const auto& [name, value] : entry.attributes)
        if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0 && errno != ENOTSUP && errno != EPERM)
            return fail_errno("set attribute " + name + " of " + entry.path);
    const timespec times[2] = {{0, UTIME_OMIT}, {entry.seconds, entry.nanoseconds}};
    if (::futimens(fd, times) != 0) return fail_errno("set times of " + entry.path);
    return {};
}

class Writer {
  public:
    Writer(const std::string& source, int top) : source_(source), top_(top) {}

    Result<> make(const TreeTemplate::Entry& entry);
    Result<> make_own(const std::string& path, const OwnFile& file);
    std::uint64_t bytes = 0;

  private:
    Result<> make_file(const TreeTemplate::Entry& entry);
    Result<> content(const TreeTemplate::Entry& entry, int target);

    const std::string& source_;
    const int top_;
};

Result<> Writer::content(const TreeTemplate::Entry& entry, int target) {
    bytes += entry.size;
    if (entry.size <= kKeptInMemory) {
        if (!write_whole(target, entry.content)) return fail_errno("write " + entry.path);
        return {};
    }
    const Descriptor source(::open(join_path(source_, entry.path).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!source) return fail_errno("open " + join_path(source_, entry.path));
    if (::ioctl(target, FICLONE, source.get()) == 0) return {};
    struct statx status {};
    if (::statx(source.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) != 0)
        return fail_errno("stat " + entry.path);
    TRY(copy_content(source.get(), target, status, entry.path));
    return {};
}

Result<> Writer::make_file(const TreeTemplate::Entry& entry) {
    Descriptor file(::openat(top_, entry.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return fail_errno("create " + entry.path);
    TRY(content(entry, file.get()));
    TRY(set_metadata(file.get(), entry));
    if (!file.close()) return fail_errno("close " + entry.path);
    return {};
}

Result<> Writer::make(const TreeTemplate::Entry& entry) {
    const auto* path = entry.path.c_str();
    if (!entry.link.empty() && ::linkat(top_, entry.link.c_str(), top_, path, 0) == 0) return {};
    if (S_ISDIR(entry.mode)) {
        if (::mkdirat(top_, path, 0700) != 0) return fail_errno("make directory " + entry.path);
        return {};  // its metadata when all in it is there
    }
    if (S_ISREG(entry.mode)) return make_file(entry);
    if (S_ISLNK(entry.mode)) {
        if (::symlinkat(entry.content.c_str(), top_, path) != 0) return fail_errno("make symlink " + entry.path);
    } else if (::mknodat(top_, path, entry.mode, entry.device) != 0) {
        return fail_errno("make special file " + entry.path);
    }
    if (::fchownat(top_, path, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno("set owner of " + entry.path);
    if (!S_ISLNK(entry.mode) && ::fchmodat(top_, path, entry.mode & 07777, 0) != 0)
        return fail_errno("set mode of " + entry.path);
    return {};
}

Result<> Writer::make_own(const std::string& path, const OwnFile& own) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        const auto above = path.substr(0, slash);
        if (::mkdirat(top_, above.c_str(), 0755) == 0) {
            if (::fchmodat(top_, above.c_str(), 0755, 0) != 0) return fail_errno("set mode of " + above);
        } else if (errno != EEXIST) {
            return fail_errno("make directory " + above);
        }
    }
    const TreeTemplate::Entry entry{.path = path, .mode = own.mode};
    Descriptor file(::openat(top_, path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return fail_errno("create " + path);
    if (!write_whole(file.get(), own.content)) return fail_errno("write " + path);
    if ((own.uid != 0 || own.gid != 0) && ::fchown(file.get(), own.uid, own.gid) != 0)
        return fail_errno("set owner of " + path);
    if (::fchmod(file.get(), own.mode & 07777) != 0) return fail_errno("set mode of " + path);
    if (!file.close()) return fail_errno("close " + path);
    bytes += own.content.size();
    return {};
}

}  // namespace

Result<TreeTemplate> TreeTemplate::read(const std::string& top) {
    TreeTemplate made;
    made.top_ = top;
    Reader reader{made.entries_, {}};
    TRY_TO("read " + top, reader.add(AT_FDCWD, top, ""));
    for (std::size_t i = 0; i < made.entries_.size(); ++i) made.index_.emplace(made.entries_[i].path, i);
    return made;
}

Result<std::uint64_t> TreeTemplate::write_to(int directory, const std::string& name, const OwnFiles& own) const {
    if (::mkdirat(directory, name.c_str(), 0700) != 0) return fail_errno("make directory " + name);
    const Descriptor top(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!top) return fail_errno("open directory " + name);
    Writer writer(top_, top.get());
    for (const auto& entry : entries_) {
        if (entry.path.empty() || own.contains(entry.path)) continue;
        // the first name of the file may be the node's own: this name then needs its content from the disk
        if (!entry.link.empty() && own.contains(entry.link))
            return fail(printable(entry.link) + " is another name of " + printable(entry.path),
                        "copy it in the image instead of linking it");
        TRY(writer.make(entry));
    }
    for (const auto& [path, file] : own) TRY(writer.make_own(path, file));
    // innermost first: every name that is made changes the times of its directory
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
        if (!S_ISDIR(entry->mode)) continue;
        const Descriptor folder(::openat(top.get(), entry->path.empty() ? "." : entry->path.c_str(),
                                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!folder) return fail_errno("open directory " + entry->path);
        TRY(set_metadata(folder.get(), *entry));
    }
    return writer.bytes;
}

}  // namespace diskless::server
