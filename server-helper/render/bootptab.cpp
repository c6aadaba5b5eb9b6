// What clients older than DHCP ask for: bootptab of bootpd 2.4 (bootptab(5)) and RARP's /etc/ethers (ethers(5)).
#include <fmt/core.h>

#include "server-helper/render/boot_program.hpp"
#include "server-helper/render/dhcp_site.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

Result<> render_bootptab(const Site& site, Rendering& out) {
    TRY(check_dhcp_site(site));
    const auto& cluster = site.cluster;
    std::string file = "pxelinux.0";
    for (const auto& program : TRY(boot_programs(cluster)))
        if (program.architecture == 0) file = program.file;
    auto text = fmt::format("# {}\n.diskless:\\\n\t:ht=1:\\\n\t:sm={}:\\\n\t:sa={}:\\\n\t:bf={}:\\\n", kMadeBy,
                            netmask(cluster.prefix).text(), cluster.server.text(),
                            TRY(quoted_without_escapes("the boot program", file)));
    if (cluster.router.is_set()) text += fmt::format("\t:gw={}:\\\n", cluster.router.text());
    if (!cluster.dns.empty()) text += fmt::format("\t:ds={}:\\\n", addresses(cluster.dns, " "));
    if (!cluster.ntp.empty()) text += fmt::format("\t:nt={}:\\\n", addresses(cluster.ntp, " "));
    if (!cluster.domain.empty())
        text += fmt::format("\t:dn={}:\\\n", TRY(quoted_without_escapes("the domain", cluster.domain)));
    text += "\t:hn:\n";
    for (const auto& node : site.nodes) {
        if (!node.mac.is_set() || !node.address.is_set()) continue;
        std::string mac;
        for (const auto byte : node.mac.bytes) mac += fmt::format("{:02X}", byte);
        text += fmt::format("{}:tc=.diskless:ha={}:ip={}:", node.name, mac, node.address.text());
        if (const auto root = root_path_option(site, node); !root.empty())
            text += fmt::format("rp={}:", TRY(quoted_without_escapes("the root path", root)));
        text += "\n";
    }
    out.push_back({"etc/bootptab", std::move(text), {}, {}});
    return {};
}

Result<> render_ethers(const Site& site, Rendering& out) {
    auto text = fmt::format("# {}\n", kMadeBy);
    for (const auto& node : site.nodes)
        if (node.mac.is_set() && node.address.is_set()) text += fmt::format("{} {}\n", node.mac.text(), node.hostname);
    out.push_back({"etc/ethers", std::move(text), {}, {}});
    return {};
}

}  // namespace diskless::server
