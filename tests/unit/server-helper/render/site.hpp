// A small cluster for tests of rendering.
#pragma once

#include "server-helper/render/rendered.hpp"

namespace diskless::server::test {

inline ResolvedNode node(const std::string& name, Ipv4 address, const char* mac) {
    ResolvedNode node;
    node.name = node.hostname = node.snapshot = name;
    node.address = address;
    if (const auto parsed = Mac::parse(mac)) node.mac = *parsed;
    node.image = "debian";
    node.generation = "7";
    node.root_path = "/srv/diskless/images/debian/7";
    node.kernel = "debian/vmlinuz";
    node.initramfs = "debian/initrd.img";
    node.snapshot_path = "/srv/diskless/snapshots/" + name;
    node.command_line = "root=/dev/nfs nfsroot=10.9.0.1:/srv/diskless/images/debian/7 ip=dhcp ro SNAPSHOT=" + name;
    return node;
}

/// Two compute nodes with MAC and address, one login node whose MAC is not known; every dialect.
inline Site site() {
    Site site;
    auto& cluster = site.cluster;
    cluster.base = "/srv/diskless";
    cluster.name = "rack";
    cluster.server = Ipv4(10, 9, 0, 1);
    cluster.network = Ipv4(10, 9, 0, 0);
    cluster.prefix = 16;
    cluster.router = Ipv4(10, 9, 0, 254);
    cluster.dns = {Ipv4(10, 9, 0, 53), Ipv4(10, 9, 1, 53)};
    cluster.ntp = {Ipv4(10, 9, 0, 123)};
    cluster.domain = "cluster.example.org";
    cluster.boot.loaders = {"pxelinux", "grub", "ipxe"};
    cluster.boot.dhcp = {"dnsmasq", "dnsmasq-proxy", "isc", "kea", "bootptab", "ethers"};
    cluster.boot.nfs = {"kernel", "ganesha"};
    cluster.boot.http_url = "http://10.9.0.1/";
    site.nodes = {node("node001", Ipv4(10, 9, 1, 1), "52:54:00:12:34:01"),
                  node("node002", Ipv4(10, 9, 1, 2), "52:54:00:12:34:02"), node("login", Ipv4(10, 9, 0, 20), "")};
    for (auto* one : {&site.nodes[0], &site.nodes[1]}) {
        one->groups = {"compute"};
        one->mounts = {{"/home", "/home", ""}};
    }
    for (const auto& resolved : site.nodes) {
        Node plain;
        plain.name = resolved.name;
        plain.address = resolved.address;
        plain.mac = resolved.mac;
        cluster.nodes.push_back(plain);
    }
    cluster.index_nodes();
    return site;
}

inline Result<Rendering> render(const Site& site, std::string_view dialect) {
    Rendering rendering;
    TRY(find_dialect(dialect)->render(site, rendering));
    return rendering;
}

/// The content of a rendered file; empty when there is none.
inline std::string content(const Rendering& rendering, std::string_view path) {
    for (const auto& file : rendering)
        if (file.path == path) return file.content;
    return {};
}

}  // namespace diskless::server::test
