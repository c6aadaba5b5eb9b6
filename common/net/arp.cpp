#include "common/net/arp.hpp"

#include "common/net/bytes.hpp"

namespace diskless {

namespace {
constexpr std::uint16_t kEthernet = 1, kIpv4 = 0x0800, kRequest = 1, kReply = 2;
}

std::string build_arp_probe(const Mac& mine, Ipv4 address) {
    ByteWriter out;
    out.u16(kEthernet);
    out.u16(kIpv4);
    out.u8(6);
    out.u8(4);
    out.u16(kRequest);
    out.mac(mine);
    out.ipv4({});
    out.mac({});
    out.ipv4(address);
    return out.take();
}

std::optional<Mac> arp_conflict(std::string_view frame, const Mac& mine, Ipv4 address) {
    ByteReader in(frame);
    const auto hardware = in.u16(), protocol = in.u16();
    const auto hardware_size = in.u8(), protocol_size = in.u8();
    const auto operation = in.u16();
    const Mac sender = in.mac();
    const Ipv4 sender_address = in.ipv4();
    in.mac();
    const Ipv4 target = in.ipv4();
    if (!in.ok() || hardware != kEthernet || protocol != kIpv4 || hardware_size != 6 || protocol_size != 4)
        return std::nullopt;
    if (sender == mine || (operation != kRequest && operation != kReply)) return std::nullopt;
    const bool probes = operation == kRequest && !sender_address.is_set() && target == address;
    if (sender_address != address && !probes) return std::nullopt;
    return sender;
}

}  // namespace diskless
