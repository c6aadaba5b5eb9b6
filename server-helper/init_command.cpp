// init: an empty tree with a commented configuration, and what this machine lacks.
#include "server-helper/init_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "common/os/place_file.hpp"
#include "server-helper/model/lock.hpp"
#include "server-helper/model/toml_text.hpp"
#include "server-helper/tree_options.hpp"

namespace diskless::server {

namespace po = boost::program_options;

namespace {
constexpr const char* kCluster = R"(# Configuration of diskless-server: see diskless-server-node(8).

[server]
address = {address}
network = {network}
# router = "10.8.0.254"
# dns = ["10.8.0.2"]
# ntp = ["10.8.0.1"]
# domain = "cluster.example"

[boot]
# What is rendered by boot apply:
# loaders = ["pxelinux"]      # pxelinux, grub, ipxe
# dhcp = ["dnsmasq"]          # dnsmasq, dnsmasq-proxy, isc, kea, bootptab, ethers
# nfs = ["kernel"]            # kernel, ganesha
# range = "10.8.200.1-10.8.200.250"   # for machines that are not in the list
# http = "http://10.8.0.1"
# initramfs-options = ["--strip"]  # of initramfs build: a smaller one, not for nodes with Secure Boot

# Settings of all nodes; groups and nodes override them, key by key.
[defaults]
# image = "debian"
# console = "ttyS0,115200n8"
# root-mode = "ro"            # ro, rw, overlay, image
# nfs-options = "vers=4.2"
# cmdline = ["quiet"]         # groups and nodes add to it
# swap = "zram:50%"           # or a device; none
# nis-domain = "my_nis_domain"
# mounts = [{ source = "/home", at = "/home", options = "rw" }]   # exported; the image's fstab mounts it

# [group.compute]
# groups = []                 # groups that it inherits from
# console = "ttyS1,115200n8"
# variables = { rack = "1" }  # for files that ask for substitution
)";

struct Tool {
    const char* names;  // any of them is enough
    const char* purpose;
    const char* package;
};
constexpr Tool kTools[] = {
    {"dnsmasq dhcpd kea-dhcp4", "answers DHCP", "dnsmasq (or isc-dhcp-server, kea)"},
    {"dnsmasq in.tftpd atftpd", "serves boot files by TFTP", "dnsmasq (or tftpd-hpa)"},
    {"exportfs ganesha.nfsd", "exports roots and snapshots by NFS", "nfs-kernel-server (or nfs-ganesha)"},
    {"rsync", "image add --rsync", "rsync"},
    {"debootstrap", "image add --debootstrap", "debootstrap"},
};

bool is_installed(std::string_view name) {
    const char* path = std::getenv("PATH");
    // Servers are in sbin, which is not in every PATH.
    const auto directories = std::string(path ? path : "") + ":/usr/sbin:/sbin:/usr/local/sbin";
    for (const auto directory : split(directories, ':'))
        if (!directory.empty() && ::access(join_path(directory, name).c_str(), X_OK) == 0) return true;
    return false;
}

void tell_absent(Streams& streams) {
    for (const auto& tool : kTools) {
        bool any = false;
        for (const auto name : words(tool.names)) any |= is_installed(name);
        if (!any) streams.err << fmt::format("absent: {} ({}); install {}\n", tool.names, tool.purpose, tool.package);
    }
}

struct Site {
    Ipv4 server, network;
    std::uint8_t prefix = 0;
};

Result<Ipv4> parse_server(const std::string& text) {
    const auto address = Ipv4::parse(text);
    if (!address || !is_host_address(*address))
        return bad_usage(fmt::format("--address: \"{}\" is no address of a machine", printable(text)),
                         "give the address by which nodes reach this server, as 10.8.0.1");
    return *address;
}

/// Why it is no network; empty when it is one.
std::string parse_network(std::string_view text, Site& site) {
    const auto slash = text.find('/');
    const auto first = Ipv4::parse(text.substr(0, slash));
    if (!first) return "is no network: it is written as 10.8.0.0/16";
    if (slash == std::string::npos) return fmt::format("does not say how long the prefix is: {}/24?", first->text());
    const auto prefix = parse_number<std::uint8_t>(text.substr(slash + 1));
    if (!prefix || *prefix == 0 || *prefix > 32) return "is no network: prefixes are 1 to 32";
    site.network = network_of(*first, *prefix), site.prefix = *prefix;
    if (site.network == *first) return {};
    return fmt::format("is no network: {}/{}?", site.network.text(), *prefix);
}

/// What the command line says; nothing for what it does not.
Result<Site> parse_site(const ParsedOptions& options) {
    Site site;
    if (options.has("address")) site.server = TRY(parse_server(options.text("address")));
    const auto network = options.text("network");
    const auto problem = options.has("network") ? parse_network(network, site) : "";
    if (!problem.empty())
        return bad_usage(fmt::format("--network: \"{}\" {}", printable(network), problem),
                         "see: diskless-server init --help");
    return site;
}

std::string network_text(Ipv4 network, std::uint8_t prefix) {
    return prefix == 0 ? std::string("none") : fmt::format("{}/{}", network.text(), prefix);
}

/// A cluster.toml that is there is its owner's.
void tell_kept(const Site& wanted, const Cluster& cluster, const std::string& path, Streams& streams) {
    const bool same_server = !wanted.server.is_set() || wanted.server == cluster.server;
    const bool same_network =
        wanted.prefix == 0 || (wanted.prefix == cluster.prefix && wanted.network == cluster.network);
    if (same_server && same_network) return;
    streams.err << fmt::format("warning: {} stays as it is, with address {} and network {}: edit it to change them\n",
                               path, cluster.server.text(), network_text(cluster.network, cluster.prefix));
}

void put(std::string& text, std::string_view what, const std::string& with) {
    if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), with);
}
}  // namespace

