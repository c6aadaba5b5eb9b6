#include "common/net/sntp.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/net/bytes.hpp"

namespace diskless {

namespace {
using std::chrono::nanoseconds;

constexpr std::uint8_t kVersion = 4, kClient = 3, kServer = 4, kUnsynchronised = 3, kUnreachable = 16;
constexpr std::int64_t kEraOffset = 2'208'988'800;  // seconds from 1900 to 1970
constexpr std::int64_t kEraLength = 4'294'967'296;  // 2^32 s
constexpr nanoseconds kLongestRoundTrip = std::chrono::seconds(60);

/// 32.32 fixed point seconds of an NTP era -> time since 1970.
nanoseconds since_1970(std::uint64_t timestamp) {
    auto seconds = static_cast<std::int64_t>(timestamp >> 32);
    if (seconds < kEraLength / 2) seconds += kEraLength;
    const auto fraction = static_cast<std::int64_t>((timestamp & 0xFFFFFFFF) * 1'000'000'000 >> 32);
    return nanoseconds((seconds - kEraOffset) * 1'000'000'000 + fraction);
}

bool agree(const SntpSample& a, const SntpSample& b) {
    return std::chrono::abs(a.offset - b.offset) <= (a.round_trip + b.round_trip) / 2;
}
}  // namespace

std::string build_sntp_request(std::uint64_t cookie) {
    ByteWriter out;
    out.u8(kVersion << 3 | kClient);
    out.zeros(39);
    out.u64(cookie);
    return out.take();
}

Result<SntpSample> parse_sntp_reply(std::string_view bytes, std::uint64_t cookie, nanoseconds sent,
                                    nanoseconds received) {
    ByteReader in(bytes);
    const auto flags = in.u8();
    SntpSample sample;
    sample.stratum = in.u8();
    in.bytes(10);  // poll, precision, root delay, root dispersion
    const auto reference = in.bytes(4);
    in.u64();  // reference timestamp
    const auto originate = in.u64(), receive = in.u64(), transmit = in.u64();

    if (!in.ok()) return fail("time server's answer is cut short");
    if ((flags & 7) != kServer || (flags >> 3 & 7) == 0) return fail("answer is not from a time server");
    if (originate != cookie) return fail("time server's answer is not to our question");
    if (sample.stratum == 0)
        return fail(fmt::format("time server refuses to serve us (kiss code \"{}\")", printable(reference)),
                    "check the restrictions of the time server, or name another one");
    if (flags >> 6 == kUnsynchronised || sample.stratum >= kUnreachable)
        return fail("time server is not synchronised itself", "check the time server's own sources");
    if (receive == 0 || transmit == 0) return fail("time server does not know the time");

    const auto arrived = since_1970(receive), left = since_1970(transmit);
    // Never negative nor absurd: a clock that was set in between, or a server that lies about its own delay.
    const auto elapsed = received - sent, inside = left - arrived;
    if (elapsed < nanoseconds(0) || elapsed > kLongestRoundTrip || inside < nanoseconds(0) || inside > elapsed)
        return fail("time server's timestamps contradict how long its answer took");
    sample.round_trip = elapsed - inside;
    sample.offset = (arrived - sent) / 2 + (left - received) / 2;
    return sample;
}

std::optional<SntpSample> best_sample(const std::vector<SntpSample>& samples) {
    std::optional<SntpSample> best;
    std::ptrdiff_t most = 0;
    for (const auto& sample : samples) {
        const auto supporters = std::count_if(samples.begin(), samples.end(),
                                              [&](const SntpSample& other) { return agree(sample, other); });
        if (supporters < most) continue;
        if (supporters == most && best && best->round_trip <= sample.round_trip) continue;
        most = supporters;
        best = sample;
    }
    return best;
}

}  // namespace diskless
