// Devices and kernel modules. Linux: libudev over /sys (no udevd needed), finit_module(2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"

namespace diskless {

class Devices {
  public:
    virtual ~Devices() = default;
    /// The MODALIAS of every device that has one, each once, sorted.
    virtual Result<std::vector<std::string>> modaliases() = 0;
    /// Those of devices that have come since this thread's last look, without waiting for any; others may be among
    /// them. Much cheaper than looking at all again.
    virtual Result<std::vector<std::string>> new_modaliases() = 0;
    /// Waits for kernel device events until one came (true) or the deadline has passed (false).
    virtual bool wait_for_event(Deadline deadline) = 0;
};

class Modules {
  public:
    virtual ~Modules() = default;
    /// Loads the module file at `path`; one that is loaded already is fine (EEXIST).
    virtual Result<> load(const std::string& path, const std::string& parameters = {}) = 0;
    /// Names in /proc/modules, dashes as underscores.
    virtual Result<std::vector<std::string>> loaded() const = 0;
};

}  // namespace diskless
