#include "common/net/arp.hpp"

#include <gtest/gtest.h>

#include "common/net/bytes.hpp"

namespace diskless {
namespace {

const Mac kMine = *Mac::parse("52:54:00:12:34:56"), kOther = *Mac::parse("52:54:00:00:00:01");
constexpr Ipv4 kWanted(10, 9, 0, 50);

std::string frame(std::uint16_t operation, const Mac& sender, Ipv4 sender_address, Ipv4 target) {
    ByteWriter out;
    out.u16(1);
    out.u16(0x0800);
    out.u8(6);
    out.u8(4);
    out.u16(operation);
    out.mac(sender);
    out.ipv4(sender_address);
    out.mac({});
    out.ipv4(target);
    return out.take();
}

TEST(Arp, ProbeClaimsNothing) {
    EXPECT_EQ(build_arp_probe(kMine, kWanted), frame(1, kMine, {}, kWanted)) << "RFC 5227 section 2.1.1";
}

TEST(Arp, ConflictsAreSeenAndNothingElse) {
    const struct {
        const char* what;
        std::string bytes;
        bool conflict;
    } cases[] = {
        {"an answer", frame(2, kOther, kWanted, {}), true},
        {"an announcement", frame(1, kOther, kWanted, kWanted), true},
        {"its owner asks for somebody", frame(1, kOther, kWanted, Ipv4(10, 9, 0, 1)), true},
        {"another one probes too", frame(1, kOther, {}, kWanted), true},
        {"our own probe", frame(1, kMine, {}, kWanted), false},
        {"our own answer", frame(2, kMine, kWanted, {}), false},
        {"somebody wants to talk to it", frame(1, kOther, Ipv4(10, 9, 0, 1), kWanted), false},
        {"another address", frame(2, kOther, Ipv4(10, 9, 0, 51), {}), false},
        {"RARP", frame(4, kOther, kWanted, {}), false},
        {"padded", frame(2, kOther, kWanted, {}) + std::string(18, '\0'), true},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(arp_conflict(c.bytes, kMine, kWanted).has_value(), c.conflict) << c.what;
        for (std::size_t size = 0; size < 28; ++size)
            EXPECT_FALSE(arp_conflict(std::string_view(c.bytes).substr(0, size), kMine, kWanted)) << "cut short";
        for (const std::size_t header : {0, 1, 2, 3, 4, 5}) {
            auto broken = c.bytes;
            broken[header] = static_cast<char>(broken[header] ^ 0x40);
            EXPECT_FALSE(arp_conflict(broken, kMine, kWanted)) << c.what << ", byte " << header;
        }
    }
    EXPECT_EQ(arp_conflict(frame(2, kOther, kWanted, {}), kMine, kWanted), kOther);
}

}  // namespace
}  // namespace diskless
