// /etc/hosts (hosts(5)) and ClusterShell's groups (clustershell.readthedocs.io, "YAML group files").
#include <fmt/core.h>

#include <map>

#include "server-helper/model/node_set.hpp"
#include "server-helper/render/quote.hpp"
#include "server-helper/render/rendered.hpp"

namespace diskless::server {

Result<> render_hosts(const Site& site, Rendering& out) {
    const auto& domain = site.cluster.domain;
    TRY(check_plain("the domain", domain));
    if (domain.find_first_of(" #") != std::string::npos)
        return fail(fmt::format("the domain \"{}\" has a blank or #", domain), "correct domain in cluster.toml");
    auto text = fmt::format("# {}\n127.0.0.1 localhost\n", kMadeBy);
    for (const auto& node : site.nodes) {
        if (!node.address.is_set()) continue;
        text += node.address.text() + " ";
        if (!domain.empty()) text += node.hostname + "." + domain + " ";
        text += node.hostname + "\n";
    }
    out.push_back({"etc/hosts", std::move(text), {}, {}});
    return {};
}

Result<> render_clustershell(const Site& site, Rendering& out) {
    std::map<std::string, std::vector<std::string>> members;
    for (const auto& node : site.nodes) {
        members["all"].push_back(node.name);
        for (const auto& group : node.groups)
            if (group != "all") members[group].push_back(node.name);
    }
    auto text = fmt::format("# {}\n{}:\n", kMadeBy, yaml_quoted(site.cluster.name));
    if (members.empty()) text += "    all: ''\n";
    for (const auto& [group, nodes] : members)
        text += fmt::format("    {}: {}\n", yaml_quoted(group), yaml_quoted(fold_node_set(nodes)));
    TRY(check_plain("the cluster's name", site.cluster.name));
    out.push_back({"etc/clustershell.yaml", std::move(text), {}, {}});
    return {};
}

}  // namespace diskless::server
