#include "common/net/address.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(Ipv4, ReadsDottedQuadsOnly) {
    EXPECT_EQ(Ipv4::parse("172.16.1.10"), Ipv4(172, 16, 1, 10));
    for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.04", "1.2.3.4 ", "0x1.2.3.4", "a.b.c.d"})
        EXPECT_EQ(Ipv4::parse(bad), std::nullopt) << bad;
}

TEST(Ipv4, PrintsAsPxelinuxNamesItsFiles) { EXPECT_EQ(Ipv4(172, 16, 1, 10).hex(), "AC10010A"); }

TEST(Ipv4, KnowsWhatAHostMayHave) {
    for (const auto good : {Ipv4(10, 9, 0, 1), Ipv4(126, 0, 0, 1), Ipv4(128, 0, 0, 1), Ipv4(223, 255, 255, 254)})
        EXPECT_TRUE(is_host_address(good)) << good.text();
    for (const auto bad : {Ipv4(), Ipv4(0, 0, 0, 1), Ipv4(127, 0, 0, 1), Ipv4(224, 0, 0, 1), Ipv4(255, 255, 255, 255)})
        EXPECT_FALSE(is_host_address(bad)) << bad.text();
}

TEST(Netmask, GoesBothWays) {
    for (unsigned prefix = 0; prefix <= 32; ++prefix) EXPECT_EQ(prefix_of(netmask(prefix)), prefix);
    EXPECT_EQ(prefix_of(Ipv4(255, 0, 255, 0)), std::nullopt);
    EXPECT_EQ(network_of(Ipv4(10, 9, 0, 7), 24), Ipv4(10, 9, 0, 0));
    EXPECT_EQ(network_of(Ipv4(10, 9, 0, 7), 0), Ipv4());
    EXPECT_EQ(broadcast_of(Ipv4(10, 9, 0, 7), 24), Ipv4(10, 9, 0, 255));
}

TEST(Mac, ReadsEverySpelling) {
    const Mac mac{{0x00, 0x18, 0xf3, 0x70, 0x91, 0xb9}};
    for (const char* spelling :
         {"00:18:f3:70:91:b9", "00-18-F3-70-91-B9", "0018F37091B9", "0018.f370.91b9", "01-00-18-f3-70-91-b9"})
        EXPECT_EQ(Mac::parse(spelling), mac) << spelling;
    for (const char* bad : {"", "00:18:f3:70:91", "00:18:f3:70:91:b9:00:11", "zz:18:f3:70:91:b9", "00:18:f3:70:91:b"})
        EXPECT_EQ(Mac::parse(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace diskless
