#include "init/network/candidates.hpp"

#include <algorithm>

#include "common/net/root_path.hpp"
#include "common/nfs/servers.hpp"

namespace diskless {

namespace {

constexpr std::uint16_t kEthernet = 1, kInfiniband = 32;  // ARPHRD_* of if_arp.h

const InterfaceConfig* meant_for(const NetworkConfig& config, const Link& link) {
    const InterfaceConfig* open = nullptr;
    for (const auto& how : config.interfaces) {
        if (how.name == link.name || (how.mac && *how.mac == link.mac)) return &how;
        if (how.name.empty() && !how.mac && open == nullptr) open = &how;
    }
    return open;
}

bool preferred(const NetworkConfig& config, const Link& link) {
    if (config.boot_mac && *config.boot_mac == link.mac) return true;
    return !config.boot_device.empty() && config.boot_device == link.name;
}

}  // namespace

bool has_preference(const NetworkConfig& config) { return config.boot_mac || !config.boot_device.empty(); }

std::vector<Candidate> choose_candidates(const NetworkConfig& config, const std::vector<Link>& links,
                                         bool preferred_only) {
    static const InterfaceConfig kDhcp;
    std::vector<Candidate> all;
    for (const auto& link : links) {
        if (link.hardware_type != kEthernet && link.hardware_type != kInfiniband) continue;
        const auto* how = config.interfaces.empty() ? &kDhcp : meant_for(config, link);
        if (how == nullptr || how->method == AddressMethod::none) continue;
        if (preferred_only && !preferred(config, link)) continue;
        all.push_back({link, *how});
    }
    return all;
}

Lease fixed_lease(const InterfaceConfig& how) {
    Lease lease;
    lease.source = LeaseSource::fixed;
    lease.address = how.address;
    lease.prefix = how.prefix != 0 ? how.prefix : classful_prefix(how.address);
    if (how.gateway.is_set()) lease.routers = {how.gateway};
    lease.dns = how.dns;
    lease.ntp = how.ntp;
    lease.hostname = how.hostname;
    lease.mtu = how.mtu;
    return lease;
}

LeaseRequest lease_request(const NetworkConfig& config, const Candidate& candidate, std::string_view hostname,
                           bool root_from_lease, std::uint64_t seed) {
    const auto& how = candidate.how;
    LeaseRequest request;
    request.mac = candidate.link.mac;
    request.methods.dhcp = how.method == AddressMethod::dhcp || how.method == AddressMethod::any;
    request.methods.bootp = how.method == AddressMethod::bootp || how.method == AddressMethod::any || how.bootp_too;
    request.methods.rarp = how.method == AddressMethod::rarp || how.method == AddressMethod::any || how.rarp_too;
    request.client_id.assign(how.client_id.begin(), how.client_id.end());
    request.vendor_class = config.vendor_class;
    request.hostname = how.hostname.empty() ? std::string(hostname) : how.hostname;
    request.prefer_root_path = root_from_lease;
    request.seed = seed;
    return request;
}

std::vector<Route> routes_for(const NetworkConfig& config, const Link& link, const Lease& lease) {
    std::vector<Route> routes;
    for (const auto& fixed : config.routes)
        if (fixed.interface.empty() || fixed.interface == link.name) routes.push_back(fixed.route);
    if (!lease.routes.empty())
        routes.insert(routes.end(), lease.routes.begin(), lease.routes.end());
    else if (!lease.routers.empty())
        routes.push_back({Ipv4(), 0, lease.routers.front()});
    // A router must be reachable before a route can go through it: on-link ones first.
    std::ranges::stable_sort(routes, {}, [](const Route& route) { return route.router.is_set(); });
    return routes;
}

Result<NfsSource> resolve_root(const BootConfig& config, const InterfaceConfig& how, const Lease& lease) {
    NfsSource source = config.root.source;
    Ipv4 server_of_path;
    if (source.path.empty()) {
        if (!lease.root_path.empty()) {
            const auto root = TRY_TO("root-path of the DHCP server", parse_root_path(lease.root_path));
            source.path = root.path;
            server_of_path = root.server;
            if (source.options.empty()) source.options = root.options;
            if (root.version == "4" && source.version == NfsVersion::automatic) source.version = NfsVersion::v4;
        } else {
            source.path = "/tftpboot/%s";  // Documentation/admin-guide/nfs/nfsroot.rst
        }
    }
    if (source.servers.empty())
        for (const auto server : {server_of_path, how.server, lease.next_server, lease.server_id})
            if (server.is_set()) {
                source.servers = {server};
                break;
            }
    if (source.servers.empty())
        return fail("no NFS server is known: the command line names none and neither does the lease",
                    "add nfsroot=<server>:<directory> to the command line, or option root-path to the DHCP server");
    const auto& hostname = config.hostname.empty() ? lease.hostname : config.hostname;
    source.path = expand_path_template(source.path, hostname, lease.address);
    return source;
}

}  // namespace diskless
