#include "common/net/arp_frame.hpp"

#include "common/net/bytes.hpp"

namespace diskless {

namespace {
constexpr std::uint16_t kEthernet = 1, kIpv4 = 0x0800;
}

std::string to_bytes(const ArpFrame& frame) {
    ByteWriter out;
    out.u16(kEthernet);
    out.u16(kIpv4);
    out.u8(6);
    out.u8(4);
    out.u16(frame.operation);
    out.mac(frame.sender);
    out.ipv4(frame.sender_address);
    out.mac(frame.target);
    out.ipv4(frame.target_address);
    return out.take();
}

Result<ArpFrame> parse_arp_frame(std::string_view bytes) {
    ByteReader in(bytes);
    const auto hardware = in.u16(), protocol = in.u16();
    const auto hardware_size = in.u8(), protocol_size = in.u8();
    ArpFrame frame;
    frame.operation = in.u16();
    frame.sender = in.mac();
    frame.sender_address = in.ipv4();
    frame.target = in.mac();
    frame.target_address = in.ipv4();
    if (!in.ok()) return fail("cut short");
    if (hardware != kEthernet || protocol != kIpv4 || hardware_size != 6 || protocol_size != 4)
        return fail("not for Ethernet and IPv4");
    return frame;
}

}  // namespace diskless
