#include "server-helper/snapshot/image_part.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <filesystem>

#include "common/base/snapshot_files.hpp"
#include "common/base/text.hpp"
#include "common/os/descriptor.hpp"
#include "common/state/seeder.hpp"
#include "common/state/tree_view.hpp"

namespace diskless::server {

namespace fs = std::filesystem;

namespace {

/// Bytes of the files in a tree, counted until there are more than `enough`. Symlinks are not followed.
std::uint64_t bytes_of_tree(const std::string& top, std::uint64_t enough) {
    std::error_code ignored;
    const fs::directory_entry self(top, ignored);
    if (self.is_symlink(ignored)) return 0;
    if (!self.is_directory(ignored)) return self.is_regular_file(ignored) ? self.file_size(ignored) : 0;
    std::uint64_t bytes = 0;
    constexpr std::uint64_t kPerName = 256;  // an inode: many empty files are not cheap either
    for (fs::recursive_directory_iterator next(top, fs::directory_options::skip_permission_denied, ignored), end;
         next != end && bytes <= enough; next.increment(ignored)) {
        bytes += kPerName;
        if (next->is_regular_file(ignored) && !next->is_symlink(ignored)) bytes += next->file_size(ignored);
    }
    return bytes;
}

}  // namespace

bool can_clone(const std::string& root, const std::string& directory) {
    std::error_code ignored;
    for (fs::recursive_directory_iterator next(root, fs::directory_options::skip_permission_denied, ignored), end;
         next != end; next.increment(ignored)) {
        if (next->is_symlink(ignored) || !next->is_regular_file(ignored) || next->file_size(ignored) == 0) continue;
        const Descriptor source(::open(next->path().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!source) continue;
        const Descriptor target(::open(directory.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
        return target && ::ioctl(target.get(), FICLONE, source.get()) == 0;
    }
    return true;
}

bool is_seeded_beforehand(const StateEntry& entry, SeedWhat what, bool clones) {
    if (what == SeedWhat::everything) return true;
    if (what == SeedWhat::nothing) return false;
    return clones || entry.seed.empty() || entry.copy != CopyWhat::everything ||
           bytes_of_tree(entry.seed, kSmallEntry) <= kSmallEntry;
}

std::vector<GeneratedFile> identity_names(const std::vector<std::string>& names_in_etc_ssh) {
    std::vector<GeneratedFile> files{{.path = "/etc/hostname", .content = {}, .symlink = {}},
                                     {.path = "/etc/machine-id", .content = {}, .mode = 0444, .symlink = {}}};
    if (names_in_etc_ssh.empty()) return files;  // no sshd in this image
    files.push_back({.path = "/etc/ssh/ssh_host_ed25519_key", .content = {}, .mode = 0600, .symlink = {}});
    files.push_back({.path = "/etc/ssh/ssh_host_ed25519_key.pub", .content = {}, .symlink = {}});
    for (const auto& name : names_in_etc_ssh)
        if (name.starts_with("ssh_host_") && name.find("_key") != std::string::npos &&
            !name.starts_with("ssh_host_ed25519_key"))
            files.push_back({.path = "/etc/ssh/" + name, .content = {}, .mode = 0600, .symlink = {}});
    return files;
}

Result<ImagePart> make_image_part(const std::string& root, std::string_view root_mode, const std::string& location,
                                  const std::string& node, const std::string& work, SeedWhat what, Files& files) {
    if (!files.is_directory(root))
        return fail("the image's root " + printable(root) + " is no directory", "synchronise the image first", ENOTDIR);
    ImagePart part;
    const auto ssh_names = files.list(join_path(root, "etc/ssh")).value_or(std::vector<std::string>{});
    part.has_ssh = !ssh_names.empty();

    StateInput input;
    input.root = root;
    take_root_mode(input, root_mode);
    input.snapshot = work;
    input.location = location;
    input.node = node;
    input.generated = identity_names(ssh_names);
    part.plan = plan_state(input, files);
    for (const auto& file : input.generated)
        if (file.mode == 0600 && !file.path.ends_with("ed25519_key")) part.shared_keys.push_back(file.path.substr(1));

    const bool clones = what == SeedWhat::cheap && can_clone(root, work);
    Seeder seeder(part.plan, work, root, files);
    for (const auto& entry : part.plan.entries) {
        if (entry.kind != StateKind::persistent || entry.skipped || entry.content) continue;
        if (!is_seeded_beforehand(entry, what, clones)) {
            part.left.insert(entry.path);
            continue;
        }
        TRY_TO("prepare what nodes of " + printable(root) + " have in common", seeder.seed(entry));
    }
    seeder.finish();
    if (const auto text = files.read(join_path(work, snapshot_files::kScaffold)))
        for (const auto path : split(*text, '\0'))
            if (!path.empty()) part.scaffold.emplace(path);
    TRY(files.remove_tree(join_path(work, snapshot_files::kDirectory)));
    part.content = TRY(TreeTemplate::read(work));
    return part;
}

const StateEntry* shown_by(const StatePlan& plan, const std::string& path) {
    const StateEntry* nearest = nullptr;  // entries are sorted: the last that is above is the nearest
    for (const auto& entry : plan.entries)
        if (!entry.skipped && !entry.covered && is_beneath(path, entry.path)) nearest = &entry;
    return nearest != nullptr && nearest->kind == StateKind::persistent ? nearest : nullptr;
}

}  // namespace diskless::server
