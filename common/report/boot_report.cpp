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
    const bool handed_over = report.handed_over.count() != 0;
    if (!handed_over && (has(StepOutcome::running) || has(StepOutcome::waiting))) return StepOutcome::running;
    const bool bad_entry =
        std::ranges::any_of(report.state, [](const StateFacts& entry) { return !entry.problem.empty(); });
    // The hand-over itself is still running when it writes the report; a step that waits then never ran.
    if (bad_entry || has(StepOutcome::waiting) || has(StepOutcome::degraded)) return StepOutcome::degraded;
    return StepOutcome::done;
}

}  // namespace diskless
