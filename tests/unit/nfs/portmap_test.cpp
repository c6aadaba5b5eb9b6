#include "common/nfs/portmap.hpp"

#include <gtest/gtest.h>

#include "common/net/bytes.hpp"

namespace diskless {
namespace {

std::string reply(std::initializer_list<std::uint32_t> words) {
    ByteWriter out;
    for (const auto word : words) out.u32(word);
    return out.take();
}

TEST(Portmap, AsksAsTheStandardSays) {
    const auto call = build_getport_call(0x01020304, kMountProgram, 3, kTcp);
    EXPECT_EQ(call, reply({0x01020304, 0, 2, 100000, 2, 3, 0, 0, 0, 0, 100005, 3, 6, 0}));
}

TEST(Portmap, ReadsThePort) {
    EXPECT_EQ(parse_getport_reply(reply({7, 1, 0, 0, 0, 0, 20048}), 7).value_or(1), 20048);
    EXPECT_EQ(parse_getport_reply(reply({7, 1, 0, 0, 4, 99, 0, 20048}), 7).value_or(1), 20048) << "with a verifier";
    EXPECT_EQ(parse_getport_reply(reply({7, 1, 0, 0, 0, 0, 0}), 7).value_or(1), 0) << "not registered";
}

TEST(Portmap, RefusesWhatIsNoAnswer) {
    EXPECT_FALSE(parse_getport_reply("", 7));
    EXPECT_FALSE(parse_getport_reply(reply({8, 1, 0, 0, 0, 0, 20048}), 7)) << "to another call";
    EXPECT_FALSE(parse_getport_reply(reply({7, 0, 0, 0, 0, 0, 20048}), 7)) << "a call";
    EXPECT_FALSE(parse_getport_reply(reply({7, 1, 1, 0, 2, 2}), 7)) << "denied";
    EXPECT_FALSE(parse_getport_reply(reply({7, 1, 0, 0, 0, 1, 0}), 7)) << "no such program";
    EXPECT_FALSE(parse_getport_reply(reply({7, 1, 0, 0, 0, 0}), 7)) << "cut short";
    EXPECT_FALSE(parse_getport_reply(reply({7, 1, 0, 0, 0, 0, 0x10000}), 7)) << "no port";
    EXPECT_FALSE(parse_getport_reply(reply({7, 1, 0, 0, 0xFFFFFFFF, 0, 0}), 7)) << "a verifier without end";
}

}  // namespace
}  // namespace diskless
