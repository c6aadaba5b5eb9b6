#include "common/net/arp.hpp"

#include "common/net/arp_frame.hpp"

namespace diskless {

namespace {
constexpr std::uint16_t kRequest = 1, kReply = 2;
}

std::string build_arp_probe(const Mac& mine, Ipv4 address) {
    return to_bytes({.operation = kRequest, .sender = mine, .target_address = address});
}

std::optional<Mac> arp_conflict(std::string_view frame, const Mac& mine, Ipv4 address) {
    const auto arp = parse_arp_frame(frame);
    if (!arp || arp->sender == mine || (arp->operation != kRequest && arp->operation != kReply)) return std::nullopt;
    const bool probes = arp->operation == kRequest && !arp->sender_address.is_set() && arp->target_address == address;
    if (arp->sender_address != address && !probes) return std::nullopt;
    return arp->sender;
}

}  // namespace diskless
