#include "common/report/boot_report.hpp"

#include <algorithm>

namespace diskless {

std::string_view text(StepOutcome outcome) {
    switch (outcome) {
        case StepOutcome::waiting:
            return "waiting";
        case StepOutcome::running:
            return "running";
        case StepOutcome::done:
            return "done";
        case StepOutcome::skipped:
            return "skipped";
        case StepOutcome::degraded:
            return "degraded";
        case StepOutcome::failed:
            return "failed";
    }
    return "waiting";
}

StepOutcome overall(const BootReport& report) {
    const auto has = [&](StepOutcome outcome) {
        return std::ranges::any_of(report.steps, [&](const StepReport& step) { return step.outcome == outcome; });
    };
    if (has(StepOutcome::failed)) return StepOutcome::failed;
    const bool under_way = has(StepOutcome::running) || has(StepOutcome::waiting);
    if (under_way && report.handed_over.count() == 0) return StepOutcome::running;
    const bool bad_entry =
        std::ranges::any_of(report.state, [](const StateFacts& entry) { return !entry.problem.empty(); });
    // What is still under way after the hand-over never ended: part of the boot is missing.
    if (under_way || bad_entry || has(StepOutcome::degraded)) return StepOutcome::degraded;
    return StepOutcome::done;
}

}  // namespace diskless
