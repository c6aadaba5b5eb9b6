#include "common/report/boot_report.hpp"

#include <algorithm>

#include "common/report/words.hpp"

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

bool is_trouble(const LastShutdown& last) { return last.outcome != "clean" && last.outcome != "init"; }

std::string last_shutdown_text(const LastShutdown& last) {
    if (last.outcome == "unclean")
        return "no word of an end: power, a crash, or a server that was gone; last known to live at " +
               wall_text(last.wall);
    std::string text = last.verb + " at " + wall_text(last.wall) +
                       (last.outcome == "clean"  ? ", nothing lost"
                        : last.outcome == "init" ? ", left to init"
                                                 : "");
    if (last.unwritten_bytes != 0) text += ", " + bytes_text(last.unwritten_bytes) + " not written";
    for (const auto& loss : last.losses) text += ", " + loss;
    return text;
}

}  // namespace diskless
