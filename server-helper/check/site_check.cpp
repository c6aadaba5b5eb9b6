#include "server-helper/check/site_check.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <unordered_map>

#include "common/base/text.hpp"
#include "common/os/file_system.hpp"
#include "common/os/files_linux.hpp"
#include "server-helper/model/image_list.hpp"
#include "server-helper/model/node_set.hpp"
#include "server-helper/model/sharing.hpp"
#include "server-helper/model/validate.hpp"

namespace diskless::server {

namespace {
std::string where(const Node& node) {
    const auto place = node.place.text();
    return place.empty() ? "node " + node.name : place + ": node " + node.name;
}

/// Tells every node that has a key another node had before it.
class Doubles {
  public:
    Doubles(std::string_view what, Findings& findings) : what_(what), findings_(findings) {}
    void see(const std::string& key, const Node& node) {
        const auto [first, added] = seen_.emplace(key, &node);
        if (added) return;
        if (what_ == "name") {
            findings_.push_back({"double-name", fmt::format("{} {}", where(node), double_name(*first->second, node)),
                                 "take one of them out, or give it another name"});
            return;
        }
        findings_.push_back({fmt::format("double-{}", what_),
                             fmt::format("{} has the {} {} of node {}", where(node), what_, key, first->second->name),
                             fmt::format("give each node its own {}", what_)});
    }

  private:
    std::string_view what_;
    Findings& findings_;
    std::unordered_map<std::string, const Node*> seen_;
};

void check_address(const Cluster& cluster, const Node& node, Findings& findings) {
    const auto find = [&](const char* rule, const std::string& what, const std::string& remedy) {
        findings.push_back({rule, where(node) + ": " + what, remedy});
    };
    const auto address = node.address;
    if (!address.is_set()) {
        find("no-address", "has no address: its snapshot is exported to nobody",
             fmt::format("give it one: diskless-server node set {} ip=ADDRESS", node.name));
        return;
    }
    if (!is_host_address(address)) {
        find("no-host-address", address.text() + " cannot be the address of a node", "give it another");
        return;
    }
    if (address == cluster.server) find("server-address", "has the server's address", "give it one of its own");
    if (cluster.prefix && !same_network(address, cluster.network, cluster.prefix))
        find("outside-network",
             fmt::format("{} is outside {}/{}", address.text(), cluster.network.text(), cluster.prefix),
             "correct the address, or network in cluster.toml");
    else if (cluster.prefix && cluster.prefix < 31 &&
             (address == broadcast_of(address, cluster.prefix) || address == cluster.network))
        find("no-host-address", address.text() + " is the network's own or its broadcast address",
             "take an address between them");
    if (const auto& range = cluster.boot.range; range && address >= range->first && address <= range->last)
        find("in-dhcp-range",
             fmt::format("{} lies in the DHCP range {}-{}: another machine may get it", address.text(),
                         range->first.text(), range->last.text()),
             "take the address out of the range");
}

void check_range(const Cluster& cluster, Findings& findings) {
    const auto& range = cluster.boot.range;
    if (!range || cluster.prefix == 0) return;
    const auto find = [&](const std::string& what) {
        findings.push_back(
            {"dhcp-range",
             fmt::format("cluster.toml: the DHCP range {}-{} {}", range->first.text(), range->last.text(), what),
             "correct it"});
    };
    if (range->first > range->last) find("ends before it begins");
    if (!same_network(range->first, cluster.network, cluster.prefix) ||
        !same_network(range->last, cluster.network, cluster.prefix))
        find("is outside the network");
    if (cluster.server >= range->first && cluster.server <= range->last) find("has the server's own address in it");
}

/// As many as fit into a line.
std::string some_of(const std::vector<std::string>& names) {
    constexpr std::ptrdiff_t kMost = 8;
    const auto shown = join({names.begin(), names.begin() + std::min(std::ssize(names), kMost)}, ", ");
    return std::ssize(names) > kMost ? shown + ", …" : shown;
}

class Tree {
  public:
    Tree(const Site& site, Findings& findings) : site_(site), findings_(findings) {}

