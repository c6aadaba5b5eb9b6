// dnsmasq 2.80 or later: DHCP and TFTP of its own (dnsmasq.conf), or beside the site's DHCP server
// (dnsmasq-proxy.conf). The hosts are in a file of their own, which dnsmasq reads again on SIGHUP.
#include <fmt/core.h>

#include "server-helper/render/boot_program.hpp"
#include "server-helper/render/dhcp_site.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

namespace {
using Tags = std::map<std::string, std::string>;  // root path -> tag

Tags root_tags(const Site& site) {
    Tags tags;
    for (const auto& node : site.nodes)
        if (const auto root = root_path_option(site, node); !root.empty()) tags.emplace(root, "");
    std::size_t number = 0;
    for (auto& [root, tag] : tags) tag = fmt::format("root{}", number++);
    return tags;
}

std::string common_part(const Site& site) {
    const auto& cluster = site.cluster;
    auto text = fmt::format("# {}\nport=0\n", kMadeBy);  // no DNS
    text += cluster.boot.interface.empty() ? fmt::format("listen-address={}\n", cluster.server.text())
                                           : fmt::format("interface={}\n", double_quoted(cluster.boot.interface));
    text += "bind-dynamic\n";
    // The file name in its own field, not as an option: shim looks there for the directory of the GRUB that it starts.
    text += "dhcp-no-override\n";
    text += fmt::format("enable-tftp\ntftp-root={}\n", double_quoted(boot_path(cluster, "tftp")));
    return text;
}

/// Tags by architecture, the first program of each, and iPXE's own script.
Result<std::string> boot_part(const Site& site) {
    const auto& cluster = site.cluster;
    const auto script = TRY(ipxe_script(cluster));
    std::string text = "dhcp-match=set:ipxe,175\n";  // iPXE's own encapsulated options
    for (const auto& program : TRY(boot_programs(cluster))) {
        text += fmt::format("dhcp-match=set:{},option:client-arch,{}\n", program.tag, program.architecture);
        // A firmware that boots by HTTP takes only answers of its own class.
        if (program.by_http) text += fmt::format("dhcp-option-force=tag:{},60,HTTPClient\n", program.tag);
        const auto& server = cluster.server;
        const auto not_ipxe = script.empty() ? "" : "tag:!ipxe,";
        text += fmt::format("dhcp-boot=tag:{},{}{},,{}\n", program.tag, not_ipxe, program.file, server.text());
        // Without a tag it is for who names no architecture: BOOTP clients and old boot ROMs.
        if (program.architecture == 0) text += fmt::format("dhcp-boot={},,{}\n", program.file, server.text());
    }
    if (!script.empty()) text += fmt::format("dhcp-boot=tag:ipxe,{},,{}\n", script, cluster.server.text());
    return text;
}

std::string hosts_part(const Site& site, const Tags& tags) {
    std::string text = fmt::format("# {}\n", kMadeBy);
    for (const auto& node : site.nodes) {
        if (!node.mac.is_set()) continue;
        text += node.mac.text();
        const auto tag = tags.find(root_path_option(site, node));
        if (tag != tags.end()) text += ",set:" + tag->second;
        if (node.address.is_set()) text += "," + node.address.text();
        text += "," + node.hostname + "\n";
    }
    return text;
}
}  // namespace

Result<> render_dnsmasq(const Site& site, Rendering& out) {
    TRY(check_dhcp_site(site));
    const auto& cluster = site.cluster;
    const auto mask = netmask(cluster.prefix).text();
    const auto lease = cluster.boot.lease_seconds;
    auto text = common_part(site);
    text += "dhcp-authoritative\n";
    text += cluster.boot.range ? fmt::format("dhcp-range={},{},{},{}\n", cluster.boot.range->first.text(),
                                             cluster.boot.range->last.text(), mask, lease)
                               : fmt::format("dhcp-range={},static,{},{}\n", cluster.network.text(), mask, lease);
    // Without a value the option is not sent; dnsmasq would name itself.
    text += cluster.router.is_set() ? fmt::format("dhcp-option=option:router,{}\n", cluster.router.text())
                                    : "dhcp-option=option:router\n";
    text += cluster.dns.empty() ? "dhcp-option=option:dns-server\n"
                                : fmt::format("dhcp-option=option:dns-server,{}\n", addresses(cluster.dns, ","));
    if (!cluster.ntp.empty()) text += fmt::format("dhcp-option=option:ntp-server,{}\n", addresses(cluster.ntp, ","));
    if (!cluster.domain.empty())
        text += fmt::format("dhcp-option=option:domain-name,{}\n", double_quoted(cluster.domain));
    const auto tags = root_tags(site);
    for (const auto& [root, tag] : tags)
        text += fmt::format("dhcp-option=tag:{},option:root-path,{}\n", tag, double_quoted(root));
    text += TRY(boot_part(site));
    text += fmt::format("dhcp-hostsfile={}\n", double_quoted(boot_path(cluster, "etc/dnsmasq.hosts")));
    out.push_back({"etc/dnsmasq.hosts", hosts_part(site, tags), {}, {}});
    out.push_back({"etc/dnsmasq.conf", std::move(text), {}, {}});
    return {};
}

Result<> render_dnsmasq_proxy(const Site& site, Rendering& out) {
    TRY(check_dhcp_site(site));
    const auto& cluster = site.cluster;
    auto text = common_part(site);
    text += fmt::format("dhcp-range={},proxy,{}\n", cluster.network.text(), netmask(cluster.prefix).text());
    text += "dhcp-ignore=tag:!known\n";  // machines of the site that are not ours are left alone
    text += TRY(boot_part(site));
    // PXE firmware asks a proxy for a boot service; with a single one and no prompt it starts at once.
    static const std::map<unsigned, const char*> kServices = {
        {0, "x86PC"}, {6, "IA32_EFI"}, {7, "BC_EFI"}, {9, "X86-64_EFI"}, {11, "ARM64_EFI"}};
    const auto script = TRY(ipxe_script(cluster));
    const auto not_ipxe = script.empty() ? "" : "tag:!ipxe,";
    text += "pxe-prompt=\"diskless\",0\n";
    for (const auto& program : TRY(boot_programs(cluster)))
        if (const auto service = kServices.find(program.architecture); service != kServices.end()) {
            auto file = program.file;
            // dnsmasq puts ".0" after a name that has no dot.
            if (file.ends_with(".0")) file.resize(file.size() - 2);
            text += fmt::format("pxe-service={}{},\"diskless\",{},{}\n", not_ipxe, service->second, file,
                                cluster.server.text());
        }
    if (!script.empty())
        for (const auto& [architecture, service] : kServices)
            text += fmt::format("pxe-service=tag:ipxe,{},\"diskless\",{},{}\n", service, script, cluster.server.text());
    text += fmt::format("dhcp-hostsfile={}\n", double_quoted(boot_path(cluster, "etc/dnsmasq-proxy.hosts")));
    out.push_back({"etc/dnsmasq-proxy.hosts", hosts_part(site, {}), {}, {}});
    out.push_back({"etc/dnsmasq-proxy.conf", std::move(text), {}, {}});
    return {};
}

}  // namespace diskless::server
