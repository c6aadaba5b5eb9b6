// This process twice: one copy that works, and one that waits for its end.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"

namespace diskless {

class Forks {
  public:
    virtual ~Forks() = default;
    /// fork(2): 0 in the new process, the new one's id in the old one. Call it while there is one thread only.
    virtual Result<int> split() = 0;
    /// Waits until this child has ended, and collects every other child on the way: its status as of waitpid(2); -1
    /// when it is no child; nothing when it lives at the deadline.
    virtual std::optional<int> wait_for(int pid, Deadline deadline) = 0;
    virtual void kill(int pid) = 0;
    /// Memory that both copies see: when the other one is to have given the next sign of life.
    virtual void promise(Nanoseconds until) = 0;
    virtual Nanoseconds promised() const = 0;
    virtual int parent() const = 0;
    /// What ps and top show (prctl(2), PR_SET_NAME): at most 15 characters.
    virtual void be_called(const char* name) = 0;
};

Forks& linux_forks();

}  // namespace diskless
