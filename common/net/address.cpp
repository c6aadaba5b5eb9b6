#include "common/net/address.hpp"

#include <bit>

#include "common/base/text.hpp"

namespace diskless {

namespace {
std::string mac_text(const Mac& mac, char separator) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string result;
    for (const auto byte : mac.bytes) {
        if (!result.empty()) result += separator;
        result += kDigits[byte >> 4];
        result += kDigits[byte & 15];
    }
    return result;
}
}  // namespace

std::optional<Ipv4> Ipv4::parse(std::string_view text) {
    const auto parts = split(text, '.');
    if (parts.size() != 4) return std::nullopt;
    std::uint32_t value = 0;
    for (const auto part : parts) {
        const auto octet = parse_number<std::uint8_t>(part);
        if (!octet || (part.size() > 1 && part.front() == '0')) return std::nullopt;
        value = value << 8 | *octet;
    }
    return Ipv4(value);
}

std::string Ipv4::text() const {
    return std::to_string(value >> 24) + '.' + std::to_string(value >> 16 & 255) + '.' +
           std::to_string(value >> 8 & 255) + '.' + std::to_string(value & 255);
}

std::string Ipv4::hex() const {
    static constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string result;
    for (int shift = 28; shift >= 0; shift -= 4) result += kDigits[value >> shift & 15];
    return result;
}

Ipv4 netmask(unsigned prefix) { return Ipv4(prefix == 0 ? 0 : prefix >= 32 ? 0xFFFFFFFFU : ~(0xFFFFFFFFU >> prefix)); }

std::optional<std::uint8_t> prefix_of(Ipv4 mask) {
    const auto ones = static_cast<std::uint8_t>(std::countl_one(mask.value));
    if (mask != netmask(ones)) return std::nullopt;
    return ones;
}

std::uint8_t classful_prefix(Ipv4 address) {
    const std::uint32_t first = address.value >> 24;
    return first < 128 ? 8 : first < 192 ? 16 : 24;
}

Ipv4 network_of(Ipv4 address, unsigned prefix) { return Ipv4(address.value & netmask(prefix).value); }

Ipv4 broadcast_of(Ipv4 address, unsigned prefix) { return Ipv4(address.value | ~netmask(prefix).value); }

bool same_network(Ipv4 a, Ipv4 b, unsigned prefix) { return network_of(a, prefix) == network_of(b, prefix); }

bool is_host_address(Ipv4 address) {
    const std::uint32_t first = address.value >> 24;
    return first != 0 && first != 127 && first < 224;
}

std::optional<Mac> Mac::parse(std::string_view text) {
    std::string digits;
    for (const char c : text) {
        if (c == ':' || c == '-' || c == '.') continue;
        digits += c;
    }
    // BOOTIF=01-aa-bb-cc-dd-ee-ff: hardware type (ARP number, 01 is Ethernet) in front.
    if (digits.size() == 14 && text.size() == 20) digits.erase(0, 2);
    if (digits.size() != 12) return std::nullopt;
    if (text.size() != 12 && text.size() != 14 && text.size() != 17 && text.size() != 20) return std::nullopt;
    Mac mac;
    for (std::size_t i = 0; i < 6; ++i) {
        const auto byte = parse_number<std::uint8_t>(std::string_view(digits).substr(2 * i, 2), 16);
        if (!byte) return std::nullopt;
        mac.bytes[i] = *byte;
    }
    return mac;
}

std::string Mac::text() const { return mac_text(*this, ':'); }
std::string Mac::dashed() const { return mac_text(*this, '-'); }

}  // namespace diskless
