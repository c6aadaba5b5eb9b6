// SNTP client (RFC 4330; packet format of RFC 5905): one question, one checked answer, a clock offset.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

constexpr std::uint16_t kSntpPort = 123;

/// A question to a time server. `cookie` is random and goes where our own time would: the server returns it, so an
/// answer without it is a forgery or a stray, and nobody learns what a wrong clock thinks.
std::string build_sntp_request(std::uint64_t cookie);

struct SntpSample {
    std::chrono::nanoseconds offset{};      // add it to our clock
    std::chrono::nanoseconds round_trip{};  // without the time the server took; the offset errs by at most half of it
    std::uint8_t stratum = 0;               // 1..15
    bool operator==(const SntpSample&) const = default;
};

/// Checks an answer. `sent` and `received` are our wall clock (since 1970, right or wrong) when the question left and
/// the answer came. Refused: other modes, unsynchronised servers, kiss-o'-death, a foreign cookie, time 0. Server
/// times with the top bit clear are of the era that begins in 2036 (RFC 4330 section 3).
Result<SntpSample> parse_sntp_reply(std::string_view bytes, std::uint64_t cookie, std::chrono::nanoseconds sent,
                                    std::chrono::nanoseconds received);

/// The sample that most others agree with (their error bounds overlap); of equals the one with the shortest round trip.
std::optional<SntpSample> best_sample(const std::vector<SntpSample>& samples);

}  // namespace diskless
