// One program at a time changes a tree.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/os/descriptor.hpp"

namespace diskless::server {

/// flock(2) on <base>/.lock for as long as it lives; the kernel lets go of it when the process dies.
class TreeLock {
  public:
    /// Fails at once when another process holds it, naming that process.
    static Result<TreeLock> take(const std::string& base);

  private:
    explicit TreeLock(Descriptor file) : file_(std::move(file)) {}
    Descriptor file_;
};

}  // namespace diskless::server
