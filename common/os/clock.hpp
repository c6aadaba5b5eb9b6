// Time as an interface, so that stories that last hours are tested in microseconds.
#pragma once

#include <chrono>

#include "common/base/result.hpp"

namespace diskless {

using Nanoseconds = std::chrono::nanoseconds;
using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

class Clock {
  public:
    virtual ~Clock() = default;
    /// Time since the kernel started (CLOCK_BOOTTIME): never jumps, counts suspend; comparable with kmsg within 50 ms.
    virtual Nanoseconds now() const = 0;
    /// Time since 1970-01-01 UTC (CLOCK_REALTIME).
    virtual Nanoseconds wall() const = 0;
    virtual Result<> set_wall(Nanoseconds since_epoch) = 0;
    virtual void sleep(Nanoseconds duration) = 0;
};

/// A moment after which a wait is over. Passed down to everything that waits.
struct Deadline {
    Nanoseconds at{Nanoseconds::max()};

    static Deadline after(const Clock& clock, Nanoseconds duration) {
        const auto now = clock.now();
        return {duration > Nanoseconds::max() - now ? Nanoseconds::max() : now + duration};
    }
    Nanoseconds left(const Clock& clock) const {
        const auto now = clock.now();
        return at > now ? at - now : Nanoseconds{0};
    }
    bool passed(const Clock& clock) const { return clock.now() >= at; }
    Deadline sooner_of(Deadline other) const { return {at < other.at ? at : other.at}; }
};

}  // namespace diskless
