#include "common/net/sntp.hpp"

#include <gtest/gtest.h>

#include "common/net/bytes.hpp"

namespace diskless {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr std::uint64_t kCookie = 0x0123456789ABCDEF;
constexpr std::uint64_t kUnixEpoch = 2'208'988'800;  // in NTP seconds

struct Answer {
    std::uint8_t flags = 0x24;  // no leap warning, version 4, server
    std::uint8_t stratum = 2;
    std::uint64_t originate = kCookie;
    std::uint64_t receive = 0, transmit = 0;
    std::string reference = "GPS\n";

    std::string bytes() const {
        ByteWriter out;
        out.u8(flags);
        out.u8(stratum);
        out.zeros(10);
        out.bytes(reference);
        out.u64(0);
        out.u64(originate);
        out.u64(receive);
        out.u64(transmit);
        return out.take();
    }
};

/// NTP timestamp of a time since 1970, whatever the era.
std::uint64_t ntp(nanoseconds since_1970) {
    const auto count = static_cast<std::uint64_t>(since_1970.count());
    const auto fraction = ((count % 1'000'000'000) << 32) / 1'000'000'000 + 1;
    return (count / 1'000'000'000 + kUnixEpoch) << 32 | fraction;
}

Answer good(nanoseconds server_time) {
    Answer answer;
    answer.receive = answer.transmit = ntp(server_time);
    return answer;
}

TEST(Sntp, AsksWithACookieInsteadOfTheTime) {
    const auto request = build_sntp_request(kCookie);
    ASSERT_EQ(request.size(), 48U);
    EXPECT_EQ(request[0], 0x23);
    EXPECT_EQ(request.substr(1, 39), std::string(39, '\0'));
    EXPECT_EQ(request.substr(40), "\x01\x23\x45\x67\x89\xab\xcd\xef");
}

TEST(Sntp, OffsetIsBetweenTheTwoMiddles) {
    // Sent at 100 s, 30 ms there, 10 ms inside, 30 ms back; the server is 1700000000 s ahead.
    auto answer = good(1'700'000'100s + 30ms);
    answer.transmit = ntp(1'700'000'100s + 40ms);
    const auto sample = parse_sntp_reply(answer.bytes(), kCookie, 100s, 100s + 70ms);
    ASSERT_TRUE(sample) << sample.error().cause;
    EXPECT_NEAR(static_cast<double>((sample->offset - 1'700'000'000s).count()), 0, 10);
    EXPECT_NEAR(static_cast<double>(sample->round_trip.count()), 60e6, 10);
    EXPECT_EQ(sample->stratum, 2);
}

TEST(Sntp, OffsetsGoBackToo) {
    const auto sample = parse_sntp_reply(good(1'000s).bytes(), kCookie, 5'000s, 5'000s);
    ASSERT_TRUE(sample);
    EXPECT_NEAR(static_cast<double>((sample->offset + 4'000s).count()), 0, 10);
}

TEST(Sntp, TheEraOf2036GoesOn) {
    for (const auto day : {2'085'978'495s, 2'085'978'496s, 2'085'978'497s, 3'000'000'000s}) {  // 2036-02-07 06:28:16
        const auto sample = parse_sntp_reply(good(day).bytes(), kCookie, 0s, 0s);
        ASSERT_TRUE(sample);
        EXPECT_NEAR(static_cast<double>((sample->offset - day).count()), 0, 10) << day.count();
    }
}

TEST(Sntp, RefusesAnswersThatAreNone) {
    const auto fine = good(1'700'000'000s);
    const auto refused = [&](const char* name, auto change, nanoseconds received = 1s) {
        auto answer = fine;
        change(answer);
        EXPECT_FALSE(parse_sntp_reply(answer.bytes(), kCookie, 0s, received)) << name;
    };
    ASSERT_TRUE(parse_sntp_reply(fine.bytes(), kCookie, 0s, 1s));
    refused("client", [](Answer& a) { a.flags = 0x23; });
    refused("broadcast", [](Answer& a) { a.flags = 0x25; });
    refused("version 0", [](Answer& a) { a.flags = 0x04; });
    refused("unsynchronised", [](Answer& a) { a.flags = 0xE4; });
    refused("stratum 16", [](Answer& a) { a.stratum = 16; });
    refused("stratum 0", [](Answer& a) { a.stratum = 0; });
    refused("other cookie", [](Answer& a) { a.originate ^= 1; });
    refused("no receive time", [](Answer& a) { a.receive = 0; });
    refused("no transmit time", [](Answer& a) { a.transmit = 0; });
    refused("left before it came", [](Answer& a) { a.receive += std::uint64_t{1} << 32; });
    refused("longer inside than away", [](Answer& a) { a.transmit += std::uint64_t{2} << 32; });
    refused(
        "received before sent", [](Answer&) {}, -1s);
    refused(
        "took an hour", [](Answer&) {}, 3600s);
    for (std::size_t size = 0; size < 48; ++size)
        EXPECT_FALSE(parse_sntp_reply(fine.bytes().substr(0, size), kCookie, 0s, 1s)) << size;
    EXPECT_TRUE(parse_sntp_reply(fine.bytes() + std::string(20, 'x'), kCookie, 0s, 1s)) << "extension fields";
}

TEST(Sntp, AKissOfDeathIsNamed) {
    Answer answer = good(1'700'000'000s);
    answer.stratum = 0;
    answer.reference = "RATE";
    EXPECT_NE(parse_sntp_reply(answer.bytes(), kCookie, 0s, 1s).error().cause.find("RATE"), std::string::npos);
    answer.reference = "\x1b[2J";
    EXPECT_EQ(parse_sntp_reply(answer.bytes(), kCookie, 0s, 1s).error().cause.find('\x1b'), std::string::npos);
}

TEST(BestSample, TheMajorityBeatsTheFastestLiar) {
    const SntpSample liar{500s, 1ms, 1}, slow{10ms, 30ms, 2}, fast{5ms, 10ms, 3};
    EXPECT_EQ(best_sample({liar, slow, fast}), fast);
    EXPECT_EQ(best_sample({slow, fast, liar}), fast);
    EXPECT_EQ(best_sample({slow, liar}), liar) << "one against one: the shorter round trip";
    EXPECT_EQ(best_sample({slow}), slow);
    EXPECT_EQ(best_sample({}), std::nullopt);
}

}  // namespace
}  // namespace diskless
