// Feeds the hardware watchdog until the way down begins.
#pragma once

#include <string>

#include "common/os/clock.hpp"
#include "common/os/watchdog.hpp"

namespace diskless {

class WatchdogKeeper {
  public:
    static constexpr Nanoseconds kTryAgain = Seconds{10};  // while there is none: udev loads its driver late

    WatchdogKeeper(Watchdog& watchdog, Seconds time) : watchdog_(watchdog), wanted_(time) {}

    Nanoseconds next_due() const { return next_due_; }
    /// Starts it, or feeds it. What is to be said; empty: nothing.
    std::string work(Nanoseconds now);
    /// The way down begins and may take so long: fed once more, and never again. Ends the machine if nothing else does.
    void last_meal(Nanoseconds way_down);

    /// For the status: "fed, resets the node after 60 s".
    std::string text() const;

  private:
    Watchdog& watchdog_;
    Seconds wanted_, time_{0};  // 0: not started
    Nanoseconds next_due_{0};
    bool starving_ = false;
    std::string problem_;
};

}  // namespace diskless
