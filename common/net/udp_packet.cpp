#include "common/net/udp_packet.hpp"

#include "common/net/bytes.hpp"

namespace diskless {

namespace {
constexpr std::uint8_t kUdp = 17;
constexpr std::size_t kIpHeader = 20, kUdpHeader = 8;
constexpr std::uint16_t kMoreFragments = 0x2000, kFragmentOffset = 0x1FFF;

std::string ip_header(const UdpPacket& packet, std::size_t udp_size, std::uint16_t checksum) {
    ByteWriter out;
    out.u8(0x45);  // version 4, header of five words
    out.u8(0x10);  // low delay, as other DHCP clients mark it
    out.u16(static_cast<std::uint16_t>(kIpHeader + udp_size));
    out.u16(0);
    out.u16(0);
    out.u8(64);
    out.u8(kUdp);
    out.u16(checksum);
    out.ipv4(packet.source);
    out.ipv4(packet.destination);
    return out.take();
}

std::string udp_datagram(const UdpPacket& packet, std::uint16_t checksum) {
    ByteWriter out;
    out.u16(packet.source_port);
    out.u16(packet.destination_port);
    out.u16(static_cast<std::uint16_t>(kUdpHeader + packet.payload.size()));
    out.u16(checksum);
    out.bytes(packet.payload);
    return out.take();
}
}  // namespace

std::uint16_t internet_checksum(std::string_view bytes, std::uint32_t sum) {
    std::uint64_t total = sum;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const auto high = static_cast<std::uint8_t>(bytes[i]);
        const auto low = i + 1 < bytes.size() ? static_cast<std::uint8_t>(bytes[i + 1]) : 0;
        total += static_cast<std::uint32_t>(high << 8 | low);
    }
    while (total >> 16) total = (total & 0xFFFF) + (total >> 16);
    return static_cast<std::uint16_t>(~total);
}

std::string wrap_udp(const UdpPacket& packet) {
    const auto udp_size = kUdpHeader + packet.payload.size();
    const auto words = [](Ipv4 address) { return (address.value >> 16) + (address.value & 0xFFFF); };
    const auto pseudo_header =
        words(packet.source) + words(packet.destination) + kUdp + static_cast<std::uint32_t>(udp_size);
    auto udp_checksum = internet_checksum(udp_datagram(packet, 0), pseudo_header);
    if (udp_checksum == 0) udp_checksum = 0xFFFF;  // 0 means "no checksum"
    const auto ip_checksum = internet_checksum(ip_header(packet, udp_size, 0));
    return ip_header(packet, udp_size, ip_checksum) + udp_datagram(packet, udp_checksum);
}

Result<UdpPacket> unwrap_udp(std::string_view bytes) {
    ByteReader in(bytes);
    const auto version_and_length = in.u8();
    in.u8();  // type of service
    const std::size_t total = in.u16();
    in.u16();  // identification
    const auto fragment = in.u16();
    in.u8();  // time to live
    const auto protocol = in.u8();
    in.u16();  // checksum
    UdpPacket packet;
    packet.source = in.ipv4();
    packet.destination = in.ipv4();
    const std::size_t header = (version_and_length & 15) * 4U;

    if (!in.ok() || version_and_length >> 4 != 4 || header < kIpHeader) return fail("packet is not IPv4");
    if (total > bytes.size() || total < header + kUdpHeader) return fail("IPv4 packet is cut short");
    if (internet_checksum(bytes.substr(0, header)) != 0) return fail("IPv4 header has a wrong checksum");
    if (fragment & (kMoreFragments | kFragmentOffset)) return fail("IPv4 packet is a fragment");
    if (protocol != kUdp) return fail("IPv4 packet is not UDP");

    ByteReader udp(bytes.substr(header, total - header));
    packet.source_port = udp.u16();
    packet.destination_port = udp.u16();
    const std::size_t length = udp.u16();
    udp.u16();  // checksum, see the header
    if (length < kUdpHeader || length - kUdpHeader > udp.left()) return fail("UDP length contradicts the IPv4 length");
    packet.payload = udp.bytes(length - kUdpHeader);
    return packet;
}

}  // namespace diskless
