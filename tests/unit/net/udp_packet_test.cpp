#include "common/net/udp_packet.hpp"

#include <gtest/gtest.h>

#include "tests/unit/net/packets.hpp"

namespace diskless {
namespace {

using test::hex;

const UdpPacket kHello{Ipv4(10, 9, 0, 1), Ipv4(10, 9, 0, 10), 67, 68, "hello"};

TEST(InternetChecksum, IsThatOfRfc1071) {
    EXPECT_EQ(internet_checksum(hex("00 01 f2 03 f4 f5 f6 f7")), static_cast<std::uint16_t>(~0xDDF2));
    EXPECT_EQ(internet_checksum(hex("ff")), static_cast<std::uint16_t>(~0xFF00));
    EXPECT_EQ(internet_checksum(""), 0xFFFF);
}

TEST(UdpPacket, KnowsARealHeader) {
    // The usual worked example of an IPv4 header checksum (b861), with eight bytes of UDP header behind it.
    const auto header = hex("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7");
    EXPECT_EQ(internet_checksum(header), 0);
    const auto packet = unwrap_udp(header + hex("0043 0044 005f 0000") + std::string(87, 'x'));
    ASSERT_TRUE(packet) << packet.error().cause;
    EXPECT_EQ(packet->source, Ipv4(192, 168, 0, 1));
    EXPECT_EQ(packet->destination_port, 68);
    EXPECT_EQ(packet->payload.size(), 87U);
}

TEST(UdpPacket, ComesOutAsItWentIn) {
    const auto bytes = wrap_udp(kHello);
    const auto packet = unwrap_udp(bytes);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->source, kHello.source);
    EXPECT_EQ(packet->destination, kHello.destination);
    EXPECT_EQ(packet->source_port, 67);
    EXPECT_EQ(packet->payload, "hello");
    EXPECT_EQ(bytes.size(), 33U);
}

TEST(UdpPacket, HasACorrectUdpChecksum) {
    const auto bytes = wrap_udp(kHello);
    // Over pseudo header and datagram a correct checksum sums up to nothing.
    const std::string pseudo = bytes.substr(12, 8) + hex("00 11 00 0d");
    EXPECT_EQ(internet_checksum(pseudo + bytes.substr(20)), 0);
}

TEST(UdpPacket, DropsEthernetPadding) {
    const auto bytes = wrap_udp(kHello) + std::string(13, '\0');
    EXPECT_EQ(unwrap_udp(bytes)->payload, "hello");
}

TEST(UdpPacket, ToleratesUdpChecksumsLeftForTheHardware) {
    auto bytes = wrap_udp(kHello);
    for (const char value : {'\0', '\x55'}) {
        bytes[26] = bytes[27] = value;
        EXPECT_TRUE(unwrap_udp(bytes)) << int{value};
    }
}

/// Changes bytes of the IP header and puts its checksum right again.
std::string with_header(std::size_t at, std::string_view value) {
    auto bytes = wrap_udp(kHello);
    bytes.replace(at, value.size(), value);
    bytes[10] = bytes[11] = 0;
    const auto sum = internet_checksum(std::string_view(bytes).substr(0, 20));
    bytes[10] = static_cast<char>(sum >> 8);
    bytes[11] = static_cast<char>(sum);
    return bytes;
}

TEST(UdpPacket, RefusesWhatItIsNot) {
    struct Case {
        const char* name;
        std::string bytes;
    };
    auto wrong_checksum = wrap_udp(kHello);
    wrong_checksum[10] ^= 1;
    auto long_udp = wrap_udp(kHello);
    long_udp[25] = 100;
    auto short_udp = wrap_udp(kHello);
    short_udp[25] = 7;
    const Case cases[] = {
        {"nothing", ""},
        {"IPv6", with_header(0, "\x65")},
        {"header of four words", with_header(0, "\x44")},
        {"header longer than the packet", with_header(0, "\x4f")},
        {"TCP", with_header(9, "\x06")},
        {"first fragment", with_header(6, std::string_view("\x20\x00", 2))},
        {"last fragment", with_header(6, std::string_view("\x00\x05", 2))},
        {"total length beyond the packet", with_header(2, std::string_view("\x01\x00", 2))},
        {"total length without UDP", with_header(2, std::string_view("\x00\x14", 2))},
        {"IP checksum", wrong_checksum},
        {"UDP length beyond the packet", long_udp},
        {"UDP length below its header", short_udp},
    };
    for (const auto& c : cases) EXPECT_FALSE(unwrap_udp(c.bytes)) << c.name;
    const auto whole = wrap_udp(kHello);
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(unwrap_udp(whole.substr(0, size))) << size;
}

TEST(UdpPacket, DontFragmentIsNoFragment) { EXPECT_TRUE(unwrap_udp(with_header(6, std::string_view("\x40\x00", 2)))); }

}  // namespace
}  // namespace diskless
