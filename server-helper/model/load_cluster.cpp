// cluster.toml and the node lists.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "server-helper/model/image_list.hpp"
#include "server-helper/model/node_files.hpp"
#include "server-helper/model/toml_table.hpp"
#include "server-helper/model/validate.hpp"

namespace diskless::server {

namespace {
constexpr std::size_t kMaxFile = 64 << 20;  // bytes; 10,000 nodes have about one million

void read_server(TomlTable& table, Cluster& cluster) {
    cluster.server = table.address("address").value_or(Ipv4{});
    cluster.router = table.address("router").value_or(Ipv4{});
    cluster.dns = table.addresses("dns").value_or(std::vector<Ipv4>{});
    cluster.ntp = table.addresses("ntp").value_or(std::vector<Ipv4>{});
    cluster.domain = table.text("domain").value_or("");
    const auto network = table.text("network");
    if (!network) return;
    const auto slash = network->find('/');
    const auto address = Ipv4::parse(network->substr(0, slash));
    const auto prefix =
        slash == std::string::npos ? std::nullopt : parse_number<std::uint8_t>(network->substr(slash + 1));
    if (!address || !prefix || *prefix == 0 || *prefix > 32)
        return table.refuse("network", "is no network", "write network = \"10.8.0.0/16\"");
    if (*address != network_of(*address, *prefix))
        return table.refuse("network", "has address bits beyond its prefix",
                            fmt::format("write network = \"{}/{}\"", network_of(*address, *prefix).text(), *prefix));
    cluster.network = *address;
    cluster.prefix = *prefix;
}

/// A list of words out of those that are possible.
void read_choices(TomlTable& table, std::string_view key, std::vector<std::string>& into,
                  const std::vector<std::string>& possible) {
    const auto chosen = table.texts(key);
    if (!chosen) return;
    for (const auto& word : *chosen)
        if (std::ranges::find(possible, word) == possible.end())
            table.refuse(key, fmt::format("cannot be \"{}\"", printable(word)), "values are " + join(possible, ", "));
    into = *chosen;
}

void read_boot(TomlTable& table, BootChoices& boot) {
    read_choices(table, "loaders", boot.loaders, {"pxelinux", "grub", "ipxe"});
    read_choices(table, "dhcp", boot.dhcp, {"dnsmasq", "dnsmasq-proxy", "isc", "kea", "bootptab", "ethers"});
    read_choices(table, "nfs", boot.nfs, {"kernel", "ganesha"});
    boot.interface = table.text("interface").value_or("");
    boot.http_url = table.text("http").value_or("");
    boot.initramfs = table.texts("initramfs-options").value_or(std::vector<std::string>{});
    boot.lease_seconds =
        static_cast<std::uint32_t>(table.number("lease-seconds", 120, 0xFFFFFFFF).value_or(boot.lease_seconds));
    if (const auto range = table.text("range")) {
        const auto dash = range->find('-');
        const auto first = Ipv4::parse(range->substr(0, dash));
        const auto last = dash == std::string::npos ? std::nullopt : Ipv4::parse(range->substr(dash + 1));
        if (!first || !last || *last < *first)
            table.refuse("range", "is no range", "write range = \"10.8.200.1-10.8.200.250\"");
        else
            boot.range = DhcpRange{*first, *last};
    }
    if (!boot.interface.empty() && !is_interface_name(boot.interface))
        table.refuse("interface", "names no interface", "write one of ip link, as eth1: at most 15 characters");
    if (!boot.http_url.empty() && !boot.http_url.starts_with("http://") && !boot.http_url.starts_with("https://"))
        table.refuse("http", "is no URL", "write http = \"http://10.8.0.1\"");
}

std::vector<std::string> read_groups_of(TomlTable& table) {
    auto groups = table.texts("groups").value_or(std::vector<std::string>{});
    return groups;
}

Result<> read_groups(const toml::table& groups, const std::string& file, Cluster& cluster) {
    for (const auto& [key, value] : groups) {
        const auto name = std::string(key.str());
        const Place place{file, static_cast<int>(value.source().begin.line)};
        if (!value.is_table()) return fail(place.text() + ": a group is a table", "write [group." + name + "]");
        if (!is_name(name) || name == "all")
            return fail(fmt::format("{}: a group cannot be named \"{}\"", place.text(), printable(name)),
                        "letters, digits, -, . and _ are possible; all is every node");
        TomlTable table(*value.as_table(), file, "[group." + name + "]", cluster.warnings);
        Group group{name, read_groups_of(table), read_settings(table), place};
        TRY(table.finish());
        cluster.groups.push_back(std::move(group));
    }
    return {};
}

Result<> read_nodes(const toml::table& nodes, const std::string& file, Cluster& cluster) {
    cluster.nodes.reserve(cluster.nodes.size() + nodes.size());
    for (const auto& [key, value] : nodes) {
        const auto name = std::string(key.str());
        const Place place{file, static_cast<int>(value.source().begin.line)};
        if (!value.is_table()) return fail(place.text() + ": a node is a table", "write [node." + name + "]");
        if (!is_node_name(name))
            return fail(fmt::format("{}: a node cannot be named \"{}\"", place.text(), printable(name)),
                        "letters, digits and - are possible, at most 63, no domain");
        TomlTable table(*value.as_table(), file, "[node." + name + "]", cluster.warnings);
        Node node;
        node.name = name;
        node.place = place;
        node.address = table.address("ip").value_or(Ipv4{});
        if (const auto mac = table.text("mac")) {
            const auto parsed = Mac::parse(*mac);
            if (parsed && parsed->is_set() && !is_card_address(*parsed))
                table.refuse("mac", fmt::format("is the address of many machines: {}", parsed->text()),
                             "write that of the node's own network card");
            else if (!parsed || !parsed->is_set())
                table.refuse("mac", fmt::format("is no hardware address: \"{}\"", printable(*mac)),
                             "write mac = \"00:16:3e:12:34:56\"");
            else
                node.mac = *parsed;
        }
        node.groups = read_groups_of(table);
        node.settings = read_settings(table);
        TRY(table.finish());
        cluster.nodes.push_back(std::move(node));
    }
    return {};
}

Result<> read_node_file(const std::string& path, std::string_view text, Cluster& cluster) {
    const auto parsed = TRY(parse_toml(path, text));
    TomlTable top(parsed, path, "the file", cluster.warnings);
    if (const auto* nodes = top.table("node")) TRY(read_nodes(*nodes, path, cluster));
    return top.finish();
}

Result<> read_cluster_file(const std::string& path, Cluster& cluster) {
    const auto text = LinuxFiles().read(path, kMaxFile);
    if (!text && text.error().code == ENOENT)
        return fail(path + " is absent: there is no tree of diskless-server here", how_to_make_tree(cluster.base),
                    ENOENT);
    if (!text) return Failure(text.error());
    const auto parsed = TRY(parse_toml(path, *text));
    TomlTable top(parsed, path, "the file", cluster.warnings);
    cluster.name = top.text("name").value_or(cluster.name);
    const auto read = [&](std::string_view key, auto reader) -> Result<> {
        const auto* table = top.table(key);
        if (!table) return {};
        TomlTable inner(*table, path, fmt::format("[{}]", key), cluster.warnings);
        reader(inner);
        return inner.finish();
    };
    TRY(read("server", [&](TomlTable& table) { read_server(table, cluster); }));
    TRY(read("boot", [&](TomlTable& table) { read_boot(table, cluster.boot); }));
    TRY(read("defaults", [&](TomlTable& table) { cluster.defaults = read_settings(table); }));
    if (const auto* groups = top.table("group")) TRY(read_groups(*groups, path, cluster));
    if (const auto* nodes = top.table("node")) TRY(read_nodes(*nodes, path, cluster));
    return top.finish();
}
/// Has boot apply made files that are one node's? By its record: see render/install.cpp.
bool has_menus(const std::string& base) {
    const auto record = LinuxFiles().read(join_path(base, "boot/.rendered"), kMaxFile);
    if (!record) return false;
    for (const char* place : {"/pxelinux.cfg/", "/grub.cfg-", "/ipxe/"})
        if (record->find(place) != std::string::npos) return true;
    return false;
}
}  // namespace

std::vector<std::string> node_files(const std::string& base) {
    LinuxFiles files;
    std::vector<std::string> paths;
    if (auto path = join_path(base, "nodes.toml"); files.exists(path)) paths.push_back(std::move(path));
    if (const auto names = files.list(join_path(base, "nodes")))
        for (const auto& name : *names)
            if (name.ends_with(".toml") && name.front() != '.')
                paths.push_back(join_path(join_path(base, "nodes"), name));
    return paths;
}

Result<Cluster> load_cluster(const std::string& base) { return load_cluster(base, {}); }

Result<Cluster> load_cluster(const std::string& base, const NodeTexts& instead, NodeProblems problems) {
    Cluster cluster;
    cluster.base = base.size() > 1 && base.ends_with('/') ? base.substr(0, base.size() - 1) : base;
    if (!cluster.base.starts_with('/'))
        return fail(fmt::format("the tree \"{}\" is no absolute path", printable(base)), "write it from / on");
    if (!is_exported_path(cluster.base))
        return fail(
            fmt::format("the tree cannot be \"{}\": nodes would cut the path of their root at a blank, comma or "
                        "quote",
                        printable(base)),
            "take another place by --base, as /srv/diskless; a tree that is there is moved: mv");
    TRY(read_cluster_file(join_path(cluster.base, "cluster.toml"), cluster));
    const LinuxFiles files;
    std::set<std::string> paths;
    for (auto& path : node_files(cluster.base)) paths.insert(std::move(path));
    for (const auto& [path, text] : instead) paths.insert(path);
    for (const auto& path : paths) {
        const auto replaced = instead.find(path);
        const auto text = replaced != instead.end() ? replaced->second : TRY(files.read(path, kMaxFile));
        TRY(read_node_file(path, text, cluster));
    }
    const auto usual = join_path(cluster.base, "nodes.toml");
    if (cluster.nodes.empty() && !paths.contains(usual) && has_menus(cluster.base))
        return fail(fmt::format("{} is absent, though boot apply has made menus of nodes", usual),
                    fmt::format("put it back; if no node is wanted any more: touch {}", usual), ENOENT);
    // Tables come sorted by name out of a file; people expect the order that they wrote.
    std::ranges::stable_sort(cluster.nodes, [](const Node& a, const Node& b) {
        return a.place.file != b.place.file ? a.place.file < b.place.file : a.place.line < b.place.line;
    });
    std::ranges::stable_sort(cluster.groups, {}, [](const Group& group) { return group.place.line; });
    cluster.images = TRY(list_images(cluster.base, cluster.warnings));
    cluster.index_nodes();
    TRY(validate(cluster));
    if (problems == NodeProblems::kept) return cluster;
    if (auto found = node_problems(cluster); !found.empty()) {
        auto& first = found.front().error;
        if (found.size() > 1) first.cause += fmt::format("; and {} more: diskless-server check", found.size() - 1);
        return Failure(std::move(first));
    }
    return cluster;
}

}  // namespace diskless::server
