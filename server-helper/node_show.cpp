// node list|show: what reads the node list.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "server-helper/model/node_set.hpp"
#include "server-helper/node_commands.hpp"
#include "server-helper/tree_options.hpp"

namespace diskless::server {

namespace po = boost::program_options;

namespace {
using Words = std::vector<std::string>;
using Json = nlohmann::ordered_json;

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }
std::string address_text(Ipv4 address) { return address.is_set() ? address.text() : ""; }
std::string mac_text(const Mac& mac) { return mac.is_set() ? mac.text() : ""; }

Json json_of(const ResolvedNode& node) {
    Json json = {{"name", node.name},
                 {"ip", address_text(node.address)},
                 {"mac", mac_text(node.mac)},
                 {"groups", node.groups},
                 {"image", node.image},
                 {"generation", node.generation},
                 {"root_path", node.root_path},
                 {"root_mode", node.root_mode},
                 {"kernel", node.kernel},
                 {"initramfs", node.initramfs},
                 {"snapshot_path", node.snapshot_path},
                 {"console", node.console},
                 {"interface", node.interface},
                 {"nfs_options", node.nfs_options},
                 {"swap", node.swap},
                 {"nis_domain", node.nis_domain},
                 {"mounts", Json::array()},
                 {"variables", node.variables},
                 {"command_line", node.command_line}};
    for (const auto& mount : node.mounts)
        json["mounts"].push_back({{"source", mount.source}, {"at", mount.mount_point}, {"options", mount.options}});
    return json;
}

void print(const ResolvedNode& node, std::ostream& out) {
    const auto line = [&](std::string_view what, const std::string& value) {
        if (!value.empty()) out << fmt::format("  {:<14}{}\n", what, value);
    };
    out << node.name << '\n';
    line("address", address_text(node.address));
    line("hardware", mac_text(node.mac));
    line("groups", join(node.groups, " "));
    line("image", node.image + (node.generation.empty() ? ", no generation yet" : ", generation " + node.generation));
    line("root", node.generation_path.empty() ? "" : node.root_path + ", " + node.root_mode);
    line("snapshot", node.snapshot_path);
    line("kernel", node.kernel);
    line("initramfs", node.initramfs);
    for (const auto& mount : node.mounts)
        line("mount", mount.source + " on " + mount.mount_point + (mount.options.empty() ? "" : ", " + mount.options));
    line("swap", node.swap);
    for (const auto& [name, value] : node.variables) line("variable", name + " = " + value);
    line("command line", node.command_line);
}
}  // namespace

Result<> node_list(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server node list [NODES...] [--set | --json]";
    described.examples = "Examples:\n  diskless-server node list @compute\n  diskless-server node list --set\n";
    add_tree_options(described, TreeAccess::reads);
    described.described.add_options()("set", "print one node set, as node[001-128]");
    described.take_words("words");
    const auto options = TRY(parse_options(described, arguments, streams));
    if (options.helped) return {};
    const auto cluster = TRY(load_tree(options, streams, NodeProblems::kept));
    const auto nodes = TRY(select_nodes(cluster, options.texts("words")));
    if (options.has("set")) {
        Words names;
        for (const auto* node : nodes) names.push_back(node->name);
        streams.out << fold_node_set(names) << '\n';
        return {};
    }
    auto list = Json::array();
    std::size_t width = 4;
    for (const auto* node : nodes) width = std::max(width, node->name.size());
    if (!options.has("json"))
        streams.out << fmt::format("{:<{}}  {:<15}  {:<17}  {:<32}  {}\n", "NODE", width, "ADDRESS", "HARDWARE",
                                   "IMAGE", "GROUPS");
    for (const auto* node : nodes) {
        // A list also shows nodes that cannot boot yet, and why.
        const auto resolved = resolve(cluster, *node);
        const auto groups = effective_groups(cluster, *node);
        const auto image = !resolved                      ? std::string()
                           : resolved->generation.empty() ? resolved->image
                                                          : resolved->image + "/" + resolved->generation;
        if (options.has("json"))
            list.push_back({{"name", node->name},
                            {"ip", address_text(node->address)},
                            {"mac", mac_text(node->mac)},
                            {"image", resolved ? resolved->image : ""},
                            {"generation", resolved ? resolved->generation : ""},
                            {"groups", groups},
                            {"problem", resolved ? "" : resolved.error().cause}});
        else
            streams.out << fmt::format("{:<{}}  {:<15}  {:<17}  {:<32}  {}\n", node->name, width,
                                       or_dash(address_text(node->address)), or_dash(mac_text(node->mac)),
                                       or_dash(image), or_dash(join(groups, ",")));
    }
    if (options.has("json")) streams.out << list.dump(2) << '\n';
    return {};
}

Result<> node_show(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server node show NODES... [--json]";
    described.examples =
        "Everything a node inherits, and its kernel command line.\nExample:\n  diskless-server node show node001\n";
    add_tree_options(described, TreeAccess::reads);
    described.take_words("words");
    const auto options = TRY(parse_options(described, arguments, streams));
    if (options.helped) return {};
    if (!options.has("words")) return bad_usage("NODES is missing", "usage: " + std::string(described.usage));
    const auto cluster = TRY(load_tree(options, streams, NodeProblems::kept));
    auto list = Json::array();
    for (const auto* node : TRY(select_nodes(cluster, options.texts("words")))) {
        const auto resolved = TRY(resolve(cluster, *node));
        if (options.has("json"))
            list.push_back(json_of(resolved));
        else
            print(resolved, streams.out);
    }
    if (options.has("json")) streams.out << list.dump(2) << '\n';
    return {};
}

}  // namespace diskless::server