    void roots() {
        std::set<std::string> seen;
        for (const auto& [image, nodes] : nodes_without_root(site_))
            find("no-generation",
                 fmt::format("image {} has no generation yet, {} cannot boot it", image, fold_node_set(nodes)),
                 "diskless-server image sync " + image);
        for (const auto& node : site_.nodes) {
            if (!node.root_path.empty() && seen.insert(node.root_path).second && !files_.is_directory(node.root_path))
                find("root-missing", node.root_path + " does not exist, node " + node.name + " boots from it",
                     node.own_root ? "diskless-server snapshot prepare " + node.name
                                   : "diskless-server image sync " + node.image);
        }
    }

    /// They boot all the same, from the directory.
    void packed_roots() {
        std::map<std::string, std::vector<const ResolvedNode*>> nodes;  // by root
        for (const auto& node : site_.nodes)
            if (node.root_mode == "image" && !node.root_path.empty()) nodes[node.root_path].push_back(&node);
        for (const auto& [root, of] : nodes) {
            if (!files_.is_directory(root) || files_.exists(join_path(root, kPackedRoot))) continue;
            std::vector<std::string> names;
            for (const auto* node : of) names.push_back(node->name);
            const auto& first = *of.front();
            const auto* image = site_.cluster.find_image(first.image);
            const bool pinned = image && image->current != first.generation;
            find("not-packed",
                 fmt::format("{} is not packed, though root-mode of {} is image", root, fold_node_set(names)),
                 fmt::format("diskless-server image pack {}{}", first.image, pinned ? " " + first.generation : ""));
        }
    }

    void overlays() {
        const auto directory = parent_path(overlay_path(site_.cluster, "x"));
        const auto names = files_.list(directory);
        if (!names) return;  // none
        std::vector<std::string> stray;
        for (const auto& name : *names)
            if (!name.starts_with('.') && !site_.cluster.find_node(name) && !site_.cluster.find_group(name) &&
                files_.is_directory(join_path(directory, name)))
                stray.push_back(printable(name));
        if (!stray.empty())
            find("overlay-stray",
                 fmt::format("{} has {} of no node or group in the list: {}", directory,
                             stray.size() == 1 ? "an overlay" : fmt::format("{} overlays", stray.size()),
                             some_of(stray)),
                 "rename what is misspelt, take away what nobody needs");
    }

    void boot_files() {
        std::set<std::string> seen;
        for (const auto& node : site_.nodes) {
            if (!names_root(node)) continue;  // told: its image has no generation
            const auto see = [&](const char* rule, const std::string& file, const std::string& remedy) {
                if (file.empty() || !seen.insert(file).second) return;
                const auto path = boot_path(site_.cluster, "tftp/" + file);
                if (!files_.exists(path))
                    find(rule, fmt::format("{} is missing, {} boots it", path, node.name), remedy);
            };
            const auto sync_or_put = fmt::format("diskless-server image sync {}, or put it there", node.image);
            see("kernel-missing", node.kernel,
                node.stages_kernel ? "diskless-server boot apply, which says why when it cannot"
                : node.generation.empty() ? sync_or_put
                                          : "copy the image's vmlinuz there");
            see("initramfs-missing", node.initramfs,
                node.stages_initramfs ? "diskless-server boot apply, which says why when it cannot"
                : node.generation.empty() ? sync_or_put
                                      : "diskless-server initramfs build --kernel VERSION --out " +
                                            boot_path(site_.cluster, "tftp/" + node.initramfs));
        }
    }

