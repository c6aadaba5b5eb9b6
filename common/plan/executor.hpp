// Carries out a plan: starts each step as soon as what it needs has ended, in a thread of its own, retries it, holds it
// to its deadline, and keeps the report.
//
// A step that does not come back is abandoned a second after its deadline: its thread stays behind, but can no longer
// publish anything. So the executor always returns, whatever the kernel does to a step.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "common/plan/step.hpp"
#include "common/report/boot_report.hpp"

namespace diskless {

/// Told of everything worth a line on the console. Called with the executor's lock held: must not call back.
struct ExecutorEvents {
    std::function<void(const StepReport&)> ended;                              // done, degraded or failed for good
    std::function<void(const StepReport&, const Error&, Milliseconds)> retry;  // failed, again after the delay
    std::function<void(const StepReport&, std::string_view)> waiting;          // takes long: what it waits for
};

class Executor {
  public:
    /// `overlap` false runs the steps one after another in this thread: for tests on a fake clock.
    Executor(Os& os, ExecutorEvents events, bool overlap = true);
    ~Executor();
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;

    /// Runs every step of the plan that has not ended well in an earlier run, until all have ended or one that means
    /// `abort` has failed and what was running has ended. The error is the first such failure, "<sentence>: <cause>".
    Result<> run(const Plan& plan);

    /// Reports of all steps so far, in the order of the plans that were run.
    std::vector<StepReport> reports() const;

  private:
    struct Run;
    class Context;
    struct Shared;
    static void carry_out(const std::shared_ptr<Shared>& shared, const Step& step, std::size_t slot);
    static void carry_out_fenced(const std::shared_ptr<Shared>& shared, const Step& step, std::size_t slot) noexcept;
    Result<> run_in_threads(const Plan& plan, const std::vector<std::size_t>& slots);
    Result<> run_in_turn(const Plan& plan, const std::vector<std::size_t>& slots);

    Os& os_;
    bool overlap_;
    std::shared_ptr<Shared> shared_;
};

}  // namespace diskless
