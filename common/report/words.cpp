#include "common/report/words.hpp"

#include <fmt/core.h>

#include <array>
#include <chrono>
#include <utility>

namespace diskless {

std::string seconds_text(Nanoseconds span, int decimals) {
    const std::int64_t scale = decimals >= 2 ? 100 : 10;
    const bool negative = span.count() < 0;
    const auto magnitude =
        negative ? 0 - static_cast<std::uint64_t>(span.count()) : static_cast<std::uint64_t>(span.count());
    const std::uint64_t unit = 1'000'000'000u / static_cast<std::uint64_t>(scale);
    const std::uint64_t rounded = magnitude / unit + (magnitude % unit >= unit / 2 ? 1 : 0);
    const std::uint64_t whole = rounded / static_cast<std::uint64_t>(scale);
    const std::uint64_t part = rounded % static_cast<std::uint64_t>(scale);
    const char* sign = negative && rounded != 0 ? "-" : "";
    return scale == 100 ? fmt::format("{}{}.{:02} s", sign, whole, part) : fmt::format("{}{}.{} s", sign, whole, part);
}

std::string span_text(std::int64_t seconds) {
    if (seconds < 0) return "-" + span_text(seconds == INT64_MIN ? INT64_MAX : -seconds);
    static constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits{
        {{86'400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}};
    for (std::size_t i = 0; i < kUnits.size(); ++i) {
        const auto [size, name] = kUnits[i];
        if (seconds < size) continue;
        const std::int64_t rest = i + 1 < kUnits.size() ? seconds % size / kUnits[i + 1].first : 0;
        if (rest == 0) return fmt::format("{} {}", seconds / size, name);
        return fmt::format("{} {} {} {}", seconds / size, name, rest, kUnits[i + 1].second);
    }
    return "0 s";
}

std::string bytes_text(std::uint64_t bytes) {
    static constexpr std::array<const char*, 7> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::size_t unit = 0;
    std::uint64_t rest = 0;  // of the last division, below 1024
    while (bytes >= 1024 && unit + 1 < kUnits.size()) {
        rest = bytes % 1024;
        bytes /= 1024;
        ++unit;
    }
    if (unit == 0) return fmt::format("{} B", bytes);
    return fmt::format("{}.{} {}", bytes, rest * 10 / 1024, kUnits[unit]);
}

std::string wall_text(std::int64_t seconds_since_1970) {
    // Years that a 4-digit date can show; what lies outside is no time of a node.
    if (seconds_since_1970 < 0 || seconds_since_1970 > 253'402'300'799) return "no date";
    const auto days = std::chrono::sys_days(std::chrono::days(seconds_since_1970 / 86'400));
    const std::chrono::year_month_day date(days);
    const std::int64_t time = seconds_since_1970 % 86'400;
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time / 3600,
                       time % 3600 / 60, time % 60);
}

}  // namespace diskless
