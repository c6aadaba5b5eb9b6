// init: an empty tree with a commented configuration, and what this machine lacks.
#include "server-helper/init_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
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
# http = "http://10.8.0.1/boot"
# initramfs-options = ["--strip"]  # of initramfs build: nodes boot sooner, but not those with Secure Boot

# Settings of all nodes; groups and nodes override them, key by key.
[defaults]
# image = "debian"
# console = "ttyS0,115200n8"
# root-mode = "ro"            # ro, rw
# nfs-options = "vers=4.2"
# cmdline = ["quiet"]         # groups and nodes add to it
# swap = "none"
# nis-domain = "my_nis_domain"
# mounts = [{ source = "/home", at = "/home", options = "rw" }]

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
    if (!files.exists(path)) {
        const auto address = Ipv4::parse(options.text("address"));
        if (!address || !is_host_address(*address))
            return bad_usage("--address is needed: the address by which nodes reach this server",
                             "usage: " + std::string(described.usage));
        const auto network = options.text("network");
        const auto slash = network.find('/');
        const auto first = Ipv4::parse(network.substr(0, slash));
        const auto prefix =
            slash == std::string::npos ? std::nullopt : parse_number<std::uint8_t>(network.substr(slash + 1));
        if (!first || !prefix || *prefix == 0 || *prefix > 32 || (first->value & ~netmask(*prefix).value) != 0)
            return bad_usage("--network is needed: as 10.8.0.0/16", "usage: " + std::string(described.usage));
        std::string text = kCluster;
        put(text, "{address}", toml_text(address->text()));
        put(text, "{network}", toml_text(network));
        wanted[path] = {text, 0644};
        wanted[join_path(base, "nodes.toml")] = {"# The node list: see diskless-server-node(8).\n", 0644};
    }
    if (files.exists(join_path(base, "nodes.toml"))) wanted.erase(join_path(base, "nodes.toml"));
    if (!options.has("dry-run")) {
        // Snapshots hold keys of nodes: nobody but root looks in.
        for (const char* name : {"images", "overlays", "boot", "nodes"})
            TRY(files.make_directories(join_path(base, name)));
        TRY(files.make_directories(join_path(base, "snapshots"), 0700));
        const auto lock = TRY(TreeLock::take(base));
        tell_changes(TRY(apply_files(files, wanted, {}, false)), options, streams);
        TRY(load_cluster(base));
    } else {
        tell_changes(TRY(apply_files(files, wanted, {}, true)), options, streams);
    }
    if (!options.has("quiet")) tell_absent(streams);
    return {};
}

}  // namespace diskless::server
