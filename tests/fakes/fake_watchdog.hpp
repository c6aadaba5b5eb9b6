// A watchdog that bites when it was not fed in time.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "common/os/watchdog.hpp"

namespace diskless {

class FakeWatchdog : public Watchdog {
  public:
    explicit FakeWatchdog(std::function<Nanoseconds()> now) : now_(std::move(now)) {}

    std::optional<Error> problem;
    Seconds most{1000};  // the hardware can
    bool fixed = false;  // its time cannot be changed
    bool no_way_out = false;
    Nanoseconds bites_at = Nanoseconds::max();
    bool has_bitten = false;  // it was fed too late
    Seconds time{0};

    Result<Seconds> start(Seconds wanted) override {
        if (problem) return Failure(*problem);
        if (!fixed || time.count() == 0) time = std::min(wanted, most);
        return (void)feed(), time;
    }
    Result<> feed() override {
        if (problem) return Failure(*problem);
        const auto now = now_();
        has_bitten |= now >= bites_at;
        bites_at = now + time;
        return {};
    }
    Result<> stop() override {
        if (no_way_out) return fail_errno("stop /dev/watchdog", EBUSY);
        bites_at = Nanoseconds::max();
        return {};
    }

  private:
    std::function<Nanoseconds()> now_;
};

}  // namespace diskless
