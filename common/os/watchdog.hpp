// The hardware watchdog: a clock that resets the machine unless it is fed.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"

namespace diskless {

class Watchdog {
  public:
    virtual ~Watchdog() = default;
    /// Starts it with this time to live; the time that it really has (hardware rounds). Already open: changes the time.
    /// Errors: ENOENT there is none (its driver is not loaded yet), EBUSY somebody else feeds it.
    virtual Result<Seconds> start(Seconds time) = 0;
    virtual Result<> feed() = 0;
    /// Stops it: the machine is not reset any more. Error EBUSY: it cannot be stopped (nowayout), and is to be fed on.
    virtual Result<> stop() = 0;
};

/// /dev/watchdog (Linux, Documentation/watchdog/watchdog-api.rst). Once open it stays armed, also when this process
/// ends.
Watchdog& linux_watchdog();

}  // namespace diskless
