// A clock that only moves when somebody sleeps on it, and can be told to jump.
#pragma once

#include "common/os/clock.hpp"

namespace diskless {

class FakeClock : public Clock {
  public:
    Nanoseconds now() const override { return now_; }
    Nanoseconds wall() const override { return now_ + wall_minus_now_; }
    Result<> set_wall(Nanoseconds since_epoch) override {
        wall_minus_now_ = since_epoch - now_;
        return {};
    }
    void sleep(Nanoseconds duration) override { advance(duration); }

    void advance(Nanoseconds duration) { now_ += duration; }

  private:
    Nanoseconds now_{Seconds{2}};  // the kernel had two seconds before us
    Nanoseconds wall_minus_now_{Seconds{1'700'000'000}};
};

}  // namespace diskless
