// A watchdog by its character device (Linux, Documentation/watchdog/watchdog-api.rst).
#pragma once

#include <string>
#include <utility>

#include "common/os/descriptor.hpp"
#include "common/os/watchdog.hpp"

namespace diskless {

class LinuxWatchdog final : public Watchdog {
  public:
    explicit LinuxWatchdog(std::string device = "/dev/watchdog") : path_(std::move(device)) {}

    Result<Seconds> start(Seconds time) override;
    Result<> feed() override;
    Result<> stop() override;

  private:
    std::string path_;
    Descriptor device_;
};

}  // namespace diskless