    void snapshots() {
        const auto directory = parent_path(snapshot_path(site_.cluster, "x"));
        std::set<std::string> present, used;
        const auto names = files_.list(directory);
        if (!names && names.error().code != ENOENT)
            return find("not-readable", names.error().cause, names.error().code == EACCES ? "run it as root" : "");
        if (names) present.insert(names->begin(), names->end());
        std::vector<std::string> lacking;
        for (const auto& node : site_.nodes) {
            if (!used.insert(node.snapshot).second) continue;
            if (!present.contains(node.snapshot))
                lacking.push_back(node.name);
            else if (const auto status = files_.status(node.snapshot_path);
                     status && status->kind != FileKind::directory)
                find("snapshot-kind",
                     fmt::format("{}, the snapshot of {}, is {} and no directory", node.snapshot_path, node.name,
                                 status->kind == FileKind::symlink ? "a symlink" : "a file"),
                     fmt::format("diskless-server snapshot remove {0}, then snapshot prepare {0}", node.name));
        }
        if (!lacking.empty()) {
            const auto nodes = fold_node_set(lacking);
            find("snapshot-missing", fmt::format("{} has no snapshot for {}", directory, nodes),
                 fmt::format("diskless-server snapshot prepare {}{}{}", lacking.size() > 1 ? "'" : "", nodes,
                             lacking.size() > 1 ? "'" : ""));
        }
        for (const auto& node : site_.cluster.nodes) used.insert(node.name);  // also of one that is incomplete
        std::vector<std::string> stale;
        for (const auto& name : present)
            if (!name.starts_with('.') && !used.contains(name)) stale.push_back(printable(name));
        if (!stale.empty())
            find(
                "snapshot-stale",
                fmt::format("{} has {} of no node in the list: {}", directory,
                            stale.size() == 1 ? "a snapshot" : fmt::format("{} snapshots", stale.size()),
                            some_of(stale)),
                "diskless-server snapshot archive or remove NAME");
    }

    void space() {
        constexpr std::uint64_t kLeast = std::uint64_t{1} << 30;  // bytes
        const auto status = file_system_of(site_.cluster.base);
        if (!status) return find("base-missing", status.error().cause, "diskless-server init");
        if (status->free < kLeast || status->free < status->size / 20)
            find("space",
                 fmt::format("{} has {} MiB free of {}", site_.cluster.base, status->free >> 20, status->size >> 20),
                 "make room: diskless-server image gc");
        if (status->inodes && status->free_inodes < status->inodes / 20)
            find("inodes",
                 fmt::format("{} has {} free inodes of {}", site_.cluster.base, status->free_inodes, status->inodes),
                 "remove what has many files: diskless-server image gc");
    }

  private:
    void find(const char* rule, std::string what, std::string remedy) {
        findings_.push_back({rule, std::move(what), std::move(remedy)});
    }
    const Site& site_;
    Findings& findings_;
    LinuxFiles files_;
};
}  // namespace

Findings check_nodes(const Site& site) {
    const auto& cluster = site.cluster;
    Findings findings;
    check_range(cluster, findings);
    Doubles names("name", findings), addresses("address", findings), macs("MAC", findings);
    std::vector<const Node*> without_mac;
    for (const auto& node : cluster.nodes) {
        names.see(lower(node.name), node);
        if (node.address.is_set()) addresses.see(node.address.text(), node);
        if (node.mac.is_set()) macs.see(node.mac.text(), node);
        check_address(cluster, node, findings);
        if (!node.mac.is_set()) without_mac.push_back(&node);
    }
    // a rack that was just added would otherwise give a line a node, and hide what else there is
    if (without_mac.size() == 1) {
        findings.push_back({"no-mac", where(*without_mac[0]) + ": has no MAC: DHCP cannot know it",
                            fmt::format("diskless-server node set {} mac=ADDRESS", without_mac[0]->name)});
    } else if (!without_mac.empty()) {
        std::vector<std::string> lacking;
        for (const auto* node : without_mac) lacking.push_back(node->name);
        findings.push_back(
            {"no-mac",
             fmt::format("{} ({} nodes): have no MAC: DHCP cannot know them", fold_node_set(lacking), lacking.size()),
             "diskless-server node import FILE, with names or addresses and MACs; or node set NODE "
             "mac=ADDRESS"});
    }
    for (auto& sharing : find_sharing(cluster, site.nodes))
        findings.push_back({sharing.rule, std::move(sharing.error.cause), std::move(sharing.error.remedy)});
    return findings;
}

Findings check_tree(const Site& site) {
    Findings findings;
    Tree tree(site, findings);
    tree.roots();
    tree.packed_roots();
    tree.boot_files();
    tree.snapshots();
    tree.overlays();
    tree.space();
    return findings;
}

}  // namespace diskless::server
