#include "tests/fakes/fake_files.hpp"

#include <fmt/core.h>

#include <deque>

#include "common/base/text.hpp"

namespace diskless {

namespace {
FakeNode node_of(FileKind kind, std::uint32_t mode, std::uint32_t uid = 0, std::uint32_t gid = 0) {
    FakeNode node;
    node.kind = kind;
    node.mode = mode;
    node.uid = uid;
    node.gid = gid;
    return node;
}
Error errno_error(std::string_view what, const std::string& path, int code) {
    return fail_errno(fmt::format("{} {}", what, path), code).value();
}
}  // namespace

FakeNode file(std::string content, std::uint32_t mode, std::uint32_t uid, std::uint32_t gid) {
    auto node = node_of(FileKind::regular, mode, uid, gid);
    node.content = std::move(content);
    return node;
}
FakeNode directory(std::uint32_t mode, std::uint32_t uid, std::uint32_t gid) {
    return node_of(FileKind::directory, mode, uid, gid);
}
FakeNode symlink(std::string target) {
    auto node = node_of(FileKind::symlink, 0777);
    node.content = std::move(target);
    return node;
}
FakeNode device(FileKind kind, unsigned major_number, unsigned minor_number, std::uint32_t mode) {
    auto node = node_of(kind, mode);
    node.major_number = major_number;
    node.minor_number = minor_number;
    return node;
}

struct FakeFiles::Slot {
    Place directory;
    std::string name;
    NodePtr node;  // null: absent. Symlinks are not followed
    Place place;   // of node, mounts crossed
};

FakeFiles::FakeFiles() {
    auto root = make_node(diskless::directory(), new_file_system());
    mounted.push_back({0, -1, nullptr, root, false, "rootfs", "/", "rootfs", "/", "rw"});
}

FakeFiles::NodePtr FakeFiles::make_node(FakeNode like, std::shared_ptr<FakeFileSystem> where) {
    like.inode = next_inode_++;
    like.file_system = std::move(where);
    if (like.modified == 0) like.modified = now;
    return std::make_shared<FakeNode>(std::move(like));
}

std::shared_ptr<FakeFileSystem> FakeFiles::new_file_system() {
    auto made = std::make_shared<FakeFileSystem>();
    made->id = next_file_system_++;
    return made;
}

void FakeFiles::kill_at(std::size_t n) { kill_at_ = n == 0 ? 0 : calls.size() + n; }

std::optional<Error> FakeFiles::enter(std::string name, const std::string& path) const {
    calls.push_back({std::move(name), path});
    if (kill_at_ != 0 && calls.size() >= kill_at_) throw FakeKilled{};
    return hook ? hook(calls.back()) : std::nullopt;
}

const FakeFiles::Mounted& FakeFiles::mount_of(int id) const {
    for (const auto& mount : mounted)
        if (mount.id == id) return mount;
    return mounted.front();
}

FakeFiles::Place FakeFiles::cross(Place place) const {
    for (auto mount = mounted.rbegin(); mount != mounted.rend(); ++mount)
        if (mount->parent == place.mount && mount->at == place.node)
            return cross({mount->id, mount->root, std::move(place.path)});
    return place;
}

Result<FakeFiles::Place> FakeFiles::find(const std::string& path, bool follow) const {
    std::deque<std::string> rest;
    for (const auto part : split(path, '/')) rest.emplace_back(part);
    const Place top = cross({0, mounted.front().root, "/"});
    std::vector<Place> stack{top};
    int links = 0;
    while (!rest.empty()) {
        const std::string name = rest.front();
        rest.pop_front();
        if (stack.back().node->kind != FileKind::directory) return fail_errno("find " + path, ENOTDIR);
        if (name.empty() || name == ".") continue;
        if (name == "..") {
            if (stack.size() > 1) stack.pop_back();
            continue;
        }
        const auto child = stack.back().node->children.find(name);
        if (child == stack.back().node->children.end()) return fail_errno("find " + path, ENOENT);
        Place next = cross({stack.back().mount, child->second, join_path(stack.back().path, name)});
        if (next.node->kind == FileKind::symlink && (follow || !rest.empty())) {
            if (++links > 40) return fail_errno("find " + path, ELOOP);
            const auto parts = split(next.node->content, '/');
            for (auto part = parts.rbegin(); part != parts.rend(); ++part) rest.emplace_front(*part);
            if (next.node->content.starts_with('/')) stack.assign(1, top);
            continue;
        }
        stack.push_back(std::move(next));
    }
    return stack.back();
}

Result<FakeFiles::Slot> FakeFiles::slot(const std::string& path) const {
    Slot found;
    found.directory = TRY(find(parent_path(path), true));
    if (found.directory.node->kind != FileKind::directory) return fail_errno("find " + path, ENOTDIR);
    found.name = base_name(path);
    if (found.name.empty()) return fail_errno("find " + path, EEXIST);
    const auto child = found.directory.node->children.find(found.name);
    if (child != found.directory.node->children.end()) {
        found.node = child->second;
        found.place = cross({found.directory.mount, child->second, join_path(found.directory.path, found.name)});
    }
    return found;
}

std::optional<Error> FakeFiles::denied(const Place& place, std::uint64_t bytes) const {
    auto& where = *place.node->file_system;
    if (where.read_only || mount_of(place.mount).read_only) return errno_error("write", place.path, EROFS);
    if (where.forbidden) return errno_error("write", place.path, EACCES);
    if (where.room) {
        if (*where.room < bytes + 1) return errno_error("write", place.path, ENOSPC);
        *where.room -= bytes + 1;  // a name costs a byte, so that empty files fill a disk too
    }
    return std::nullopt;
}

Result<> FakeFiles::add(const std::string& path, FakeNode node) {
    const auto found = TRY(slot(path));
    if (found.node) return fail_errno("create " + path, EEXIST);
    if (auto error = denied(found.directory, node.content.size())) return Failure(*error);
    node.modified = now;
    found.directory.node->children[found.name] = make_node(std::move(node), found.directory.node->file_system);
    return {};
}

void FakeFiles::tree(const std::vector<std::pair<std::string, FakeNode>>& entries) {
    for (const auto& [path, node] : entries) {
        Place at = cross({0, mounted.front().root, "/"});
        const auto parts = split(path, '/');
        for (const auto& part : parts) {
            if (part.empty()) continue;
            auto& child = at.node->children[std::string(part)];
            const bool last = &part == &parts.back();
            if (last) {
                auto made = make_node(node, at.node->file_system);
                if (child && child->kind == FileKind::directory) made->children = child->children;
                child = made;
            } else if (!child) {
                child = make_node(diskless::directory(), at.node->file_system);
            }
            at = cross({at.mount, child, join_path(at.path, part)});
        }
    }
}

std::shared_ptr<FakeFileSystem> FakeFiles::file_system(const std::string& path) {
    if (!find(path, true)) tree({{path, diskless::directory()}});
    const auto place = *find(path, true);
    auto made = new_file_system();
    mounted.push_back({next_mount++, place.mount, place.node, make_node(diskless::directory(), made), false, "fake",
                       path, "fake", "/", "rw"});
    return made;
}

std::string FakeFiles::dump(const std::string& path) const {
    std::string result;
    const std::function<void(const Place&)> walk = [&](const Place& place) {
        for (const auto& [name, child] : place.node->children) {
            const auto next = cross({place.mount, child, join_path(place.path, name)});
            const auto& node = *next.node;
            result += fmt::format("{} {:o} {}:{}", printable(next.path), node.mode, node.uid, node.gid);
            if (node.kind == FileKind::directory) result += " /";
            if (node.kind == FileKind::symlink) result += " -> " + printable(node.content);
            if (node.kind == FileKind::regular) result += " " + printable(node.content);
            result += '\n';
            walk(next);
        }
    };
    if (const auto found = find(path, true)) walk(*found);
    return result;
}

std::string FakeFiles::text(const std::string& path) const {
    const auto found = find(path, true);
    if (!found) return "<absent>";
    return found->node->kind == FileKind::regular ? found->node->content : "<not a file>";
}

Result<std::string> FakeFiles::read(const std::string& path, std::size_t limit) const {
    if (auto error = enter("read", path)) return Failure(*error);
    const auto found = TRY(find(path, true));
    if (found.node->kind == FileKind::directory) return fail_errno("read " + path, EISDIR);
    if (found.node->content.size() > limit) return fail_errno("read " + path, EFBIG);
    return found.node->content;
}

Result<> FakeFiles::write(const std::string& path, std::string_view content) {
    if (auto error = enter("write", path)) return Failure(*error);
    if (const auto found = find(path, true)) {
        if (found->node->kind == FileKind::directory) return fail_errno("write " + path, EISDIR);
        if (auto error = denied(*found, content.size())) return Failure(*error);
        found->node->content = content;
        found->node->modified = now;
        return {};
    }
    return add(path, file(std::string(content)));
}

Result<> FakeFiles::replace(const std::string& path, std::string_view content, std::uint32_t mode) {
    if (auto error = enter("replace", path)) return Failure(*error);
    const auto temporary = path + ".tmp";
    if (const auto old = slot(temporary); old && old->node) old->directory.node->children.erase(old->name);
    TRY(add(temporary, file(std::string(content), mode)));
    if (auto error = enter("replace-rename", path)) return Failure(*error);
    const auto found = TRY(slot(path));
    if (found.node && found.node->kind == FileKind::directory) return fail_errno("replace " + path, EISDIR);
    if (found.node && found.place.node != found.node) return fail_errno("replace " + path, EBUSY);
    auto& names = found.directory.node->children;
    names[found.name] = names[found.name + ".tmp"];
    names.erase(found.name + ".tmp");
    return {};
}

bool FakeFiles::writable(const std::string& path) const {
    if (enter("writable", path)) return false;
    const auto found = find(path, true);
    return found && !mount_of(found->mount).read_only;
}

Result<FileStatus> FakeFiles::status(const std::string& path) const {
    if (auto error = enter("status", path)) return Failure(*error);
    const auto found = TRY(find(path, false));
    const auto& node = *found.node;
    return FileStatus{node.kind,  node.mode,    node.uid, node.gid, node.content.size(), node.file_system->id,
                      node.inode, node.modified};
}

Result<std::string> FakeFiles::read_link(const std::string& path) const {
    if (auto error = enter("read_link", path)) return Failure(*error);
    const auto found = TRY(find(path, false));
    if (found.node->kind != FileKind::symlink) return fail_errno("readlink " + path, EINVAL);
    return found.node->content;
}

Result<std::vector<std::string>> FakeFiles::list(const std::string& path) const {
    if (auto error = enter("list", path)) return Failure(*error);
    const auto found = TRY(find(path, true));
    if (found.node->kind != FileKind::directory) return fail_errno("list " + path, ENOTDIR);
    std::vector<std::string> names;
    for (const auto& [name, node] : found.node->children) names.push_back(name);
    return names;
}

Result<> FakeFiles::make_directories(const std::string& path, std::uint32_t mode) {
    if (auto error = enter("make_directories", path)) return Failure(*error);
    std::string made;
    for (const auto part : split(path, '/')) {
        if (part.empty()) continue;
        made += '/';
        made += part;
        const auto found = find(made, true);
        if (found && found->node->kind != FileKind::directory) return fail_errno("mkdir " + made, ENOTDIR);
        if (!found) TRY(add(made, diskless::directory(mode)));
    }
    return {};
}

Result<> FakeFiles::make_symlink(const std::string& target, const std::string& path) {
    if (auto error = enter("make_symlink", path)) return Failure(*error);
    return add(path, symlink(target));
}

Result<> FakeFiles::make_device(const std::string& path, FileKind kind, unsigned major_number, unsigned minor_number,
                                std::uint32_t mode) {
    if (auto error = enter("make_device", path)) return Failure(*error);
    return add(path, device(kind, major_number, minor_number, mode));
}

Result<> FakeFiles::make_file(const std::string& path, std::uint32_t mode) {
    if (auto error = enter("make_file", path)) return Failure(*error);
    if (const auto found = find(path, true)) {
        if (found->node->kind == FileKind::directory) return fail_errno("create " + path, EISDIR);
        return {};
    }
    return add(path, file({}, mode));
}

Result<> FakeFiles::link(const std::string& existing, const std::string& path) {
    if (auto error = enter("link", path)) return Failure(*error);
    const auto from = TRY(find(existing, false));
    const auto to = TRY(slot(path));
    if (to.node) return fail_errno("link " + path, EEXIST);
    if (from.node->kind == FileKind::directory) return fail_errno("link " + existing, EPERM);
    if (from.mount != to.directory.mount) return fail_errno("link " + path, EXDEV);
    if (auto error = denied(to.directory)) return Failure(*error);
    to.directory.node->children[to.name] = from.node;
    return {};
}

Result<> FakeFiles::rename(const std::string& from, const std::string& to) {
    if (auto error = enter("rename", to)) return Failure(*error);
    const auto source = TRY(slot(from));
    const auto target = TRY(slot(to));
    if (!source.node) return fail_errno("rename " + from, ENOENT);
    if (source.directory.mount != target.directory.mount) return fail_errno("rename " + to, EXDEV);
    if (source.place.node != source.node || (target.node && target.place.node != target.node))
        return fail_errno("rename " + to, EBUSY);
    if (target.node) {
        const bool source_directory = source.node->kind == FileKind::directory;
        const bool target_directory = target.node->kind == FileKind::directory;
        if (source_directory && !target_directory) return fail_errno("rename " + to, ENOTDIR);
        if (!source_directory && target_directory) return fail_errno("rename " + to, EISDIR);
        if (!target.node->children.empty()) return fail_errno("rename " + to, ENOTEMPTY);
    }
    if (auto error = denied(target.directory)) return Failure(*error);
    target.directory.node->children[target.name] = source.node;
    source.directory.node->children.erase(source.name);
    return {};
}

Result<> FakeFiles::set_mode(const std::string& path, std::uint32_t mode) {
    if (auto error = enter("set_mode", path)) return Failure(*error);
    const auto found = TRY(find(path, true));
    if (auto error = denied(found)) return Failure(*error);
    found.node->mode = mode;
    return {};
}

Result<> FakeFiles::remove(const std::string& path) {
    if (auto error = enter("remove", path)) return Failure(*error);
    const auto found = slot(path);
    if (!found) return found.error().code == ENOENT ? Result<>{} : Failure(found.error());
    if (!found->node) return {};
    if (found->place.node != found->node) return fail_errno("remove " + path, EBUSY);
    if (!found->node->children.empty()) return fail_errno("remove " + path, ENOTEMPTY);
    if (auto error = denied(found->directory)) return Failure(*error);
    found->directory.node->children.erase(found->name);
    return {};
}

Result<> FakeFiles::remove_beneath(const Place& place) {
    while (!place.node->children.empty()) {
        const auto [name, child] = *place.node->children.begin();
        if (auto error = enter("remove_tree", join_path(place.path, name))) return Failure(*error);
        const auto crossed = cross({place.mount, child, join_path(place.path, name)});
        if (crossed.node != child) return fail_errno("remove " + crossed.path, EBUSY);
        TRY(remove_beneath(crossed));
        if (auto error = denied(place)) return Failure(*error);
        place.node->children.erase(name);
    }
    return {};
}

Result<> FakeFiles::remove_tree(const std::string& path) {
    if (auto error = enter("remove_tree", path)) return Failure(*error);
    const auto found = slot(path);
    if (!found) return found.error().code == ENOENT ? Result<>{} : Failure(found.error());
    if (!found->node) return {};
    if (found->place.node != found->node) return fail_errno("remove " + path, EBUSY);
    TRY(remove_beneath(found->place));
    if (auto error = denied(found->directory)) return Failure(*error);
    found->directory.node->children.erase(found->name);
    return {};
}

Result<> FakeFiles::copy_node(const Place& from, const Place& directory, const std::string& name, CopyWhat what,
                              bool cross_mounts, std::map<FakeNode*, NodePtr>& links, CopyResult& result) {
    const auto to = join_path(directory.path, name);
    if (auto error = enter("copy", to)) return Failure(*error);
    auto& names = directory.node->children;
    if (auto error = denied(directory, from.node->content.size())) {
        return Failure(*error);
    }
    if (const auto linked = links.find(from.node.get()); linked != links.end()) {
        names[name] = linked->second;
        return {};
    }
    FakeNode like = *from.node;
    like.children.clear();
    const bool merge = names.contains(name);
    NodePtr made;
    if (merge) {
        made = names[name];
        if (made->kind != FileKind::directory || like.kind != FileKind::directory)
            return fail_errno("copy to " + to, EEXIST);
        made->mode = like.mode, made->uid = like.uid, made->gid = like.gid, made->modified = like.modified;
    } else {
        made = names[name] = make_node(like, directory.node->file_system);
        ++result.files;
        result.bytes += from.node->kind == FileKind::regular ? from.node->content.size() : 0;
    }
    if (from.node->kind != FileKind::directory) links[from.node.get()] = made;
    if (what == CopyWhat::node) return {};
    const Place inside = cross({directory.mount, made, to});
    for (const auto& [child_name, child] : std::map(from.node->children)) {
        const auto next = cross({from.mount, child, join_path(from.path, child_name)});
        if (what == CopyWhat::directories && next.node->kind != FileKind::directory) continue;
        const auto how_much = next.node != child && !cross_mounts ? CopyWhat::node : what;  // the bare mount point
        TRY(copy_node(next, inside, child_name, how_much, cross_mounts, links, result));
    }
    return {};
}

Result<CopyResult> FakeFiles::copy(const std::string& from, const std::string& to, CopyWhat what, bool cross_mounts) {
    const auto source = TRY(find(from, false));
    const auto target = TRY(slot(to));
    if (target.node && (target.place.node->kind != FileKind::directory || source.node->kind != FileKind::directory))
        return fail_errno("copy to " + to, EEXIST);
    std::map<FakeNode*, NodePtr> links;
    CopyResult result;
    TRY(copy_node(source, target.directory, target.name, what, cross_mounts, links, result));
    return result;
}

}  // namespace diskless
