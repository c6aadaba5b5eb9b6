#include <fmt/core.h>

#include <map>
#include <tuple>

#include "init/config.hpp"
#include "server-helper/check/site_check.hpp"
#include "server-helper/model/node_set.hpp"

namespace diskless::server {

Findings check_parameters(const Site& site) {
    std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::string>> nodes;
    for (const auto& node : site.nodes)
        for (auto& warning : parse_boot_config({node.command_line, {}, 0}).warnings)
            nodes[{std::move(warning.parameter), std::move(warning.message), std::move(warning.remedy)}].push_back(
                node.name);
    Findings findings;
    for (const auto& [warning, of] : nodes) {
        const auto& [parameter, message, remedy] = warning;
        findings.push_back(
            {"parameter", fmt::format("{}, of {}: {}", parameter, fold_node_set(of), message),
             remedy.empty() ? "correct it where the node list says it: cmdline, or its own setting" : remedy});
    }
    return findings;
}

}  // namespace diskless::server
