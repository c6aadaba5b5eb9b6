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

NodeProblem doubled(const Node& first, const Node& second, std::string_view what, const std::string& value,
                    const char* key) {
    return {fmt::format("{} {} {} {}", what, value, first.name, second.name),
            {fmt::format("{}: {} {} of node {} is that of node {} ({})", second.place.text(), what, value, second.name,
                         first.name, first.place.text()),
             fmt::format("give one of them another: diskless-server node set {} {}=ADDRESS", second.name, key), 0}};
}

void find_doubles(const Cluster& cluster, std::vector<NodeProblem>& found) {
    std::unordered_map<std::uint32_t, const Node*> addresses;
    std::map<Mac, const Node*> macs;
    std::unordered_map<std::string, const Node*> names;
    for (const auto& node : cluster.nodes) {
        // Host names do not know upper and lower case (RFC 4343).
        if (const auto [at, fresh] = names.emplace(lower(node.name), &node); !fresh)
            found.push_back({fmt::format("name {} {}", at->second->name, node.name),
                             {fmt::format("{}: node {} {}", node.place.text(), node.name,
                                          double_name(*at->second, node)),
                              "take one of them out, or give it another name", 0}});
        if (node.address.is_set())
            if (const auto [at, fresh] = addresses.emplace(node.address.value, &node); !fresh)
                found.push_back(doubled(*at->second, node, "address", node.address.text(), "ip"));
        if (node.mac.is_set())
            if (const auto [at, fresh] = macs.emplace(node.mac, &node); !fresh)
                found.push_back(doubled(*at->second, node, "hardware address", node.mac.text(), "mac"));
    }
}

Result<> check_address(const Cluster& cluster, const Node& node) {
    const auto address = node.address;
    if (!address.is_set()) return {};
    const auto refuse = [&](const std::string& what, const char* remedy) {
        return fail(fmt::format("{}: {} of node {} {}", node.place.text(), address.text(), node.name, what), remedy);
    };
    if (!is_host_address(address)) return refuse("cannot be the address of a node", "give it another");
    if (address == cluster.server) return refuse("is the address of the server", "give it another");
    if (cluster.prefix == 0) return {};
    if (!same_network(address, cluster.network, cluster.prefix))
        return refuse(fmt::format("is not in the network {}/{}", cluster.network.text(), cluster.prefix),
                      "correct it, or network in cluster.toml");
    if (cluster.prefix < 31 &&
        (address == cluster.network || address == broadcast_of(cluster.network, cluster.prefix)))
        return refuse("is the network's own or its broadcast address", "give it another");
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
void warn_of_ways(Cluster& cluster) {
    if (cluster.prefix == 0) return;
    const auto is_outside = [&](Ipv4 address) {
        return address.is_set() && !same_network(address, cluster.network, cluster.prefix);
    };
    const Place place{cluster.base + "/cluster.toml", 0};
    const auto network = fmt::format("{}/{}", cluster.network.text(), cluster.prefix);
    if (is_outside(cluster.router))
        cluster.warnings.push_back(
            {place, fmt::format("router {} is not in the network {}: nodes cannot reach it", cluster.router.text(), network),
             "correct router, or network"});
    if (is_outside(cluster.server) && !cluster.router.is_set())
        cluster.warnings.push_back({place,
                                    fmt::format("the server's address {} is not in the network {}, and no router is named",
                                                cluster.server.text(), network),
                                    "correct address or network, or write router = \"ADDRESS\""});
}
}  // namespace

Result<> validate(Cluster& cluster) {
    for (const auto& group : cluster.groups) TRY(check_group_names(cluster, group.groups, group.place));
    for (const auto& node : cluster.nodes) TRY(check_group_names(cluster, node.groups, node.place));
    TRY(check_circles(cluster));
    warn_of_images(cluster);
    warn_of_ways(cluster);
    return {};
}

std::string double_name(const Node& first, const Node& second) {
    if (first.name == second.name) return "is in the list twice, first at " + first.place.text();
    return fmt::format("has the name of node {} ({}) but for capitals", first.name, first.place.text());
}

std::vector<NodeProblem> node_problems(const Cluster& cluster) {
    std::vector<NodeProblem> found;
    find_doubles(cluster, found);
    for (const auto& node : cluster.nodes)
        if (auto good = check_address(cluster, node); !good)
            found.push_back({fmt::format("address {} {}", node.name, node.address.text()), std::move(good.error())});
    return found;
}

}  // namespace diskless::server
