#include "agent/watchdog_keeper.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace diskless {

std::string WatchdogKeeper::work(Nanoseconds now) {
    if (starving_) return {};
    const auto started = time_.count() == 0 ? watchdog_.start(wanted_) : Result<Seconds>(time_);
    if (!started) {
        next_due_ = now + kTryAgain;
        if (std::exchange(problem_, started.error().cause) == problem_) return {};
        return fmt::format("no watchdog: {}, trying again every {} s", problem_, kTryAgain / Seconds{1});
    }
    const bool first = std::exchange(time_, *started) != *started;
    next_due_ = now + Nanoseconds{time_} / 3;
    if (last_meal_at_) {
        starving_ = now >= *last_meal_at_;
        next_due_ = starving_ ? Nanoseconds::max() : std::min(next_due_, *last_meal_at_);
    }
    if (const auto fed = watchdog_.feed(); !fed) {
        if (std::exchange(problem_, fed.error().cause) == problem_) return {};
        return fmt::format("cannot feed the watchdog: {}; it resets the node within {} s", problem_, time_.count());
    }
    problem_.clear();
    return first ? fmt::format("the watchdog resets the node when it is not fed for {} s", time_.count())
                 : std::string();
}

void WatchdogKeeper::last_meal(Nanoseconds now, Nanoseconds way_down) {
    if (last_meal_at_) return;
    last_meal_at_ = now;
    if (time_.count() == 0) {
        starving_ = true;
        next_due_ = Nanoseconds::max();
        return;
    }
    constexpr Seconds kGrace{10};
    const auto needed = std::chrono::ceil<Seconds>(way_down) + kGrace;
    if (needed > time_) time_ = watchdog_.start(needed).value_or(time_);
    // Hardware holds 255 s at most, or always the same.
    if (needed > time_) last_meal_at_ = now + needed - time_;
    (void)work(now);
}

std::string WatchdogKeeper::stop(Nanoseconds now) {
    if (time_.count() == 0 || last_meal_at_) return {};
    if (const auto stopped = watchdog_.stop(); !stopped)
        return fmt::format("cannot stop the watchdog: {}; it resets the node {} s after this process has ended",
                           stopped.error().cause, time_.count());
    time_ = Seconds{0};
    next_due_ = now + kStillHere;
    return "the watchdog is stopped";
}

std::string WatchdogKeeper::text() const {
    if (time_.count() == 0) return problem_.empty() ? "not started" : "none: " + problem_;
    if (starving_) return fmt::format("fed for the last time, resets the node after {} s", time_.count());
    if (last_meal_at_) return "fed on the way down, resets the node when that takes too long";
    if (!problem_.empty()) return "cannot be fed: " + problem_;
    return fmt::format("fed, resets the node when it is not for {} s", time_.count());
}

}  // namespace diskless
