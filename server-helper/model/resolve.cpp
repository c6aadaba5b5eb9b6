#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>

#include "common/base/text.hpp"
#include "common/os/files.hpp"
#include "common/state/tree_view.hpp"
#include "server-helper/model/cluster.hpp"
#include "server-helper/model/image_list.hpp"
#include "server-helper/model/node_set.hpp"

namespace diskless::server {

namespace {
constexpr std::size_t kMaxCommandLine = 2047;  // COMMAND_LINE_SIZE of x86 and arm64, less its end

template <class Named>
const Named* find_named(const std::vector<Named>& all, std::string_view name) {
    const auto found = std::ranges::find(all, name, &Named::name);
    return found == all.end() ? nullptr : &*found;
}

/// The stronger settings laid over the weaker ones.
void overlay(Settings& below, const Settings& above) {
    const auto take = [&](auto member) {
        if ((above.*member).has_value()) below.*member = above.*member;
    };
    for (const auto member : {&Settings::image, &Settings::generation, &Settings::kernel, &Settings::initramfs,
                              &Settings::console, &Settings::root_mode, &Settings::own_root, &Settings::nfs_options, &Settings::swap,
                              &Settings::nis_domain, &Settings::interface, &Settings::snapshot})
        take(member);
    // A pin is one of an image: another image on a stronger level does not inherit it.
    if (above.image && !above.generation) below.generation.reset();
    below.cmdline.insert(below.cmdline.end(), above.cmdline.begin(), above.cmdline.end());
    for (const auto& mount : above.mounts) {
        std::erase_if(below.mounts, [&](const ExtraMount& other) { return other.mount_point == mount.mount_point; });
        below.mounts.push_back(mount);
    }
    for (const auto& [name, value] : above.variables) below.variables[name] = value;
}

Settings settings_of(const Cluster& cluster, const Node& node, const std::vector<std::string>& groups) {
    auto settings = cluster.defaults;
    for (const auto& group : groups) overlay(settings, cluster.find_group(group)->settings);
    overlay(settings, node.settings);
    return settings;
}

/// Parameters of the node for its root mode.
std::string words_of_mode(std::string_view root_mode) {
    if (root_mode == "image") return fmt::format("diskless.mode=overlay diskless.image={}", kPackedRoot);
    return root_mode == "overlay" ? "diskless.mode=overlay" : std::string(root_mode);
}

std::string command_line_of(const Cluster& cluster, const ResolvedNode& node, const Settings& settings) {
    std::vector<std::string> words{"root=/dev/nfs"};
    const auto options = node.nfs_options.empty() ? "" : "," + node.nfs_options;
    if (!node.root_path.empty())
        words.push_back(fmt::format("nfsroot={}:{}{}", cluster.server.text(), node.root_path, options));
    // A node that is to ask by BOOTP or RARP says so in its cmdline.
    if (std::ranges::none_of(settings.cmdline, [](const auto& word) { return word.starts_with("ip="); }))
        words.push_back(node.interface.empty() ? "ip=dhcp" : fmt::format("ip={}:dhcp", node.interface));
    words.push_back(words_of_mode(node.root_mode));
    words.push_back("SNAPSHOT=" + node.snapshot);
    // Nothing in the path of such a root tells where the snapshots are.
    if (node.own_root)
        words.push_back(fmt::format("diskless.snapshot={}:{}", cluster.server.text(), parent_path(node.snapshot_path)));
    if (!node.nfs_options.empty()) words.push_back("diskless.snapshot.options=" + node.nfs_options);
    if (!node.nis_domain.empty()) words.push_back("NISDOMAIN=" + node.nis_domain);
    if (!node.swap.empty()) words.push_back("diskless.swap=" + node.swap);
    if (!node.console.empty()) words.push_back("console=" + node.console);
    words.insert(words.end(), settings.cmdline.begin(), settings.cmdline.end());
    return join(words, " ");
}

Result<> choose_generation(const Cluster& cluster, const Settings& settings, const Node& node, ResolvedNode& resolved) {
    resolved.image = settings.image.value_or("");
    if (resolved.image.empty())
        return fail(
            fmt::format("{}: node {} has no image", node.place.text(), node.name),
            fmt::format("diskless-server node set {} image=NAME, or image in [defaults] of cluster.toml", node.name));
    const auto* image = cluster.find_image(resolved.image);
    if (!image)
        return fail(
            fmt::format("{}: the image \"{}\" of node {} does not exist", node.place.text(), resolved.image, node.name),
            how_to_make_image(cluster, resolved.image));
    resolved.generation = settings.generation.value_or(image->current);
    if (settings.generation && std::ranges::find(image->generations, *settings.generation) == image->generations.end())
        return fail(fmt::format("{}: image {} has no generation \"{}\", which node {} is to boot", node.place.text(),
                                image->name, *settings.generation, node.name),
                    fmt::format("possible are {}", join(image->generations, ", ")));
    if (!resolved.generation.empty())
        resolved.root_path = resolved.generation_path = join_path(image_path(cluster, image->name), resolved.generation);
    return {};
}

/// The node writes there as root: not where other nodes boot from or have their files.
Result<> check_apart(const Cluster& cluster, const Node& node, const std::string& own_root) {
    for (const char* name : {"images", "snapshots", "boot", "overlays", "nodes"}) {
        const auto directory = join_path(cluster.base, name);
        if (is_beneath(own_root, directory) || is_beneath(directory, own_root))
            return fail(fmt::format("{}: the own-root {} of node {} would give it {} to write into", node.place.text(),
                                    own_root, node.name, directory),
                        "name a directory apart from it, as /srv/roots/{node}");
    }
    return {};
}

/// One that other nodes have, too, is nobody's to write: see sharing.hpp.
Result<> choose_own_root(const Cluster& cluster, const Node& described, const Settings& settings, ResolvedNode& node) {
    constexpr std::string_view kName = "{node}";
    auto path = settings.own_root.value_or("");
    if (path.empty()) return {};
    for (auto at = path.find(kName); at != path.npos; at = path.find(kName, at + node.name.size()))
        path.replace(at, kName.size(), node.name);
    TRY(check_apart(cluster, described, path));
    node.root_path = std::move(path);
    node.own_root = true;
    return {};
}

/// Each generation has its own files: a menu never names the kernel of one and the root of another, also while nodes
/// boot and menus change. For a kernel of the administrator's nobody knows the initramfs but he.
void choose_boot_files(const Settings& settings, ResolvedNode& node) {
    const auto kernel = settings.kernel.value_or("");
    if (!kernel.empty() && !is_kernel_release(kernel)) {
        node.kernel = kernel;
        node.initramfs = settings.initramfs.value_or(node.image + "/initrd.img");
        return;
    }
    const auto place = node.generation.empty() ? node.image : node.image + "/" + node.generation;
    const auto suffix = kernel.empty() ? "" : "-" + kernel;
    node.kernel_release = kernel;
    node.kernel = place + "/vmlinuz" + suffix;
    node.initramfs = settings.initramfs.value_or(place + "/initrd" + suffix + ".img");
    node.stages_kernel = !node.generation.empty();
    node.stages_initramfs = node.stages_kernel && !settings.initramfs;
}
}  // namespace

bool names_root(const ResolvedNode& node) {
    if (!node.root_path.empty()) return true;
    return std::ranges::any_of(split(node.command_line, ' '), [](auto word) {
        return word.starts_with("nfsroot=") || (word.starts_with("root=") && word != "root=/dev/nfs");
    });
}

bool is_kernel_release(std::string_view kernel) {
    return !kernel.empty() && kernel[0] >= '0' && kernel[0] <= '9' && kernel.find('/') == kernel.npos;
}

void Cluster::index_nodes() {
    by_name.clear();
    by_name.reserve(nodes.size());
    for (std::size_t at = 0; at < nodes.size(); ++at) by_name.emplace(nodes[at].name, at);
}

const Node* Cluster::find_node(std::string_view node) const {
    const auto found = by_name.find(std::string(node));
    return found == by_name.end() ? nullptr : &nodes[found->second];
}
const Group* Cluster::find_group(std::string_view group) const { return find_named(groups, group); }
const Image* Cluster::find_image(std::string_view image) const { return find_named(images, image); }

std::vector<std::string> effective_groups(const Cluster& cluster, const Node& node) {
    std::vector<std::string> result;
    // validate() has refused circles.
    const auto add = [&](const auto& self, const std::string& name) -> void {
        const auto* group = cluster.find_group(name);
        if (!group || std::ranges::find(result, name) != result.end()) return;
        for (const auto& parent : group->groups) self(self, parent);
        result.push_back(name);
    };
    for (const auto& name : node.groups) add(add, name);
    return result;
}

std::string snapshot_of(const Cluster& cluster, const Node& node) {
    return settings_of(cluster, node, effective_groups(cluster, node)).snapshot.value_or(node.name);
}

Result<ResolvedNode> resolve(const Cluster& cluster, const Node& node) {
    ResolvedNode resolved;
    resolved.name = resolved.hostname = node.name;
    resolved.address = node.address;
    resolved.mac = node.mac;
    resolved.groups = effective_groups(cluster, node);
    const auto settings = settings_of(cluster, node, resolved.groups);

    TRY(choose_generation(cluster, settings, node, resolved));
    TRY(choose_own_root(cluster, node, settings, resolved));
    choose_boot_files(settings, resolved);
    resolved.snapshot = settings.snapshot.value_or(node.name);
    resolved.snapshot_path = snapshot_path(cluster, resolved.snapshot);
    resolved.console = settings.console.value_or("");
    resolved.root_mode = settings.root_mode.value_or(resolved.own_root ? "rw" : "ro");
    if (resolved.own_root && resolved.root_mode == "image")
        return fail(fmt::format("{}: node {} has an own-root, and root-mode image: only generations are packed",
                                node.place.text(), node.name),
                    "take one of the two away; an own-root may be rw, ro or overlay");
    resolved.nfs_options = settings.nfs_options.value_or("");
    resolved.swap = settings.swap.value_or("") == "none" ? "" : settings.swap.value_or("");
    resolved.nis_domain = settings.nis_domain.value_or("");
    resolved.interface = settings.interface.value_or("");
    resolved.mounts = settings.mounts;
    for (auto& mount : resolved.mounts)
        if (mount.source.starts_with('/')) mount.source = cluster.server.text() + ":" + mount.source;
    resolved.variables = settings.variables;
    resolved.command_line = command_line_of(cluster, resolved, settings);
    if (resolved.command_line.size() > kMaxCommandLine)
        return fail(fmt::format("{}: the command line of node {} has {} bytes; kernels take {}", node.place.text(),
                                node.name, resolved.command_line.size(), kMaxCommandLine),
                    "shorten its cmdline and those of its groups");
    return resolved;
}

Result<ResolvedNode> resolve(const Cluster& cluster, std::string_view name) {
    if (const auto* node = cluster.find_node(name)) return resolve(cluster, *node);
    return fail(fmt::format("there is no node \"{}\"", printable(name)), "diskless-server node list names them");
}

Result<std::vector<const Node*>> select_nodes(const Cluster& cluster, const std::vector<std::string>& expressions) {
    const auto members = [&](std::string_view group) -> Result<std::vector<std::string>> {
        if (group != "all" && !cluster.find_group(group))
            return fail(fmt::format("there is no group \"{}\"", printable(group)),
                        "groups are those of cluster.toml, and all");
        std::vector<std::string> names;
        for (const auto& node : cluster.nodes)
            if (group == "all" || std::ranges::count(effective_groups(cluster, node), group))
                names.push_back(node.name);
        return names;
    };
    std::unordered_set<std::string> wanted;
    for (const auto& expression : expressions)
        for (auto& name : TRY(expand_node_set(expression, members))) {
            if (!cluster.find_node(name))
                return fail(fmt::format("there is no node \"{}\"", printable(name)),
                            "diskless-server node list names them");
            wanted.insert(std::move(name));
        }
    std::vector<const Node*> nodes;
    for (const auto& node : cluster.nodes)
        if (expressions.empty() || wanted.contains(node.name)) nodes.push_back(&node);
    return nodes;
}

}  // namespace diskless::server
