#include "server-helper/render/nfs_exports.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "common/base/text.hpp"
#include "common/os/files.hpp"
#include "server-helper/model/sharing.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

namespace {
std::string network_text(const Cluster& cluster) {
    return fmt::format("{}/{}", cluster.network.text(), cluster.prefix);
}

/// The directory of this server that the mount wants; empty when another server has it.
std::string own_directory(const Cluster& cluster, const ExtraMount& mount) {
    if (mount.source.starts_with("/")) return mount.source;
    const auto mine = cluster.server.text() + ":";
    return mount.source.starts_with(mine + "/") ? mount.source.substr(mine.size()) : "";
}

bool is_read_only(const ExtraMount& mount) {
    const auto options = split(mount.options, ',');
    return std::find(options.begin(), options.end(), "ro") != options.end();
}

void add_roots(const Site& site, std::map<std::string, Export>& exports) {
    // Nodes keep the generation that they booted until they boot again, whatever the node list says since.
    for (const auto& image : site.cluster.images)
        for (const auto& generation : image.generations) {
            auto& root = exports[join_path(image_path(site.cluster, image.name), generation)];
            root.keeps_root = true;
            root.clients = {network_text(site.cluster)};
        }
    struct Use {
        std::size_t nodes = 0;
        const ResolvedNode* last = nullptr;
    };
    std::map<std::string, Use> uses;
    for (const auto& node : site.nodes)
        if (!node.root_path.empty()) {
            auto& use = uses[node.root_path];
            ++use.nodes;
            use.last = &node;
        }
    for (const auto& [path, use] : uses) {
        auto& root = exports[path];
        root.keeps_root = true;
        root.writable = use.nodes == 1 && use.last->root_mode == "rw" && use.last->address.is_set();
        root.clients = {root.writable ? use.last->address.text() : network_text(site.cluster)};
    }
}

void add_mounts(const Site& site, std::map<std::string, Export>& exports) {
    for (const auto& node : site.nodes)
        for (const auto& mount : node.mounts) {
            const auto path = own_directory(site.cluster, mount);
            if (path.empty()) continue;
            const auto [found, added] = exports.try_emplace(path);
            if (added) found->second.clients = {network_text(site.cluster)};
            if (!found->second.keeps_root && !is_read_only(mount)) found->second.writable = true;
        }
}
}  // namespace

std::string path_uuid(std::string_view path) {
    // FNV-1a (draft-eastlake-fnv), twice with different starts; the form of a version 8 UUID (RFC 9562, 5.8).
    const auto hash = [&](std::uint64_t value) {
        for (const unsigned char c : path) value = (value ^ c) * 0x100000001b3;
        return value;
    };
    const auto high = (hash(0xcbf29ce484222325) & ~0xf000ull) | 0x8000;
    const auto low = (hash(0x9ae16a3b2f90404f) & 0x3fffffffffffffff) | 0x8000000000000000;
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48,
                       low & 0xffffffffffff);
}

Result<std::vector<Export>> wanted_exports(const Site& site) {
    if (!site.cluster.network.is_set() || site.cluster.prefix == 0)
        return fail("cluster.toml does not say the network that may mount the roots",
                    "write network = \"ADDRESS/PREFIX\" below [server]");
    TRY(check_sharing(site.cluster, site.nodes));
    std::map<std::string, Export> exports;
    add_roots(site, exports);
    for (const auto& node : site.nodes) {
        if (!node.address.is_set() || node.snapshot_path.empty()) continue;
        auto& snapshot = exports[node.snapshot_path];
        snapshot.writable = snapshot.keeps_root = true;
        snapshot.clients.push_back(node.address.text());
    }
    add_mounts(site, exports);

    std::vector<Export> result;
    result.reserve(exports.size());
    for (auto& [path, entry] : exports) {
        if (!path.starts_with('/'))
            return fail(fmt::format("the exported path \"{}\" is not absolute", printable(path)));
        entry.path = path;
        std::sort(entry.clients.begin(), entry.clients.end());
        if (site.without_identity.contains(path)) entry.file_system_id = path_uuid(path);
        result.push_back(std::move(entry));
    }
    return result;
}

}  // namespace diskless::server
