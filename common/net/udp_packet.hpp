// IPv4 (RFC 791) and UDP (RFC 768) headers, for packet sockets: DHCP talks before the kernel has an address.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/net/address.hpp"

namespace diskless {

struct UdpPacket {
    Ipv4 source, destination;
    std::uint16_t source_port = 0, destination_port = 0;
    std::string_view payload;  // borrowed from the bytes it was parsed from
};

/// The packet from its IP header on, with both checksums.
std::string wrap_udp(const UdpPacket& packet);

/// Reads a packet from its IP header on; bytes after the IP total length (Ethernet padding) are dropped. Refused: what
/// is not IPv4/UDP, fragments, lengths that contradict each other, a wrong IP header checksum. The UDP checksum is not
/// looked at: between virtual machines of one host it is left for hardware that never comes (partial offload).
Result<UdpPacket> unwrap_udp(std::string_view bytes);

/// Internet checksum (RFC 1071) of the bytes, starting with `sum`, a partial sum of 16 bit words.
std::uint16_t internet_checksum(std::string_view bytes, std::uint32_t sum = 0);

}  // namespace diskless
