// What ARP (RFC 826) and Reverse ARP (RFC 903) have in common: 28 bytes for Ethernet and IPv4, after the Ethernet
// header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/net/address.hpp"

namespace diskless {

struct ArpFrame {
    std::uint16_t operation = 0;
    Mac sender;
    Ipv4 sender_address;
    Mac target;
    Ipv4 target_address;
};

std::string to_bytes(const ArpFrame& frame);

/// Bytes after the 28 are padding. Errors go after "the frame is": "cut short", "not for Ethernet and IPv4".
Result<ArpFrame> parse_arp_frame(std::string_view bytes);

}  // namespace diskless
