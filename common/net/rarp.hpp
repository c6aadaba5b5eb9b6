// Reverse ARP (RFC 903) for Ethernet and IPv4: the payload after the Ethernet header, EtherType 0x8035.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/net/lease.hpp"

namespace diskless {

constexpr std::uint16_t kRarpEtherType = 0x8035;

struct RarpReply {
    Mac target;    // whom it answers
    Ipv4 address;  // the target's address
    Ipv4 server;   // who answered
};

/// Asks for the address that belongs to `mac`.
std::string build_rarp_request(const Mac& mac);

/// Refuses everything but a reply that names a usable host address. Bytes after the 28 of RARP are padding.
Result<RarpReply> parse_rarp_reply(std::string_view frame);

/// All that RARP can tell: address, its classful network, and a server.
Lease lease_of(const RarpReply& reply);

}  // namespace diskless
