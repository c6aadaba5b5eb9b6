#include "server-helper/snapshot/image_part.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/state/path_order.hpp"
#include "common/state/seeder.hpp"
#include "common/state/tree_view.hpp"

namespace diskless::server {

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

Result<ImagePart> make_image_part(const std::string& root, const std::string& location, const std::string& node,
                                  const std::string& work, bool lazy, Files& files) {
    if (!files.is_directory(root))
        return fail("the image's root " + printable(root) + " is no directory", "synchronise the image first", ENOTDIR);
    ImagePart part;
    const auto ssh_names = files.list(join_path(root, "etc/ssh")).value_or(std::vector<std::string>{});
    part.has_ssh = !ssh_names.empty();

    StateInput input;
    input.root = root;
    input.snapshot = work;
    input.location = location;
    input.node = node;
    input.generated = identity_names(ssh_names);
    part.plan = plan_state(input, files);
    for (const auto& file : input.generated)
        if (file.mode == 0600 && !file.path.ends_with("ed25519_key")) part.shared_keys.push_back(file.path.substr(1));
    if (lazy) {
        part.content = TreeTemplate::empty();
        return part;
    }

    Seeder seeder(part.plan, work, root, files);
    for (const auto& entry : part.plan.entries) {
        if (entry.kind != StateKind::persistent || entry.skipped || entry.content) continue;
        TRY_TO("prepare what nodes of " + printable(root) + " have in common", seeder.seed(entry));
    }
    seeder.finish();
    if (const auto text = files.read(join_path(work, kScaffoldFile)))
        for (const auto path : split(*text, '\0'))
            if (!path.empty()) part.scaffold.emplace(path);
    TRY(files.remove_tree(join_path(work, kOwnDirectory)));
    part.content = TRY(TreeTemplate::read(work));
    return part;
}

bool is_shown(const StatePlan& plan, const std::string& path) {
    const StateEntry* nearest = nullptr;  // entries are sorted: the last that is above is the nearest
    for (const auto& entry : plan.entries)
        if (!entry.skipped && !entry.covered && is_beneath(path, entry.path)) nearest = &entry;
    return nearest != nullptr && nearest->kind == StateKind::persistent;
}

}  // namespace diskless::server
