#pragma once

#include "common/os/clock.hpp"

namespace diskless {

class LinuxClock final : public Clock {
  public:
    Nanoseconds now() const override;
    Nanoseconds wall() const override;
    Result<> set_wall(Nanoseconds since_epoch) override;
    void sleep(Nanoseconds duration) override;
};

/// It has no state: one is enough for all.
LinuxClock& linux_clock();

}  // namespace diskless