Result<> init_tree(const std::vector<std::string>& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server init [--base DIR] --address ADDRESS --network NETWORK/PREFIX";
    described.examples =
        "Makes the tree and a commented cluster.toml; what is there already stays. Says which servers are absent "
        "here.\n"
        "Example:\n  diskless-server init --address 10.8.0.1 --network 10.8.0.0/16\n";
    add_tree_options(described, TreeAccess::changes);
    described.described.add_options()("address", po::value<std::string>(), "of this server, that nodes see")(
        "network", po::value<std::string>(), "of the nodes");
    const auto options = TRY(parse_options(described, arguments, streams));
    if (options.helped) return {};
    const auto base = TRY(base_of(options));
    LinuxFiles files;
    const auto path = join_path(base, "cluster.toml");
    WantedFiles wanted;
    const auto site = TRY(parse_site(options));
    if (const auto status = status_in_root({"/", base}); status && status->kind != FileKind::directory)
        return bad_usage(fmt::format("--base {}: it is no directory", printable(base)),
                         "name one, which need not be there yet");
    if (!is_exported_path(base))
        return bad_usage(
            fmt::format("--base cannot be \"{}\": nodes would cut the path of their root at a blank, comma "
                        "or quote",
                        printable(base)),
            "name an absolute path without them, as /srv/diskless");
    if (files.exists(path)) {
        const auto cluster = TRY(load_cluster(base));
        if (!options.has("quiet")) tell_kept(site, cluster, path, streams);
    } else {
        if (!site.server.is_set())
            return bad_usage("--address is needed: the address by which nodes reach this server",
                             "usage: " + std::string(described.usage));
        if (site.prefix == 0)
            return bad_usage("--network is needed: as 10.8.0.0/16", "usage: " + std::string(described.usage));
        if (!same_network(site.server, site.network, site.prefix))
            streams.err << fmt::format(
                "warning: --address {} is not in {}: nodes reach it through a router only (router in {}; DHCP needs a "
                "relay)\n",
                site.server.text(), network_text(site.network, site.prefix), path);
        std::string text = kCluster;
        put(text, "{address}", toml_text(site.server.text()));
        put(text, "{network}", toml_text(network_text(site.network, site.prefix)));
        wanted[path] = {text, 0644};
        wanted[join_path(base, "nodes.toml")] = {"# The node list: see diskless-server-node(8).\n", 0644};
    }
    if (files.exists(join_path(base, "nodes.toml"))) wanted.erase(join_path(base, "nodes.toml"));
    if (!options.has("dry-run")) {
        // Snapshots hold keys of nodes: nobody but root looks in.
        for (const char* name : {"images", "overlays", "boot", "nodes"})
            TRY(files.make_directories(join_path(base, name)));
        TRY(files.make_directories(join_path(base, "snapshots"), 0700));
        const auto lock = TRY(TreeLock::take(base, &streams.err));
        tell_changes(TRY(apply_files(files, wanted, {}, false)), options, streams);
        TRY(load_cluster(base));
    } else {
        tell_changes(TRY(apply_files(files, wanted, {}, true)), options, streams);
    }
    if (!options.has("quiet")) tell_absent(streams);
    return {};
}

}  // namespace diskless::server
