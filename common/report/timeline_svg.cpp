#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/report/timeline.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {
// All lengths are pixels of the picture.
constexpr int kWidth = 960, kNames = 190, kTimes = 230, kRow = 22, kTop = 84;
constexpr int kBars = kWidth - kNames - kTimes;

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            default:
                result += c;
        }
    }
    return result;
}

int x_of(Nanoseconds moment, Nanoseconds end) {
    return kNames + static_cast<int>(static_cast<__int128>(moment.count()) * kBars / end.count());
}

std::string label(int x, int y, std::string_view css, std::string_view words, std::string_view anchor = "start") {
    return fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\" text-anchor=\"{}\">{}</text>\n", x, y, css, anchor,
                       escaped(words));
}

constexpr std::string_view kStyle = R"(<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 17px; font-weight: 600; }
.dim { fill: #59636e; }
.page { fill: #ffffff; }
.grid { stroke: #d1d9e0; }
.bar { fill: #a5bdd9; }
.critical { fill: #0969da; }
.degraded { fill: #bf8700; }
.failed { fill: #cf222e; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .dim { fill: #9198a1; }
  .page { fill: #0d1117; }
  .grid { stroke: #3d444d; }
  .bar { fill: #3b5777; }
  .critical { fill: #58a6ff; }
  .degraded { fill: #d29922; }
  .failed { fill: #f85149; }
}
</style>
)";

std::string_view css_of(const TimelineRow& row) {
    if (row.remark.starts_with("failed")) return "failed";
    if (row.remark.starts_with("degraded")) return "degraded";
    return row.critical ? "critical" : "bar";
}
}  // namespace

std::string timeline_svg(const BootReport& report) {
    const Timeline timeline = lay_out(report);
    const auto bad = troubles(report);
    const int rows_end = kTop + static_cast<int>(timeline.rows.size()) * kRow;
    const int height = rows_end + 40 + static_cast<int>(bad.size()) * 20;

    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\">\n",
        kWidth, height, kWidth, height);
    svg += fmt::format("<title>{}</title>\n", escaped(timeline.title));
    svg += kStyle;
    svg += fmt::format("<rect class=\"page\" width=\"{}\" height=\"{}\"/>\n", kWidth, height);
    svg += label(12, 28, "title", timeline.title);
    svg += label(12, 50, "dim", join(timeline.totals, " · "));
    for (int quarter = 0; quarter <= 4; ++quarter) {
        const Nanoseconds moment = timeline.end / 4 * quarter;
        const int x = kNames + kBars * quarter / 4;
        svg +=
            fmt::format("<line class=\"grid\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", x, kTop - 6, x, rows_end);
        svg += label(x, kTop - 12, "dim", seconds_text(moment, 2), "middle");
    }
    int y = kTop;
    for (const auto& row : timeline.rows) {
        svg += label(kNames - 10, y + 15, row.shown ? "name" : "dim", row.name, "end");
        if (row.shown) {
            const int x = x_of(row.started, timeline.end);
            const int end = std::max(x_of(row.ended, timeline.end), x + 2);
            const std::string took = seconds_text(row.ended - row.started, 2);
            svg += fmt::format(
                "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"2\"><title>{}</title></rect>\n",
                css_of(row), x, y + 3, end - x, kRow - 6,
                escaped(fmt::format("{}: {} to {}", row.sentence.empty() ? row.name : row.sentence,
                                    seconds_text(row.started, 2), seconds_text(row.ended, 2))));
            svg += label(kNames + kBars + 10, y + 15, "dim", row.remark.empty() ? took : took + ", " + row.remark);
        } else {
            svg += label(kNames + kBars + 10, y + 15, "dim", row.remark);
        }
        y += kRow;
    }
    y += 24;
    for (const auto& line : bad) {
        const bool remedy = line.starts_with("  ->");
        svg += label(remedy ? 28 : 12, y, remedy ? "dim" : "name", remedy ? trim(line) : line);
        y += 20;
    }
    return svg + "</svg>\n";
}

}  // namespace diskless
