#pragma once

#include "common/os/devices.hpp"

namespace diskless {

/// libudev over /sys; needs no udevd. Each thread hears events by a socket of its own, which it subscribes before its
/// first look, so that a device that comes between modaliases() and wait_for_event() is not missed.
class LinuxDevices final : public Devices {
  public:
    Result<std::vector<std::string>> modaliases() override;
    Result<std::vector<std::string>> new_modaliases() override;
    bool wait_for_event(Deadline deadline) override;
};

}  // namespace diskless
