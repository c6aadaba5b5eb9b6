#include "common/report/timeline.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {

std::string remark_of(const StepReport& step, bool handed_over) {
    // What runs when the hand-over is written down is the hand-over.
    const bool well = step.outcome == StepOutcome::done || (handed_over && step.outcome == StepOutcome::running);
    std::string remark = well ? "" : std::string(text(step.outcome));
    if (step.attempts > 1) remark += fmt::format("{}{} attempts", remark.empty() ? "" : ", ", step.attempts);
    return remark;
}

void mark_critical(std::vector<TimelineRow>& rows) {
    TimelineRow* current = nullptr;
    for (auto& row : rows)
        if (row.shown && (current == nullptr || row.ended >= current->ended)) current = &row;
    while (current != nullptr && !current->critical) {
        current->critical = true;
        TimelineRow* before = nullptr;
        for (auto& row : rows)
            if (row.shown && !row.critical && row.ended <= current->started &&
                (before == nullptr || row.ended >= before->ended))
                before = &row;
        current = before;
    }
}

}  // namespace

Timeline lay_out(const BootReport& report) {
    Timeline timeline;
    Nanoseconds last = std::max(report.started, report.handed_over);
    for (const auto& step : report.steps) last = std::max({last, step.started, step.ended});

    auto& rows = timeline.rows;
    for (const auto& step : report.steps) {
        TimelineRow row{printable(step.id),
                        printable(step.sentence),
                        step.started,
                        step.ended,
                        false,
                        false,
                        remark_of(step, report.handed_over.count() != 0)};
        row.shown = step.outcome != StepOutcome::waiting && step.outcome != StepOutcome::skipped;
        row.started = std::max(row.started, Nanoseconds{0});
        if (step.outcome == StepOutcome::running) row.ended = last;
        row.ended = std::max(row.ended, row.started);
        rows.push_back(std::move(row));
    }
    // What never started stands at the end.
    std::ranges::stable_sort(rows, [](const TimelineRow& a, const TimelineRow& b) {
        return a.shown != b.shown ? a.shown : a.shown && a.started < b.started;
    });
    TimelineRow kernel;
    kernel.name = "kernel";
    kernel.ended = std::max(report.started, Nanoseconds{0});
    kernel.shown = true;
    rows.insert(rows.begin(), std::move(kernel));
    mark_critical(rows);
    timeline.end = std::max(last, Nanoseconds{1});

    const auto outcome = overall(report);
    const std::string host = report.identity.hostname.empty() ? "node" : printable(report.identity.hostname);
    timeline.title = outcome == StepOutcome::done       ? host + ": booted"
                     : outcome == StepOutcome::degraded ? host + ": booted, degraded"
                     : outcome == StepOutcome::failed   ? host + ": boot failed"
                                                        : host + ": booting";
    timeline.totals.push_back("kernel " + seconds_text(rows.front().ended));
    const bool handed_over = report.handed_over.count() != 0;
    timeline.totals.push_back("init " + seconds_text((handed_over ? report.handed_over : last) - report.started));
    timeline.totals.push_back(handed_over ? "handed over at " + seconds_text(report.handed_over) : "not handed over");
    return timeline;
}

std::vector<std::string> troubles(const BootReport& report) {
    std::vector<std::string> found;
    for (const auto& step : report.steps) {
        if (step.outcome != StepOutcome::degraded && step.outcome != StepOutcome::failed) continue;
        found.push_back(printable(
            fmt::format("{} {}: {}", step.id, text(step.outcome), step.cause.empty() ? step.sentence : step.cause)));
        if (!step.remedy.empty()) found.push_back("  -> " + printable(step.remedy));
    }
    for (const auto& entry : report.state)
        if (!entry.problem.empty()) found.push_back(printable(fmt::format("state {}: {}", entry.path, entry.problem)));
    if (report.last_shutdown && is_trouble(*report.last_shutdown))
        found.push_back("last end: " + printable(last_shutdown_text(*report.last_shutdown)));
    for (const auto& warning : report.warnings) found.push_back("warning: " + printable(warning));
    return found;
}

}  // namespace diskless
