// Children that nobody waits for: a look at a server goes on in one while its parent does something else.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/result.hpp"

namespace diskless {

/// Killed when it is destroyed before it has ended; one that hangs in the kernel is left behind, and collected later.
class BackgroundChild {
  public:
    virtual ~BackgroundChild() = default;
    /// What it returned; nothing while it is at it. Never blocks.
    virtual const std::optional<Result<std::string>>& result() = 0;
};

class Background {
  public:
    virtual ~Background() = default;
    /// Runs `work` in a forked child that dies with this process. `work` must not log nor touch state that the parent
    /// should see.
    virtual Result<std::unique_ptr<BackgroundChild>> start(const std::function<Result<std::string>()>& work) = 0;
    /// Collects those that were left behind and have ended since. Never blocks.
    virtual void collect() = 0;
};

Background& linux_background();

}  // namespace diskless
