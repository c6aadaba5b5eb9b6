// Devices and kernel modules. Linux: libudev over /sys (no udevd needed), finit_module(2).
#pragma once

#include <cstdint>
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

/// What of a module file the kernel is given when it is loaded lean: enough to run it, without
/// what takes long to take in. Without a size the file has no such form and is loaded whole.
struct LeanForm {
    std::uint64_t bytes = 0;              // so many from its start, without the signature at its end; 0: no lean form
    std::vector<std::uint64_t> sections;  // offsets of the headers of ELF sections that the kernel is not to see
    std::uint64_t tracer = 0;             // symbol (index) whose calls go: each function's of the tracer; 0: none
    bool operator==(const LeanForm&) const = default;
};

class Modules {
  public:
    virtual ~Modules() = default;
    /// Loads the module file at `path`; one that is loaded already is fine (EEXIST). Lean when it has a lean form; a
    /// kernel that refuses that (Secure Boot: it wants the signature) gets this file and all later ones whole.
    virtual Result<> load(const std::string& path, const std::string& parameters = {}, const LeanForm& lean = {}) = 0;
    /// Names in /proc/modules, dashes as underscores.
    virtual Result<std::vector<std::string>> loaded() const = 0;
};

}  // namespace diskless
