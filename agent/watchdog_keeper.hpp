// Feeds the hardware watchdog, on the way down as long as that may take, and then no more.
#pragma once

#include <optional>
#include <string>

#include "common/os/clock.hpp"
#include "common/os/watchdog.hpp"

namespace diskless {

class WatchdogKeeper {
  public:
    static constexpr Nanoseconds kTryAgain = Seconds{10};   // while there is none: udev loads its driver late
    static constexpr Nanoseconds kStillHere = Seconds{60};  // after stop(): nobody has ended us

    WatchdogKeeper(Watchdog& watchdog, Seconds time) : watchdog_(watchdog), wanted_(time) {}

    Nanoseconds next_due() const { return next_due_; }
    /// Starts it, or feeds it. What is to be said; empty: nothing.
    std::string work(Nanoseconds now);
    /// The way down begins and may take so long: it bites a little later. Fed for the last time now where its time can
    /// be made long enough, else so long before that. Ends the machine if nothing else does. The first call counts.
    void last_meal(Nanoseconds now, Nanoseconds way_down);
    /// This process is about to be ended, and not the node: stopped. Started again when nothing has come of it. What is
    /// to be said.
    std::string stop(Nanoseconds now);

    /// For the status: "fed, resets the node after 60 s".
    std::string text() const;

  private:
    Watchdog& watchdog_;
    Seconds wanted_, time_{0};  // 0: not started
    Nanoseconds next_due_{0};
    std::optional<Nanoseconds> last_meal_at_;  // on the way down
    bool starving_ = false;                    // that is over
    std::string problem_;
};

}  // namespace diskless
