// IPv4 and Ethernet addresses as values: parsed, printed, compared; nothing here knows a socket.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace diskless {

struct Ipv4 {
    std::uint32_t value = 0;  // host byte order; 0.0.0.0 means "not given"

    constexpr Ipv4() = default;
    constexpr explicit Ipv4(std::uint32_t host_order) : value(host_order) {}
    constexpr Ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d)
        : value(std::uint32_t{a} << 24 | std::uint32_t{b} << 16 | std::uint32_t{c} << 8 | d) {}

    constexpr bool is_set() const { return value != 0; }
    constexpr auto operator<=>(const Ipv4&) const = default;

    /// Strict dotted quad (no leading zeros beyond a lone 0, no short forms).
    static std::optional<Ipv4> parse(std::string_view text);
    std::string text() const;
    /// Eight upper-case hexadecimal digits, as PXELINUX names its files: 172.16.1.10 is AC10010A.
    std::string hex() const;
};

/// Mask of a prefix length (0..32).
Ipv4 netmask(unsigned prefix);
/// Prefix length of a contiguous mask ("255.255.255.0" -> 24) or nothing for one with holes.
std::optional<std::uint8_t> prefix_of(Ipv4 mask);
/// Prefix length before RFC 1519: 8, 16 or 24 by class; what the kernel assumes when no mask is given.
std::uint8_t classful_prefix(Ipv4 address);
/// Lowest address of the network: what stands for it, without host bits.
Ipv4 network_of(Ipv4 address, unsigned prefix);
/// Highest address of the network: the broadcast address.
Ipv4 broadcast_of(Ipv4 address, unsigned prefix);
bool same_network(Ipv4 a, Ipv4 b, unsigned prefix);
/// Can the address belong to one host on a wire? Not 0.x, loopback, multicast, reserved nor the broadcast address.
bool is_host_address(Ipv4 address);

/// A destination network and the router to it; router 0.0.0.0 means on-link.
struct Route {
    Ipv4 destination;
    std::uint8_t prefix = 0;
    Ipv4 router;
    bool operator==(const Route&) const = default;
};

struct Mac {
    std::array<std::uint8_t, 6> bytes{};

    constexpr auto operator<=>(const Mac&) const = default;
    bool is_set() const { return *this != Mac{}; }

    /// "aa:bb:cc:dd:ee:ff", "aa-bb-…", "aabb.ccdd.eeff", bare 12 digits; upper or lower case. PXELINUX' BOOTIF form
    /// with a leading hardware type ("01-aa-…") is accepted too.
    static std::optional<Mac> parse(std::string_view text);
    std::string text() const;    // lower case, colons
    std::string dashed() const;  // lower case, dashes (PXELINUX file names)
};

}  // namespace diskless
