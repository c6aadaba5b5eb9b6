#include "server-helper/model/validate.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "common/base/text.hpp"

namespace diskless::server {

namespace {
Result<> check_group_names(const Cluster& cluster, const std::vector<std::string>& groups, const Place& place) {
    for (const auto& name : groups)
        if (!cluster.find_group(name))
            return fail(fmt::format("{}: there is no group \"{}\"", place.text(), printable(name)),
                        fmt::format("write [group.{}] into {}/cluster.toml, or another name", name, cluster.base));
    return {};
}

/// A group that inherits from itself, by whatever way.
Result<> check_circles(const Cluster& cluster) {
    std::set<std::string> done;
    std::vector<std::string> way;
    const std::function<Result<>(const Group&)> visit = [&](const Group& group) -> Result<> {
        if (done.contains(group.name)) return {};
        if (std::ranges::find(way, group.name) != way.end())
            return fail(fmt::format("{}: group {} inherits from itself: {} -> {}", group.place.text(), group.name,
                                    join(way, " -> "), group.name),
                        "take one of these out of its \"groups\"");
        way.push_back(group.name);
        for (const auto& parent : group.groups) TRY(visit(*cluster.find_group(parent)));
        way.pop_back();
        done.insert(group.name);
        return {};
    };
    for (const auto& group : cluster.groups) TRY(visit(group));
    return {};
}

Failure doubled(const Node& first, const Node& second, std::string_view what, const std::string& value) {
    return fail(fmt::format("{}: {} {} of node {} is that of node {} ({})", second.place.text(), what, value,
                            second.name, first.name, first.place.text()),
                "give one of them another");
}

Result<> check_doubles(const Cluster& cluster) {
    std::unordered_map<std::uint32_t, const Node*> addresses;
    std::map<Mac, const Node*> macs;
    std::unordered_map<std::string, const Node*> names;
    for (const auto& node : cluster.nodes) {
        // Host names do not know upper and lower case (RFC 4343).
        if (const auto [at, fresh] = names.emplace(lower(node.name), &node); !fresh)
            return doubled(*at->second, node, "the name", node.name);
        if (node.address.is_set())
            if (const auto [at, fresh] = addresses.emplace(node.address.value, &node); !fresh)
                return doubled(*at->second, node, "address", node.address.text());
        if (node.mac.is_set())
            if (const auto [at, fresh] = macs.emplace(node.mac, &node); !fresh)
                return doubled(*at->second, node, "hardware address", node.mac.text());
    }
    return {};
}

Result<> check_addresses(const Cluster& cluster) {
    for (const auto& node : cluster.nodes) {
        if (!node.address.is_set()) continue;
        if (!is_host_address(node.address))
            return fail(fmt::format("{}: {} cannot be the address of a node", node.place.text(), node.address.text()));
        if (node.address == cluster.server)
            return fail(fmt::format("{}: node {} has the address of the server, {}", node.place.text(), node.name,
                                    node.address.text()),
                        "give it another");
        if (cluster.prefix == 0) continue;
        if (!same_network(node.address, cluster.network, cluster.prefix))
            return fail(fmt::format("{}: {} of node {} is not in the network {}/{}", node.place.text(),
                                    node.address.text(), node.name, cluster.network.text(), cluster.prefix),
                        "correct it, or network in cluster.toml");
        if (cluster.prefix < 31 &&
            (node.address == cluster.network || node.address == broadcast_of(cluster.network, cluster.prefix)))
            return fail(fmt::format("{}: {} is the network's own or its broadcast address", node.place.text(),
                                    node.address.text()),
                        "give the node another");
    }
    return {};
}

void warn_of_images(Cluster& cluster) {
    std::set<std::string> warned;
    const auto look = [&](const Settings& settings, const Place& place) {
        if (!settings.image || cluster.find_image(*settings.image) || !warned.insert(*settings.image).second) return;
        cluster.warnings.push_back({place, fmt::format("there is no image \"{}\" yet", *settings.image),
                                    how_to_make_image(cluster, *settings.image)});
    };
    look(cluster.defaults, {cluster.base + "/cluster.toml", 0});
    for (const auto& group : cluster.groups) look(group.settings, group.place);
    for (const auto& node : cluster.nodes) look(node.settings, node.place);
}
}  // namespace

Result<> validate(Cluster& cluster) {
    for (const auto& group : cluster.groups) TRY(check_group_names(cluster, group.groups, group.place));
    for (const auto& node : cluster.nodes) TRY(check_group_names(cluster, node.groups, node.place));
    TRY(check_circles(cluster));
    TRY(check_doubles(cluster));
    TRY(check_addresses(cluster));
    warn_of_images(cluster);
    return {};
}

}  // namespace diskless::server
