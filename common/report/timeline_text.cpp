#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/report/timeline.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {
constexpr int kNarrowest = 60;
constexpr int kTimeColumns = 9;  // " 12.34 s "

/// Column of a moment, 0..columns; 128 bits because nanoseconds of years times columns do not fit 64.
int column_of(Nanoseconds moment, Nanoseconds end, int columns) {
    return static_cast<int>(static_cast<__int128>(moment.count()) * columns / end.count());
}

std::string bar(const TimelineRow& row, Nanoseconds end, int columns, bool utf8) {
    if (!row.shown) return std::string(static_cast<std::size_t>(columns), ' ');
    const int start = std::min(column_of(row.started, end, columns), columns - 1);
    const int stop = std::clamp(column_of(row.ended, end, columns), start + 1, columns);
    std::string line(static_cast<std::size_t>(start), ' ');
    for (int i = start; i < stop; ++i) line += utf8 ? (row.critical ? "█" : "▒") : (row.critical ? "#" : "=");
    line.append(static_cast<std::size_t>(columns - stop), ' ');
    return line;
}

std::string axis(Nanoseconds end, int columns) {
    std::string line = fmt::format("{:<{}}", "0", columns);
    const std::string middle = seconds_text(end / 2, 2), right = seconds_text(end, 2);
    line.replace(static_cast<std::size_t>(columns / 2), middle.size(), middle);
    if (right.size() < static_cast<std::size_t>(columns)) line.replace(line.size() - right.size(), right.size(), right);
    return line;
}

std::string trimmed_right(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}
}  // namespace

std::string timeline_text(const BootReport& report, int width, bool utf8) {
    const Timeline timeline = lay_out(report);
    std::size_t names = 6, remarks = 0;
    for (const auto& row : timeline.rows) {
        names = std::max(names, std::min<std::size_t>(row.name.size(), 24));
        remarks = std::max(remarks, row.remark.size() + 1);
    }
    const int columns = std::max(
        std::max(width, kNarrowest) - static_cast<int>(names) - 2 - kTimeColumns - static_cast<int>(remarks), 16);

    std::string text = timeline.title + "\n" + join(timeline.totals, utf8 ? " · " : ", ") + "\n\n";
    text += trimmed_right(fmt::format("{:<{}}  {}", "", names, axis(timeline.end, columns))) + "\n";
    for (const auto& row : timeline.rows) {
        const std::string took = row.shown ? seconds_text(row.ended - row.started, 2) : "";
        text += trimmed_right(fmt::format("{:<{}.{}}  {}{:>{}} {}", row.name, names, names,
                                          bar(row, timeline.end, columns, utf8), took, kTimeColumns, row.remark)) +
                "\n";
    }
    text += utf8 ? "\n█ the boot waited for it   ▒ beside it\n" : "\n# the boot waited for it   = beside it\n";

    bool heading = false;
    for (const auto& step : report.steps) {
        if (step.notes.empty()) continue;
        if (!heading) text += "\nnotes\n";
        heading = true;
        for (const auto& note : step.notes) text += printable(fmt::format("  {}: {}", step.id, note)) + "\n";
    }
    const auto bad = troubles(report);
    if (!bad.empty()) text += "\nnot well\n";
    for (const auto& line : bad) text += "  " + line + "\n";
    return text;
}

}  // namespace diskless
