#include "common/net/rarp.hpp"

#include <gtest/gtest.h>

#include "tests/unit/net/packets.hpp"

namespace diskless {
namespace {

using test::hex;

const Mac kMac = *Mac::parse("52:54:00:12:34:56");
const std::string kReply = hex("0001 0800 06 04 0004 525400aabbcc 0a090001 525400123456 0a09000a");

TEST(Rarp, AsksAsRfc903Says) {
    EXPECT_EQ(build_rarp_request(kMac), hex("0001 0800 06 04 0003 525400123456 00000000 525400123456 00000000"));
}

TEST(Rarp, ReadsAReplyWithEthernetPadding) {
    const auto reply = parse_rarp_reply(kReply + std::string(18, '\0'));
    ASSERT_TRUE(reply) << reply.error().cause;
    EXPECT_EQ(reply->target, kMac);
    EXPECT_EQ(reply->address, Ipv4(10, 9, 0, 10));
    EXPECT_EQ(reply->server, Ipv4(10, 9, 0, 1));
    const auto lease = lease_of(*reply);
    EXPECT_EQ(lease.source, LeaseSource::rarp);
    EXPECT_EQ(lease.prefix, 8);
    EXPECT_EQ(lease.next_server, Ipv4(10, 9, 0, 1));
}

TEST(Rarp, RefusesWhatIsNoReplyForUs) {
    for (std::size_t size = 0; size < kReply.size(); ++size) EXPECT_FALSE(parse_rarp_reply(kReply.substr(0, size)));
    for (const auto& [at, value] :
         {std::pair{1, '\x06'}, {2, '\x86'}, {4, '\x08'}, {5, '\x10'}, {7, '\x03'}, {7, '\x02'}}) {
        auto frame = kReply;
        frame[static_cast<std::size_t>(at)] = value;
        EXPECT_FALSE(parse_rarp_reply(frame)) << at;
    }
    for (const auto* address : {"00000000", "7f000001", "e0000001", "ffffffff"})
        EXPECT_FALSE(parse_rarp_reply(kReply.substr(0, 24) + hex(address))) << address;
}

}  // namespace
}  // namespace diskless
