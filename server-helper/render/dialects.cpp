#include <fmt/core.h>

#include <algorithm>

#include "server-helper/render/rendered.hpp"

namespace diskless::server {

const std::vector<Dialect>& dialects() {
    static const std::vector<Dialect> table = {
        {"exports", "/etc/exports of the kernel's NFS server", render_exports},
        {"ganesha", "configuration of NFS-Ganesha", render_ganesha},
        {"pxelinux", "PXELINUX menus by MAC and by address", render_pxelinux},
        {"grub", "GRUB network menus by MAC and by address, for BIOS and UEFI", render_grub},
        {"ipxe", "iPXE scripts by MAC and by address", render_ipxe},
        {"http", "the same menus for UEFI HTTP boot and iPXE over HTTP", render_http},
        {"hosts", "/etc/hosts", render_hosts},
        {"ethers", "/etc/ethers for RARP", render_ethers},
        {"bootptab", "/etc/bootptab for bootpd", render_bootptab},
        {"clustershell", "ClusterShell node groups", render_clustershell},
        {"dnsmasq", "dnsmasq as DHCP and TFTP server", render_dnsmasq},
        {"dnsmasq-proxy", "dnsmasq beside the site's own DHCP server", render_dnsmasq_proxy},
        {"isc", "ISC dhcpd", render_dhcpd},
        {"kea", "Kea DHCPv4", render_kea},
        {"systemd", "systemd units that start the servers", render_systemd},
    };
    return table;
}

const Dialect* find_dialect(std::string_view name) {
    const auto& table = dialects();
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const auto& dialect) { return dialect.name == name; });
    return found == table.end() ? nullptr : &*found;
}

std::vector<std::string_view> wanted_dialects(const Cluster& cluster) {
    const auto& boot = cluster.boot;
    const auto has = [](const std::vector<std::string>& list, std::string_view name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    std::vector<std::string_view> wanted;
    for (const auto& dialect : dialects()) {
        const auto name = dialect.name;
        const bool always = name == "hosts" || name == "clustershell" || name == "systemd";
        const bool chosen = has(boot.loaders, name) || has(boot.dhcp, name) ||
                            has(boot.nfs, name == "exports" ? std::string_view("kernel") : name);
        if (always || chosen || (name == "http" && !boot.http_url.empty())) wanted.push_back(name);
    }
    return wanted;
}

Result<Site> make_site(Cluster cluster) {
    std::vector<Error> problems;
    auto site = make_site(std::move(cluster), problems);
    if (problems.empty()) return site;
    auto& first = problems.front();
    if (const auto more = problems.size() - 1; more > 0)
        first.cause += fmt::format(", and {} more node{} cannot boot", more, more == 1 ? "" : "s");
    return Failure(std::move(first));
}

Site make_site(Cluster cluster, std::vector<Error>& problems) {
    Site site;
    site.nodes.reserve(cluster.nodes.size());
    for (const auto& node : cluster.nodes) {
        if (auto resolved = resolve(cluster, node))
            site.nodes.push_back(std::move(*resolved));
        else
            problems.push_back(std::move(resolved.error()));
    }
    site.cluster = std::move(cluster);
    return site;
}

std::map<std::string, std::vector<std::string>> nodes_without_root(const Site& site) {
    std::map<std::string, std::vector<std::string>> by_image;
    for (const auto& node : site.nodes)
        if (!names_root(node)) by_image[node.image].push_back(node.name);
    return by_image;
}

}  // namespace diskless::server
