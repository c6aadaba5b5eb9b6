// Steps and plans.
//
// A step is a value: what it is called, what it needs, how long it may take, what its failure means, and a function.
// Steps that do not need one another overlap. Only the executor logs, times, retries and enforces deadlines, so a
// step's function is nothing but its work. Boot and shutdown are both plans, carried out by the same executor.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/os/os.hpp"

namespace diskless {

enum class FailureMeans {
    abort,    // nothing that needs this step runs; the plan has failed
    degrade,  // what needs it runs all the same; the report says what is missing
};

/// Exponential backoff with full jitter: the n-th delay is random in [0, min(cap, first * 2^n)].
struct Retry {
    int attempts = 1;  // 0: for ever
    Milliseconds first{500};
    Milliseconds cap{15'000};
};

/// What a running step may use. Notes go into the report under the step's name.
class StepContext {
  public:
    StepContext(Os& os, Deadline deadline, int attempt) : os(os), deadline(deadline), attempt(attempt) {}

    Os& os;
    const Deadline deadline;  // of this attempt
    const int attempt;        // 1 at first

    void note(std::string line) { notes_.push_back(std::move(line)); }
    /// The step did its work, but not all of it: the first problem is kept as the cause.
    void degrade(Error problem) { problems_.push_back(std::move(problem)); }

    std::vector<std::string> notes_;
    std::vector<Error> problems_;
};

struct Step {
    std::string id;                  // "mount-root"; its file is steps/mount_root.cpp
    std::string sentence;            // "mount 10.9.0.1:/srv/root on /sysroot"
    std::vector<std::string> needs;  // ids of steps that must have ended well (or degraded) before
    Milliseconds deadline{30'000};   // of one attempt
    Retry retry;
    FailureMeans failure = FailureMeans::abort;
    std::function<Result<>(StepContext&)> run;
};

using Plan = std::vector<Step>;

/// A plan that could never end well: a need that no step has, a cycle, an id twice. Empty when it is sound.
std::vector<std::string> problems_of(const Plan& plan);

}  // namespace diskless
