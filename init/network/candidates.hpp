// Which interfaces may carry the root, and how each gets its address. Pure.
#pragma once

#include <vector>

#include "common/net/lease_machine.hpp"
#include "common/os/links.hpp"
#include "init/config.hpp"

namespace diskless {

struct Candidate {
    Link link;
    InterfaceConfig how;
};

/// The Ethernet and InfiniBand links that the configuration means: with `preferred_only` just the one of BOOTIF= or
/// bootdev= (nothing when it is absent), else every link that an ip= names or leaves open.
std::vector<Candidate> choose_candidates(const NetworkConfig& config, const std::vector<Link>& links,
                                         bool preferred_only = false);

/// Does the configuration say which link the firmware booted from?
bool has_preference(const NetworkConfig& config);

/// The lease that a fixed ip= amounts to.
Lease fixed_lease(const InterfaceConfig& how);

/// The question to ask on this link.
LeaseRequest lease_request(const NetworkConfig& config, const Candidate& candidate, std::string_view hostname,
                           bool root_from_lease, std::uint64_t seed);

/// What the routing table must hold for this lease: the configuration's own routes; then classless static routes alone
/// when there are any (RFC 3442), else the first router. On-link ones are before all others.
std::vector<Route> routes_for(const NetworkConfig& config, const Link& link, const Lease& lease);

/// Where the root is, once a lease has filled in what the command line left open. An error when nobody names a server.
Result<NfsSource> resolve_root(const BootConfig& config, const InterfaceConfig& how, const Lease& lease);

}  // namespace diskless
