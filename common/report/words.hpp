// Numbers as people read them, by whole-number arithmetic: no floating point formatting in the node program.
#pragma once

#include <cstdint>
#include <string>

#include "common/os/clock.hpp"

namespace diskless {

/// 1834 ms -> "1.8 s" (one decimal), "1.83 s" (two); rounded, negative spans with their sign.
std::string seconds_text(Nanoseconds span, int decimals = 1);

/// 93784 s -> "1 d 2 h", 7260 s -> "2 h 1 min", 61 s -> "1 min 1 s", 4 s -> "4 s": the two biggest units.
std::string span_text(std::int64_t seconds);

/// 1536 -> "1.5 KiB", 512 -> "512 B".
std::string bytes_text(std::uint64_t bytes);

/// Seconds since 1970 as "2026-11-20 22:33:24 UTC".
std::string wall_text(std::int64_t seconds_since_1970);

}  // namespace diskless
