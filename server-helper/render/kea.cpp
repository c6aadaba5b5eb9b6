// Kea DHCPv4 2.0 or later (kea.readthedocs.io, "The DHCPv4 Server").
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "server-helper/render/boot_program.hpp"
#include "server-helper/render/dhcp_site.hpp"

namespace diskless::server {

namespace {
using Json = nlohmann::ordered_json;

/// Text of an option as Kea splits it: at commas that have no backslash before them.
std::string option_text(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == ',' || c == '\\') result += '\\';
        result += c;
    }
    return result;
}

Json option(const char* name, const std::string& data) { return {{"name", name}, {"data", data}}; }

Result<Json> client_classes(const Cluster& cluster) {
    const auto script = TRY(ipxe_script(cluster));
    auto classes = Json::array();
    if (!script.empty())
        classes.push_back({{"name", "ipxe"}, {"test", "option[77].hex == 'iPXE'"}, {"boot-file-name", script}});
    for (const auto& program : TRY(boot_programs(cluster))) {
        auto test = fmt::format("option[93].hex == 0x{:04x}", program.architecture);
        if (program.architecture == 0) test = "(" + test + " or not option[93].exists)";
        if (!script.empty()) test += " and not member('ipxe')";
        Json entry{{"name", program.tag}, {"test", test}, {"boot-file-name", program.file}};
        if (program.by_http)
            entry["option-data"] =
                Json::array({{{"name", "vendor-class-identifier"}, {"data", "HTTPClient"}, {"always-send", true}}});
        classes.push_back(std::move(entry));
    }
    return classes;
}

Json reservation(const Site& site, const ResolvedNode& node) {
    Json entry{{"hw-address", node.mac.text()}};
    if (node.address.is_set()) entry["ip-address"] = node.address.text();
    entry["hostname"] = node.hostname;
    if (const auto root = root_path_option(site, node); !root.empty())
        entry["option-data"] = Json::array({option("root-path", option_text(root))});
    return entry;
}
}  // namespace

Result<> render_kea(const Site& site, Rendering& out) {
    TRY(check_dhcp_site(site));
    const auto& cluster = site.cluster;
    const auto interface = cluster.boot.interface.empty() ? std::string("*") : cluster.boot.interface;

    auto options = Json::array();
    if (cluster.router.is_set()) options.push_back(option("routers", cluster.router.text()));
    if (!cluster.dns.empty()) options.push_back(option("domain-name-servers", addresses(cluster.dns, ", ")));
    if (!cluster.ntp.empty()) options.push_back(option("ntp-servers", addresses(cluster.ntp, ", ")));
    if (!cluster.domain.empty()) options.push_back(option("domain-name", option_text(cluster.domain)));

    auto pools = Json::array();
    if (const auto& range = cluster.boot.range)
        pools.push_back({{"pool", range->first.text() + " - " + range->last.text()}});
    auto reservations = Json::array();
    for (const auto& node : site.nodes)
        if (node.mac.is_set()) reservations.push_back(reservation(site, node));

    const Json subnet{{"id", 1},
                      {"subnet", fmt::format("{}/{}", cluster.network.text(), cluster.prefix)},
                      {"next-server", cluster.server.text()},
                      {"option-data", std::move(options)},
                      {"pools", std::move(pools)},
                      {"reservations", std::move(reservations)}};
    const auto classes = TRY(client_classes(cluster));
    const Json dhcp{{"user-context", {{"comment", kMadeBy}}},
                    {"interfaces-config", {{"interfaces", {interface}}}},
                    {"lease-database", {{"type", "memfile"}, {"persist", true}}},
                    {"valid-lifetime", cluster.boot.lease_seconds},
                    {"host-reservation-identifiers", {"hw-address"}},
                    {"client-classes", classes},
                    {"subnet4", Json::array({subnet})}};
    const auto replace = Json::error_handler_t::replace;  // bytes that are no UTF-8 do not throw
    out.push_back({"etc/kea-dhcp4.conf", Json{{"Dhcp4", dhcp}}.dump(2, ' ', false, replace) + "\n", {}, {}});
    return {};
}

}  // namespace diskless::server
