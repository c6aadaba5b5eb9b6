// node add|import|set|rename|remove: what changes the node list.
#include "server-helper/node_commands.hpp"

#include <fmt/core.h>

#include <unordered_set>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "initramfs/host_files.hpp"
#include "server-helper/model/node_import.hpp"
#include "server-helper/model/node_set.hpp"
#include "server-helper/model/toml_text.hpp"
#include "server-helper/node_change.hpp"

namespace diskless::server {

namespace po = boost::program_options;

namespace {
using Words = std::vector<std::string>;

/// The options of the command line and, in "words", everything that is no option: `needed` and perhaps more.
Result<ParsedOptions> parse(OptionSet& options, const Words& arguments, Streams& streams,
                            const std::vector<const char*>& needed) {
    add_tree_options(options, TreeAccess::changes);
    options.take_words("words");
    auto parsed = TRY(parse_options(options, arguments, streams));
    const auto given = parsed.texts("words").size();
    if (!parsed.helped && given < needed.size())
        return bad_usage(fmt::format("{} is missing", needed[given]), "usage: " + std::string(options.usage));
    return parsed;
}

/// The address that is `offset` after the first.
Result<Ipv4> address_after(const std::string& first, std::size_t offset) {
    const auto address = Ipv4::parse(first);
    if (!address) return bad_usage(fmt::format("\"{}\" is no IPv4 address", printable(first)));
    if (offset > 0xFFFFFFFFu - address->value) return bad_usage("there are not so many addresses after " + first);
    return Ipv4(address->value + static_cast<std::uint32_t>(offset));
}

std::string quoted(Ipv4 address) { return toml_text(address.text()); }

/// Why the address cannot be that of a node here; empty when it can.
std::string problem_of(const Cluster& cluster, const ImportedNode& node) {
    if (node.mac.is_set() && !is_card_address(node.mac)) return node.mac.text() + " is the address of many machines";
    if (!node.address.is_set()) return "";
    if (node.address == cluster.server) return "is the server";
    if (cluster.prefix > 0 && !same_network(node.address, cluster.network, cluster.prefix))
        return fmt::format("{} is not in the network {}/{}", node.address.text(), cluster.network.text(),
                           cluster.prefix);
    return "";
}

NodeValues values_of(const ImportedNode& node) {
    NodeValues values;
    if (node.address.is_set()) values["ip"] = quoted(node.address);
    if (node.mac.is_set()) values["mac"] = toml_text(node.mac.text());
    if (!node.groups.empty()) values["groups"] = toml_texts(node.groups);
    if (!node.image.empty()) values["image"] = toml_text(node.image);
    return values;
}

Result<std::string> read_list(const std::string& file) {
    auto text = read_input_file(file == "-" ? "/dev/stdin" : file);
    if (!text && text.error().code == ENOENT)
        text.error().remedy = "name a file that is there, or - for what stands on standard input";
    return text;
}

/// The first lines tell what is wrong; thousands would hide it.
void tell_lines(const Words& told, const std::string& start, Streams& streams) {
    constexpr std::size_t kMost = 10;
    for (std::size_t at = 0; at < told.size() && at < kMost; ++at) streams.err << start << told[at] << '\n';
    if (told.size() > kMost) streams.err << fmt::format("and {} more\n", told.size() - kMost);
}

Failure nothing_used(const std::string& file, const ParsedOptions& options, const Imported& imported) {
    const char* remedy = "a line has a name and an address: diskless-server node import --help";
    if (options.has("only"))
        remedy = "--only leaves out all other names";
    else if (imported.leases && !options.has("new"))
        remedy = "--new adds nodes that are not in the list";
    else if (!imported.skipped.empty())
        remedy = options.has("quiet") ? "without --quiet each line is told with its reason" : "the reasons stand above";
    return fail(fmt::format("import {}: no line could be used", file), remedy);
}
}  // namespace

Result<> node_add(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server node add NODES [--ip ADDRESS] [--mac ADDRESS] [OPTIONS] [KEY=VALUE...]";
    described.examples =
        "Examples:\n"
        "  diskless-server node add node001 --ip 10.8.136.1 --mac 00:21:5e:40:64:5c --image debian\n"
        "  diskless-server node add 'node[001-128]' --ip 10.8.136.1 --group compute    (addresses count up)\n"
        "  diskless-server node add login1 console=ttyS0,115200n8 nis-domain=cluster\n";
    described.described.add_options()("ip", po::value<std::string>(), "address; of a range, that of the first node")(
        "mac", po::value<std::string>(), "hardware address")("image", po::value<std::string>(), "image to boot")(
        "group", po::value<Words>(), "group; may be repeated");
    const auto options = TRY(parse(described, arguments, streams, {"NODES"}));
    if (options.helped) return {};

    auto words = options.texts("words");
    const auto names = TRY(expand_node_set(words.front()));
    words.erase(words.begin());
    auto values = TRY(parse_settings(words));
    if (options.has("image")) values["image"] = toml_text(options.text("image"));
    if (options.has("group")) values["groups"] = toml_texts(options.texts("group"));
    if (options.has("mac")) values["mac"] = toml_text(options.text("mac"));
    if (options.has("ip")) values["ip"] = toml_text(options.text("ip"));
    if (names.size() > 1 && values.contains("mac"))
        return bad_usage("one hardware address cannot be that of several nodes");
    const auto first = values.contains("ip") && values["ip"] ? values["ip"]->substr(1, values["ip"]->size() - 2) : "";

    auto change = TRY(NodeChange::begin(options, streams));
    for (std::size_t at = 0; at < names.size(); ++at) {
        if (!is_node_name(names[at]))
            return bad_usage(fmt::format("a node cannot be named \"{}\"", printable(names[at])),
                             "letters, digits and - are possible, at most 63, no domain");
        if (!first.empty()) values["ip"] = quoted(TRY(address_after(first, at)));
        if (const auto* node = change.cluster().find_node(names[at])) {
            if (TRY(change.has_already(*node, values))) continue;
            return fail(fmt::format("node {} is there already, with other values ({})", names[at], node->place.text()),
                        "change it: diskless-server node set " + names[at] + " KEY=VALUE");
        }
        change.edits_of_new_nodes().add.emplace_back(names[at], values);
    }
    return change.finish(options, streams);
}

Result<> node_import(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server node import FILE|- [--group GROUP] [--image IMAGE] [--only NODES] [--new]";
    described.examples =
        "The file: \"ip host\" in two columns, /etc/hosts, /etc/ethers, CSV, or leases of dnsmasq or ISC dhcpd.\n"
        "Nodes that are known by name (in leases also by address) are updated, others are added; of leases only\n"
        "hardware addresses are taken, and others are added with --new.\n"
        "Examples:\n"
        "  diskless-server node import nodes --group compute\n"
        "  diskless-server node import /etc/hosts --only 'node[001-128]'\n"
        "  diskless-server node import /var/lib/misc/dnsmasq.leases --dry-run\n";
    described.described.add_options()("group", po::value<Words>(), "group of added nodes; may be repeated")(
        "image", po::value<std::string>(), "image of added nodes")("only", po::value<std::string>(),
                                                                   "take these names alone")(
        "new", "add nodes of a leases file that are not in the list");
    const auto options = TRY(parse(described, arguments, streams, {"FILE"}));
    if (options.helped) return {};
    if (const auto words = options.texts("words"); words.size() > 1)
        return bad_usage(fmt::format("\"{}\" is one word too many", printable(words[1])),
                         "usage: " + std::string(described.usage));
    const auto file = options.texts("words").front();
    const auto text = TRY_TO("import", read_list(file));
    auto imported = TRY_TO("import " + file, read_node_list(text));

    std::unordered_set<std::string> only;
    if (options.has("only")) {
        const auto names = TRY(expand_node_set(options.text("only")));
        only.insert(names.begin(), names.end());
    }
    auto change = TRY(NodeChange::begin(options, streams));
    const auto& cluster = change.cluster();
    std::map<std::uint32_t, const Node*> by_address;
    for (const auto& node : cluster.nodes)
        if (node.address.is_set()) by_address[node.address.value] = &node;
    std::map<std::string, int> lines_of_names;
    std::size_t used = 0;
    for (const auto& node : imported.nodes) {
        const auto* known = cluster.find_node(node.name);
        if (!known && imported.leases)
            if (const auto found = by_address.find(node.address.value); found != by_address.end())
                known = found->second;
        const auto name = known ? known->name : node.name;
        if (!only.empty() && !only.contains(name)) continue;
        auto skip = imported.leases ? std::string() : problem_of(cluster, node);
        if (name.empty() || (!known && imported.leases && !options.has("new"))) skip = "is not in the list";
        if (const auto [at, fresh] = lines_of_names.emplace(name, node.line); skip.empty() && !fresh)
            skip = fmt::format("stands in line {} already", at->second);
        if (!skip.empty()) {
            const auto shown = name.empty() ? node.mac.text() : name;
            imported.skipped.push_back(fmt::format("line {}: {}: {}", node.line, shown, skip));
            continue;
        }
        ++used;
        auto values = values_of(node);
        if (imported.leases) values.erase("ip");
        if (known) {
            change.edits_of(*known).set[name] = std::move(values);
            continue;
        }
        if (!values.contains("groups") && options.has("group")) values["groups"] = toml_texts(options.texts("group"));
        if (!values.contains("image") && options.has("image")) values["image"] = toml_text(options.text("image"));
        change.edits_of_new_nodes().add.emplace_back(name, std::move(values));
    }
    if (!options.has("quiet")) {
        tell_lines(imported.warnings, "warning: " + file + ": ", streams);
        tell_lines(imported.skipped, "left out: " + file + ": ", streams);
    }
    if (used == 0) return nothing_used(file, options, imported);
    return change.finish(options, streams);
}

Result<> node_set(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server node set NODES KEY=VALUE...";
    described.examples =
        "KEY= takes the setting away, so that the node inherits it again. Several nodes' ip counts up.\n"
        "Examples:\n"
        "  diskless-server node set 'node[001-128]' image=debian\n"
        "  diskless-server node set @compute console=ttyS0,115200n8 cmdline='quiet panic=60'\n";
    const auto options = TRY(parse(described, arguments, streams, {"NODES", "KEY=VALUE"}));
    if (options.helped) return {};
    auto words = options.texts("words");
    const auto expression = words.front();
    words.erase(words.begin());
    auto values = TRY(parse_settings(words));
    const auto first = values.contains("ip") && values["ip"] ? values["ip"]->substr(1, values["ip"]->size() - 2) : "";

    auto change = TRY(NodeChange::begin(options, streams));
    const auto nodes = TRY(select_nodes(change.cluster(), {expression}));
    if (nodes.size() > 1 && values.contains("mac") && values["mac"])
        return bad_usage("one hardware address cannot be that of several nodes");
    for (std::size_t at = 0; at < nodes.size(); ++at) {
        if (!first.empty()) values["ip"] = quoted(TRY(address_after(first, at)));
        change.edits_of(*nodes[at]).set[nodes[at]->name] = values;
    }
    return change.finish(options, streams);
}

Result<> node_rename(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server node rename OLD NEW";
    described.examples =
        "The node's snapshot stays where it is: the setting snapshot=OLD says so from then on; own-root likewise.\n"
        "Example:\n  diskless-server node rename node007 login1\n";
    const auto options = TRY(parse(described, arguments, streams, {"OLD", "NEW"}));
    if (options.helped) return {};
    const auto words = options.texts("words");
    if (words.size() != 2)
        return bad_usage(fmt::format("\"{}\" is one word too many", printable(words[2])),
                         "usage: " + std::string(described.usage));
    auto change = TRY(NodeChange::begin(options, streams));
    const auto* node = change.cluster().find_node(words[0]);
    if (!node)
        return fail(fmt::format("there is no node \"{}\"", printable(words[0])),
                    "diskless-server node list names them");
    if (!is_node_name(words[1])) return bad_usage(fmt::format("a node cannot be named \"{}\"", printable(words[1])));
    if (const auto* other = change.cluster().find_node(words[1]))
        return fail(fmt::format("node {} is there already ({})", words[1], other->place.text()));
    auto& edits = change.edits_of(*node);
    edits.rename[words[0]] = words[1];
    // A group may name one snapshot for all of its nodes: then nothing hangs on the name.
    const auto& cluster = change.cluster();
    const auto resolved = resolve(cluster, *node);
    const bool own = !node->settings.snapshot && (!resolved || resolved->snapshot == words[0]);
    if (own && LinuxFiles().exists(snapshot_path(cluster, words[0])))
        edits.set[words[0]]["snapshot"] = toml_text(words[0]);
    // A root of its own may hang on the name as well, by "{node}".
    auto renamed = *node;
    renamed.name = words[1];
    const auto later = resolve(cluster, renamed);
    if (resolved && later && resolved->own_root && later->root_path != resolved->root_path &&
        LinuxFiles().exists(resolved->root_path))
        edits.set[words[0]]["own-root"] = toml_text(resolved->root_path);
    if (!cluster.find_group(words[0]) && LinuxFiles().exists(overlay_path(cluster, words[0])))
        streams.err << fmt::format("warning: {} is not laid over {} (rename it: mv {} {})\n",
                                   overlay_path(cluster, words[0]), words[1], overlay_path(cluster, words[0]),
                                   overlay_path(cluster, words[1]));
    return change.finish(options, streams);
}

Result<> node_remove(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server node remove NODES...";
    described.examples =
        "Snapshots stay: diskless-server snapshot remove takes them away.\n"
        "Example:\n  diskless-server node remove 'node[120-128]'\n";
    const auto options = TRY(parse(described, arguments, streams, {"NODES"}));
    if (options.helped) return {};
    auto change = TRY(NodeChange::begin(options, streams));
    for (const auto* node : TRY(select_nodes(change.cluster(), options.texts("words"))))
        change.edits_of(*node).remove.push_back(node->name);
    return change.finish(options, streams);
}

}  // namespace diskless::server
