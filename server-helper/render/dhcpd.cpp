// ISC dhcpd 4 (dhcpd.conf(5), dhcp-options(5)).
#include <fmt/core.h>

#include "server-helper/render/boot_program.hpp"
#include "server-helper/render/dhcp_site.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

namespace {
Result<std::string> boot_part(const Cluster& cluster) {
    const auto script = TRY(ipxe_script(cluster));
    std::string text = "option architecture code 93 = unsigned integer 16;\n";
    std::string branch = "if";
    if (!script.empty()) {
        text += fmt::format("if exists user-class and option user-class = \"iPXE\" {{\n    filename {};\n}}",
                            double_quoted(script));
        branch = " elsif";
    }
    for (const auto& program : TRY(boot_programs(cluster))) {
        text += fmt::format("{} option architecture = {:02x}:{:02x} {{\n", branch, program.architecture >> 8,
                            program.architecture & 0xff);
        if (program.by_http) text += "    option vendor-class-identifier \"HTTPClient\";\n";
        text += fmt::format("    filename {};\n}}", double_quoted(program.file));
        branch = " elsif";
        // Old BIOS boot ROMs and BOOTP clients name no architecture: they come last.
    }
    for (const auto& program : TRY(boot_programs(cluster)))
        if (program.architecture == 0)
            text += fmt::format(" else {{\n    filename {};\n}}", double_quoted(program.file));
    return text + "\n";
}

std::string host_part(const ResolvedNode& node) {
    auto text = fmt::format("    host {} {{ hardware ethernet {};", node.name, node.mac.text());
    if (node.address.is_set()) text += fmt::format(" fixed-address {};", node.address.text());
    return text + fmt::format(" option host-name {}; }}\n", double_quoted(node.hostname));
}
}  // namespace

Result<> render_dhcpd(const Site& site, Rendering& out) {
    TRY(check_dhcp_site(site));
    const auto& cluster = site.cluster;
    auto text = fmt::format(
        "# {0}\n"
        "ddns-update-style none;\n"
        "authoritative;\n"
        "allow booting;\n"
        "allow bootp;\n"
        "default-lease-time {1};\n"
        "max-lease-time {1};\n"
        "next-server {2};\n",
        kMadeBy, cluster.boot.lease_seconds, cluster.server.text());
    if (!cluster.boot.range) text += "deny unknown-clients;\n";
    if (!cluster.domain.empty()) text += fmt::format("option domain-name {};\n", double_quoted(cluster.domain));
    if (!cluster.dns.empty()) text += fmt::format("option domain-name-servers {};\n", addresses(cluster.dns, ", "));
    if (!cluster.ntp.empty()) text += fmt::format("option ntp-servers {};\n", addresses(cluster.ntp, ", "));
    text += TRY(boot_part(cluster));
    text += fmt::format("subnet {} netmask {} {{\n", cluster.network.text(), netmask(cluster.prefix).text());
    if (cluster.router.is_set()) text += fmt::format("    option routers {};\n", cluster.router.text());
    if (cluster.boot.range)
        text += fmt::format("    range {} {};\n", cluster.boot.range->first.text(), cluster.boot.range->last.text());
    text += "}\n";

    std::map<std::string, std::string> hosts;  // by root path
    for (const auto& node : site.nodes)
        if (node.mac.is_set()) hosts[root_path_option(site, node)] += host_part(node);
    for (const auto& [root, entries] : hosts) {
        text += "group {\n";
        if (!root.empty()) text += fmt::format("    option root-path {};\n", double_quoted(root));
        text += entries + "}\n";
    }
    out.push_back({"etc/dhcpd.conf", std::move(text), {}, {}});
    return {};
}

}  // namespace diskless::server
