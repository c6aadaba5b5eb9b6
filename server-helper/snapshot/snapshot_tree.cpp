#include "server-helper/snapshot/snapshot_tree.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/base/snapshot_files.hpp"
#include "common/base/text.hpp"
#include "common/os/tree_linux.hpp"
#include "common/state/tree_view.hpp"
#include "server-helper/model/cluster.hpp"

namespace diskless::server {

namespace {

constexpr std::size_t kMostShown = 20;  // suspicious files
constexpr int kDeepest = 200;           // directories in each other: each costs a descriptor

Result<> walk(int directory, const std::string& above, dev_t device, int depth,
              const std::function<Result<>(const WalkedEntry&)>& call) {
    if (depth > kDeepest) return fail(printable(above) + " is nested too deep", "remove it");
    std::vector<std::string> names;
    if (!for_each_name(directory, [&](const char* name, unsigned char) {
            names.emplace_back(name);
            return true;
        }))
        return fail_errno("read directory " + printable(above));
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
        struct stat status {};
        if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
            if (errno == ENOENT) continue;  // the node has removed it meanwhile
            return fail_errno("stat " + printable(name));
        }
        const auto path = above.empty() ? name : above + "/" + name;
        TRY(call({directory, name, path, status}));
        if (!S_ISDIR(status.st_mode) || status.st_dev != device) continue;
        const Descriptor inner(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!inner) {
            if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) continue;
            return fail_errno("open directory " + printable(path));
        }
        TRY(walk(inner.get(), path, device, depth + 1, call));
    }
    return {};
}

Result<> check_name(const std::string& snapshot) {
    if (is_name(snapshot)) return {};
    return fail(fmt::format("\"{}\" is no name of a snapshot", printable(snapshot)));
}

/// In the image an absolute symlink means the image's own file, never the server's.
Descriptor open_in_root(int root, const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    return Descriptor(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
}

/// Opens a name that was a regular file a moment ago; a fifo put there since does not stop us.
Descriptor open_file(const WalkedEntry& entry) {
    Descriptor file(::openat(entry.directory, entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat now {};
    if (file && (::fstat(file.get(), &now) != 0 || !S_ISREG(now.st_mode) || now.st_ino != entry.status.st_ino))
        return {};
    return file;
}

bool same_content(int a, int b) {
    std::array<char, 65536> left, right;
    for (off_t at = 0;;) {
        const auto got = ::pread(a, left.data(), left.size(), at);
        if (got < 0) return false;
        if (::pread(b, right.data(), right.size(), at) != got) return false;
        if (got == 0) return true;
        if (!std::equal(left.begin(), left.begin() + got, right.begin())) return false;
        at += got;
    }
}

std::string target_of(int directory, const char* name) {
    std::string target(4096, '\0');
    const auto length = ::readlinkat(directory, name, target.data(), target.size());
    target.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return target;
}

/// 'A', 'M', 'S', or zero for what is as in the image.
char difference(const WalkedEntry& entry, int root) {
    const auto mode = entry.status.st_mode;
    if (!S_ISREG(mode) && !S_ISLNK(mode) && !S_ISDIR(mode)) return 'S';
    const auto slash = entry.path.rfind('/');
    const auto above =
        open_in_root(root, slash == std::string::npos ? "." : entry.path.substr(0, slash), O_PATH | O_DIRECTORY);
    struct stat usual {};
    if (!above || ::fstatat(above.get(), entry.name.c_str(), &usual, AT_SYMLINK_NOFOLLOW) != 0) return 'A';
    if (S_ISDIR(mode)) return S_ISDIR(usual.st_mode) ? '\0' : 'M';
    if (S_ISLNK(mode))
        return target_of(entry.directory, entry.name.c_str()) == target_of(above.get(), entry.name.c_str()) ? '\0'
                                                                                                            : 'M';
    const auto image = open_in_root(root, entry.path, O_RDONLY | O_NONBLOCK);
    if (!image || ::fstat(image.get(), &usual) != 0 || !S_ISREG(usual.st_mode)) return 'M';
    if (usual.st_size != entry.status.st_size) return 'M';
    const auto own = open_file(entry);
    return own && same_content(own.get(), image.get()) ? '\0' : 'M';
}

}  // namespace

Result<> walk_snapshot(const ConfinedFiles& snapshots, const std::string& snapshot,
                       const std::function<Result<>(const WalkedEntry&)>& call) {
    TRY(check_name(snapshot));
    const auto top = open_beneath(snapshots.top(), snapshot, O_RDONLY | O_DIRECTORY);
    struct stat status {};
    if (!top && (errno == ENOTDIR || errno == ELOOP))
        return fail(fmt::format("snapshot {} is {}", snapshot, errno == ELOOP ? "a symlink" : "no directory"),
                    "take it away: diskless-server snapshot remove " + snapshot, errno);
    if (!top || ::fstat(top.get(), &status) != 0)
        return fail_errno("open snapshot " + snapshot, errno, "see: diskless-server snapshot status");
    return walk(top.get(), "", status.st_dev, 0, call);
}

Result<SnapshotFigures> snapshot_figures(const ConfinedFiles& snapshots, const std::string& snapshot) {
    SnapshotFigures figures;
    const auto look = [&](const WalkedEntry& entry) -> Result<> {
        const auto mode = entry.status.st_mode;
        figures.bytes += static_cast<std::uint64_t>(entry.status.st_blocks) * 512;
        if (!S_ISDIR(mode)) ++figures.files;
        const bool special = !S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode);
        if ((special || (S_ISREG(mode) && (mode & 06000) != 0)) && figures.suspicious.size() < kMostShown)
            figures.suspicious.push_back(entry.path);
        return {};
    };
    const auto walked = walk_snapshot(snapshots, snapshot, look);
    if (!walked && walked.error().code == ENOENT) return figures;
    TRY(walked);
    figures.exists = true;
    return figures;
}

Result<std::vector<SnapshotDifference>> diff_snapshot(const ConfinedFiles& snapshots, const std::string& snapshot,
                                                      const std::string& root) {
    const Descriptor image(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!image) return fail_errno("open directory " + root);
    std::vector<SnapshotDifference> found;
    TRY(walk_snapshot(snapshots, snapshot, [&](const WalkedEntry& entry) -> Result<> {
        if (is_beneath("/" + entry.path, snapshot_files::kDirectory)) return {};
        if (const char kind = difference(entry, image.get())) found.push_back({kind, entry.path});
        return {};
    }));
    return found;
}

Result<> remove_snapshot(const ConfinedFiles& snapshots, const std::string& snapshot) {
    TRY(check_name(snapshot));
    const auto aside = ".removed-" + snapshot;  // no node's name begins with a dot
    TRY(remove_tree_at(snapshots.top(), aside, aside));
    if (::renameat(snapshots.top(), snapshot.c_str(), snapshots.top(), aside.c_str()) != 0)
        return fail_errno("remove snapshot " + snapshot);
    return remove_tree_at(snapshots.top(), aside, "snapshot " + snapshot);
}

Result<> rename_snapshot(const ConfinedFiles& snapshots, const std::string& from, const std::string& to) {
    TRY(check_name(from));
    TRY(check_name(to));
    if (::renameat2(snapshots.top(), from.c_str(), snapshots.top(), to.c_str(), RENAME_NOREPLACE) != 0)
        return fail_errno(fmt::format("rename snapshot {} to {}", from, to), errno,
                          errno == EEXIST   ? "archive and remove the other one first"
                          : errno == ENOENT ? "see: diskless-server snapshot status"
                                            : "");
    return {};
}

}  // namespace diskless::server
