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

/// The n-th delay (n from 0); `random` is any 64-bit random number.
Milliseconds backoff_delay(const Retry& retry, int n, std::uint64_t random);

/// What a running step may use.
class StepContext {
  public:
    virtual ~StepContext() = default;
    explicit StepContext(Os& os_to_use) : os(os_to_use) {}

    Os& os;
    Deadline deadline;  // of this attempt
    int attempt = 1;

    /// A line for the report, under the step's name.
    virtual void note(std::string line) = 0;
    /// The step did its work, but not all of it; the first problem is kept as the cause.
    virtual void degrade(Error problem) = 0;
    /// Tells what the step is waiting for; the executor says it on the console when the wait gets long.
    virtual void waiting_for(std::string what) = 0;
    /// Runs `write`, which stores the step's findings where later steps read them. A step that was abandoned past its
    /// deadline has no say any more: false, and `write` was not run.
    virtual bool publish(const std::function<void()>& write) = 0;
};

struct Step {
    std::string id;                  // "mount-root"; its file is steps/mount_root.cpp
    std::string sentence;            // "mount 10.9.0.1:/srv/root on /sysroot"
    std::vector<std::string> needs;  // ids of steps that must have ended well (or degraded) before
    Milliseconds deadline{30'000};   // of one attempt
    Retry retry{};
    FailureMeans failure = FailureMeans::abort;
    std::function<Result<>(StepContext&)> run;
};

using Plan = std::vector<Step>;

/// Why a plan could never end well: a need that no step has, a cycle, an id twice. Empty when it is sound.
std::vector<std::string> problems_of(const Plan& plan);

/// "id  sentence  (after a, b)", one line a step, in the order in which they can start.
std::string describe(const Plan& plan);

}  // namespace diskless
