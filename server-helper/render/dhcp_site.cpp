#include "server-helper/render/dhcp_site.hpp"

#include "server-helper/render/quote.hpp"

namespace diskless::server {

Result<> check_dhcp_site(const Site& site) {
    const auto& cluster = site.cluster;
    if (!cluster.server.is_set())
        return fail("cluster.toml does not say the server's address", "write address = \"ADDRESS\" below [server]");
    if (!cluster.network.is_set() || cluster.prefix == 0)
        return fail("cluster.toml does not say the network that DHCP serves",
                    "write network = \"ADDRESS/PREFIX\" below [server]");
    TRY(check_plain("the domain", cluster.domain));
    TRY(check_plain("the interface", cluster.boot.interface));
    TRY(check_plain("the base directory", cluster.base));
    for (const auto& node : site.nodes) TRY_TO("node " + node.name, check_plain("root path", node.root_path));
    return {};
}

std::string root_path_option(const Site& site, const ResolvedNode& node) {
    return node.root_path.empty() ? "" : site.cluster.server.text() + ":" + node.root_path;
}

std::string addresses(const std::vector<Ipv4>& list, std::string_view separator) {
    std::string text;
    for (const auto address : list) text += (text.empty() ? "" : std::string(separator)) + address.text();
    return text;
}

}  // namespace diskless::server
