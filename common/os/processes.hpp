// Child processes: the only way to touch a path that may hang.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"

namespace diskless {

struct SpawnRequest {
    std::string path;                      // program file
    std::vector<std::string> arguments;    // argv, [0] included
    std::vector<std::string> environment;  // "NAME=value"; empty means PATH only
    std::string console;                   // becomes stdin, stdout, stderr and controlling terminal when not empty
    bool when_replaced = false;            // begins when this process has become another program, see spawn
};

/// A look at a child while it works.
struct Watch {
    Nanoseconds every{0};
    std::function<bool(int pid)> go_on;  // called in the parent; false: the child is killed now, as at the deadline
};

class Processes {
  public:
    virtual ~Processes() = default;

    /// Runs `work` in a forked child and returns what it returned. `what` names it in errors. When the deadline passes
    /// the child is killed, and abandoned if it does not die (D state): error with code ETIMEDOUT. A child that dies of
    /// a signal gives an error that says so. `work` must not log nor touch state that the parent should see.
    virtual Result<std::string> in_child(std::string_view what, Deadline deadline,
                                         const std::function<Result<std::string>()>& work) = 0;

    /// The same, looked at from time to time. Processes that cannot do that do not look.
    virtual Result<std::string> in_watched_child(std::string_view what, Deadline deadline, const Watch& /*watch*/,
                                                 const std::function<Result<std::string>()>& work) {
        return in_child(what, deadline, work);
    }

    /// Starts a program that outlives this call; its process id. With `when_replaced` it begins when execute() has made
    /// another program of this process, or in 5 s, so that it takes no time from what comes before; that it cannot be
    /// executed is then told on the kernel's log only.
    virtual Result<int> spawn(const SpawnRequest& request) = 0;
    /// Waits until the process has ended: its exit status as of waitpid(2). ETIMEDOUT leaves it running.
    virtual Result<int> wait(int pid, Deadline deadline) = 0;
    /// Replaces this process; returns only on failure.
    virtual Error execute(const std::string& path, const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment) = 0;
    virtual int own_pid() const = 0;
    virtual Result<> signal(int pid, int signal_number) = 0;
    /// Every program this process has started or become so far, in order: what the boot report shows as "executed".
    virtual std::vector<std::string> executed() const = 0;
};

}  // namespace diskless
