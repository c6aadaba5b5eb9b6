// Is an address somebody's already? ARP (RFC 826) as RFC 5227 uses it: the payload after the Ethernet header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/address.hpp"

namespace diskless {

constexpr std::uint16_t kArpEtherType = 0x0806;

/// Asks who has the address, without claiming it (RFC 5227 section 2.1.1).
std::string build_arp_probe(const Mac& mine, Ipv4 address);

/// Who has the address, or wants it at the same time; nothing when the frame does not tell, or is our own.
std::optional<Mac> arp_conflict(std::string_view frame, const Mac& mine, Ipv4 address);

}  // namespace diskless
