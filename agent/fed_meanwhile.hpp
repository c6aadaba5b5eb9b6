// Feeds the watchdog while the loop that does so stands still: as long as the machine is taken down.
#pragma once

#include <atomic>
#include <thread>

#include "agent/watchdog_keeper.hpp"
#include "common/os/clock.hpp"
#include "common/os/machine.hpp"

namespace diskless {

/// By a thread, from its making to its end; nobody else may use `watchdog` meanwhile. Where the system has no thread
/// for it, what it was fed last has to do.
class FedMeanwhile {
  public:
    /// nullptr: there is none to be fed.
    FedMeanwhile(Clock& clock, Machine& machine, WatchdogKeeper* watchdog);
    FedMeanwhile(const FedMeanwhile&) = delete;
    FedMeanwhile& operator=(const FedMeanwhile&) = delete;
    ~FedMeanwhile();

  private:
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

}  // namespace diskless
