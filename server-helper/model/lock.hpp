// One program at a time changes a tree.
#pragma once

#include <chrono>
#include <ostream>
#include <string>

#include "common/base/result.hpp"
#include "common/os/descriptor.hpp"

namespace diskless::server {

/// flock(2) on <base>/.lock for as long as it lives; the kernel lets go of it when the process dies.
class TreeLock {
  public:
    /// Waits for another process that holds it, and tells so on `told` after a while; fails when it takes too long,
    /// naming that process.
    static Result<TreeLock> take(const std::string& base, std::ostream* told = nullptr);
    static std::chrono::milliseconds silence, patience;

  private:
    explicit TreeLock(Descriptor file) : file_(std::move(file)) {}
    Descriptor file_;
};

}  // namespace diskless::server
