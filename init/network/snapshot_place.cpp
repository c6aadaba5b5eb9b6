#include "init/network/snapshot_place.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless {

std::optional<SnapshotPlace> snapshot_place(const BootConfig& config, NfsVersion root_version, Ipv4 root_server,
                                            const std::string& root_path, const std::string& location) {
    if (!config.snapshot.wanted) return std::nullopt;
    SnapshotPlace place;
    place.source = config.snapshot.source;
    if (place.source.servers.empty()) place.source.servers = {root_server};
    if (place.source.version == NfsVersion::automatic && place.source.servers == std::vector{root_server})
        place.source.version = root_version;
    if (!place.source.path.empty()) return place;
    if (!location.empty()) {
        place.source.path = join_path(location, "snapshot");
        place.shared_parent = true;
        return place;
    }
    // Our own tree: <base>/images/<name>/<generation> stands beside <base>/snapshots.
    const auto image = parent_path(root_path);
    const auto images = parent_path(image);
    if (base_name(images) != "images" || image == root_path) return std::nullopt;
    place.source.path = join_path(parent_path(images), "snapshots");
    return place;
}

bool is_snapshot_name(std::string_view name) {
    return !name.empty() && name.size() <= 255 && name.front() != '.' && name.find('/') == std::string_view::npos &&
           std::ranges::all_of(name, [](char c) { return c > ' ' && c != 0x7F; });
}

std::vector<std::string> snapshot_names(const BootConfig& config, const Lease& lease, const Mac& mac,
                                        const std::string& in_hosts) {
    if (!config.snapshot.name.empty())
        return is_snapshot_name(config.snapshot.name) ? std::vector{config.snapshot.name} : std::vector<std::string>{};
    std::vector<std::string> names;
    const auto add = [&](std::string_view name) {
        if (is_snapshot_name(name) && std::ranges::find(names, name) == names.end()) names.emplace_back(name);
    };
    for (const auto& full : {config.hostname, lease.hostname, in_hosts}) {
        add(full);
        add(std::string_view(full).substr(0, full.find('.')));
    }
    add(lease.address.text());
    if (mac.is_set()) add(mac.dashed());
    return names;
}

}  // namespace diskless
