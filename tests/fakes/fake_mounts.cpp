#include "tests/fakes/fake_mounts.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless {

namespace {
bool has_option(std::string_view options, std::string_view wanted) {
    const auto parts = split(options, ',');
    return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}
}  // namespace

Result<> FakeMounts::attach(const std::string& target, FakeFiles::NodePtr root, bool read_only, std::string source,
                            std::string type, std::string root_path, std::string options) {
    if (const auto refused = refused_.find(target); refused != refused_.end())
        return fail_errno("mount " + source + " on " + target, refused->second);
    const auto place = TRY_TO("mount " + source + " on " + target, files_.find(target, true));
    const bool directory = root->kind == FileKind::directory;
    if (directory != (place.node->kind == FileKind::directory))
        return fail_errno("mount " + source + " on " + target, ENOTDIR);
    files_.mounted.push_back({files_.next_mount++, place.mount, place.node, std::move(root), read_only,
                              std::move(source), target, std::move(type), std::move(root_path), std::move(options)});
    return {};
}

/// What it covers as it is now, in a file system of its own: what is written there goes nowhere else.
Result<FakeFiles::NodePtr> FakeMounts::overlay_of(const MountRequest& request) {
    std::map<std::string, std::string> layers;
    for (const auto option : split(request.options, ','))
        layers.emplace(option.substr(0, option.find('=')), option.substr(option.find('=') + 1));
    if (overlay_refuses.contains("redirect_dir") && layers.contains("redirect_dir"))
        return fail_errno("mount overlay", EINVAL);
    for (const char* layer : {"upperdir", "workdir"})
        if (!files_.is_directory(layers[layer])) return fail_errno(std::string("mount overlay, ") + layer, ENOENT);
    TRY(files_.make_directories("/fake-overlay"));
    const auto place = "/fake-overlay/" + std::to_string(requests.size());
    TRY(files_.copy(layers["lowerdir"], place, CopyWhat::everything));
    return TRY(files_.find(place, true)).node;
}

FakeFiles::Mounted* FakeMounts::mounted_at(const std::string& target) {
    const auto place = files_.find(target, true);
    if (!place) return nullptr;
    for (auto& mount : files_.mounted)
        if (mount.id == place->mount && mount.root == place->node && mount.id != 0) return &mount;
    return nullptr;
}

Result<> FakeMounts::mount(const MountRequest& request) {
    requests.push_back(request);
    const bool read_only = has_option(request.options, "ro");
    if (const auto refused = refused_types.find(request.type); refused != refused_types.end())
        return fail_errno("mount " + request.source + " on " + request.target, refused->second);
    FakeFiles::NodePtr root;
    if (const auto provided = provided_.find(request.source); provided != provided_.end()) {
        root = TRY(files_.find(provided->second, true)).node;
    } else if (request.type.starts_with("nfs")) {
        return fail_errno("mount " + request.source + " on " + request.target, ENOENT);
    } else if (!knows_type(request.type)) {
        return fail_errno("mount " + request.source + " on " + request.target, ENODEV);
    } else if (request.type == "overlay") {
        root = TRY(overlay_of(request));
    } else {
        root = files_.make_node(directory(), files_.new_file_system());
    }
    return attach(request.target, root, read_only, request.source, request.type, "/", request.options);
}

Result<> FakeMounts::bind(const std::string& source, const std::string& target, bool read_only,
                          const std::string& options) {
    const auto place = TRY_TO("bind " + source + " on " + target, files_.find(source, true));
    std::string all = read_only ? "ro" : "rw";
    if (!options.empty()) all += "," + options;
    return attach(target, place.node, read_only, source, "bind", place.path, all);
}

Result<> FakeMounts::bind_tree(const std::string& source, const std::string& target) {
    auto below = files_.mounted;
    std::erase_if(below, [&](const auto& each) { return !each.target.starts_with(source + "/"); });
    // one that was moved there is older than what it stands in
    std::ranges::stable_sort(below, {}, [](const auto& each) { return std::ranges::count(each.target, '/'); });
    TRY(bind(source, target, false));
    for (const auto& each : below)
        TRY(attach(target + each.target.substr(source.size()), each.root, each.read_only, each.source, each.type,
                   each.root_path, each.options));
    return {};
}

Result<> FakeMounts::move(const std::string& from, const std::string& to) {
    if (refuse_move != 0) return fail_errno("move mount " + from, refuse_move);
    auto* mount = mounted_at(from);
    if (mount == nullptr) return fail_errno("move mount " + from, EINVAL);
    const auto place = TRY(files_.find(to, true));
    mount->parent = place.mount;
    mount->at = place.node;
    for (auto& each : files_.mounted)
        if (each.target == from || each.target.starts_with(from + "/"))
            each.target = to == "/" ? each.target.substr(from.size()) : to + each.target.substr(from.size());
    return {};
}

Result<> FakeMounts::remount(const std::string& target, const std::string& options) {
    auto* mount = mounted_at(target);
    if (mount == nullptr) return fail_errno("remount " + target, EINVAL);
    mount->read_only = has_option(options, "ro");
    mount->options = options;
    return {};
}

Result<> FakeMounts::unmount(const std::string& target, Unmount how) {
    auto* mount = mounted_at(target);
    if (mount == nullptr) return fail_errno("unmount " + target, EINVAL);
    std::vector<int> gone{mount->id};
    for (std::size_t i = 0; i < gone.size(); ++i)
        for (const auto& each : files_.mounted)
            if (each.parent == gone[i]) gone.push_back(each.id);
    if (gone.size() > 1 && how != Unmount::lazy) return fail_errno("unmount " + target, EBUSY);
    std::erase_if(files_.mounted, [&](const auto& each) { return std::count(gone.begin(), gone.end(), each.id) > 0; });
    return {};
}

Result<bool> FakeMounts::would_let_write(const std::string& target) {
    const auto* mount = mounted_at(target);
    if (mount == nullptr) return fail_errno("ask whether " + target + " lets us write", EINVAL);
    return !mount->root->file_system->read_only && !mount->root->file_system->forbidden;
}

Result<std::vector<MountEntry>> FakeMounts::table() const {
    std::vector<MountEntry> entries;
    for (const auto& mount : files_.mounted)
        entries.push_back({mount.id, mount.parent, mount.source, mount.target, mount.type, mount.root_path,
                           mount.read_only ? "ro" : "rw", mount.options});
    return entries;
}

std::vector<std::string> FakeMounts::lines() const {
    std::vector<std::string> result;
    for (const auto& mount : files_.mounted) {
        if (mount.id == 0 || mount.type == "fake") continue;
        result.push_back(mount.target + " <- " + mount.source + (mount.read_only ? " ro" : ""));
    }
    return result;
}

}  // namespace diskless
