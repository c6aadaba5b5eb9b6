#include "server-helper/model/sharing.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "common/os/files.hpp"
#include "server-helper/model/node_set.hpp"

namespace diskless::server {

namespace {
using Users = std::map<std::string, std::vector<const ResolvedNode*>>;  // by what they use

std::vector<std::string> names_of(const std::vector<const ResolvedNode*>& nodes) {
    std::vector<std::string> names;
    names.reserve(nodes.size());
    for (const auto* node : nodes) names.push_back(node->name);
    return names;
}

/// As a word of the shell.
std::string shell_set(const std::vector<std::string>& names) {
    const auto set = fold_node_set(names);
    return names.size() > 1 ? "'" + set + "'" : set;
}

void see_snapshot(const Cluster& cluster, const std::string& snapshot, const std::vector<const ResolvedNode*>& users,
                  std::vector<Sharing>& found) {
    if (users.size() < 2) return;
    std::vector<std::string> others;  // who would have another one but for a setting
    bool by_group = false;
    for (const auto* user : users) {
        if (user->name == snapshot) continue;
        others.push_back(user->name);
        const auto* node = cluster.find_node(user->name);
        by_group = by_group || (node && !node->settings.snapshot);
    }
    const auto remedy =
        by_group ? std::string("give each its own: take the setting snapshot out of cluster.toml")
                 : fmt::format("give each its own: diskless-server node set {} snapshot=", shell_set(others));
    const auto names = names_of(users);
    found.push_back({"shared-snapshot",
                     names,
                     {fmt::format("nodes {} have one snapshot, {}: they would destroy each other's files",
                                  fold_node_set(names), snapshot),
                      remedy, 0}});
}

/// How many generations of the image share their files, as hard links, with the one at `path`.
std::size_t generations_beside(const Cluster& cluster, const std::string& path, std::string& image_name) {
    for (const auto& image : cluster.images)
        if (image.generations.size() > 1 && image_path(cluster, image.name) == parent_path(path)) {
            image_name = image.name;
            return image.generations.size() - 1;
        }
    return 0;
}

void see_root(const Cluster& cluster, const std::string& path, const std::vector<const ResolvedNode*>& users,
              std::vector<Sharing>& found) {
    std::vector<const ResolvedNode*> writers;
    for (const auto* user : users)
        if (user->root_mode == "rw") writers.push_back(user);
    if (writers.empty()) return;
    const auto names = names_of(writers);
    const auto who = fmt::format("node{} {} {} root-mode rw", writers.size() == 1 ? "" : "s", fold_node_set(names),
                                 writers.size() == 1 ? "has" : "have");
    const auto add = [&](std::string cause, std::string remedy) {
        found.push_back({"shared-root-rw", names, {std::move(cause), std::move(remedy), 0}});
    };
    const auto own_root = fmt::format(
        "give {} a root of its own: diskless-server node set {} own-root=/srv/roots/{{node}} generation= root-mode=; "
        "or root-mode=ro",
        writers.size() == 1 ? "it" : "each", shell_set(names));
    std::string image;
    const auto beside = generations_beside(cluster, path, image);
    if (beside > 0)
        return add(fmt::format("{}, but {} shares its files with {} other generation{} of image {}: what is written "
                               "there changes what all nodes boot",
                               who, path, beside, beside == 1 ? "" : "s", image),
                   own_root);
    if (users.size() < 2) return;
    const auto all = names_of(users);
    if (writers.front()->own_root)
        return add(fmt::format("{}, but {} is the own-root of {}: they would destroy each other's files", who, path,
                               fold_node_set(all)),
                   fmt::format("give each its own: diskless-server node set {} own-root=/srv/roots/{{node}}; or "
                               "root-mode=ro",
                               shell_set(all)));
    add(fmt::format("{}, but {} nodes boot {}: they would change each other's root", who, users.size(), path),
        own_root);
}
}  // namespace

std::vector<Sharing> find_sharing(const Cluster& cluster, const std::vector<ResolvedNode>& nodes) {
    Users snapshots, roots;
    for (const auto& node : nodes) {
        if (!node.snapshot.empty()) snapshots[node.snapshot].push_back(&node);
        if (!node.root_path.empty()) roots[node.root_path].push_back(&node);
    }
    std::vector<Sharing> found;
    for (const auto& [snapshot, users] : snapshots) see_snapshot(cluster, snapshot, users, found);
    for (const auto& [path, users] : roots) see_root(cluster, path, users, found);
    return found;
}

Result<> check_sharing(const Cluster& cluster, const std::vector<ResolvedNode>& nodes) {
    auto found = find_sharing(cluster, nodes);
    if (found.empty()) return {};
    return Failure(std::move(found.front().error));
}

}  // namespace diskless::server
