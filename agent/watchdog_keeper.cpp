#include "agent/watchdog_keeper.hpp"

#include <fmt/core.h>

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
    if (const auto fed = watchdog_.feed(); !fed) {
        if (std::exchange(problem_, fed.error().cause) == problem_) return {};
        return fmt::format("cannot feed the watchdog: {}; it resets the node within {} s", problem_, time_.count());
    }
    problem_.clear();
    return first ? fmt::format("the watchdog resets the node when it is not fed for {} s", time_.count())
                 : std::string();
}

void WatchdogKeeper::last_meal(Nanoseconds way_down) {
    if (std::exchange(starving_, true) || time_.count() == 0) return;
    next_due_ = Nanoseconds::max();
    constexpr Seconds kGrace{10};
    if (const auto needed = std::chrono::ceil<Seconds>(way_down) + kGrace; needed > time_)
        time_ = watchdog_.start(needed).value_or(time_);
    (void)watchdog_.feed();
}

std::string WatchdogKeeper::text() const {
    if (time_.count() == 0) return problem_.empty() ? "not started" : "none: " + problem_;
    if (starving_) return fmt::format("fed for the last time, resets the node after {} s", time_.count());
    if (!problem_.empty()) return "cannot be fed: " + problem_;
    return fmt::format("fed, resets the node when it is not for {} s", time_.count());
}

}  // namespace diskless
