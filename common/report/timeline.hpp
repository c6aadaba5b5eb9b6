// What the text and the picture of a boot have in common: rows on one time axis, and the longest chain among them.
#pragma once

#include <string>
#include <vector>

#include "common/report/boot_report.hpp"

namespace diskless {

struct TimelineRow {
    std::string name;      // step id, or "kernel"
    std::string sentence;  // empty for the kernel
    Nanoseconds started{0}, ended{0};
    bool shown = false;     // has a bar: it started
    bool critical = false;  // on the longest chain: the boot waited for it
    std::string remark;     // "degraded, 3 attempts"; empty when it just went well
};

struct Timeline {
    std::vector<TimelineRow> rows;    // the kernel first, then the steps in the order of their start
    Nanoseconds end{0};               // of the axis; it starts with the kernel, printk time 0
    std::string title;                // "node07: booted, degraded"
    std::vector<std::string> totals;  // "kernel 1.8 s", "init 0.9 s", "handed over at 2.7 s"
};

/// Lays a boot out. The chain is found backwards from the step that ended last: each waited for the one that ended
/// last before it started. Times that cannot be (an end before the start) count as an empty span.
Timeline lay_out(const BootReport& report);

/// What was not well, a line each, causes before remedies: degraded and failed steps, state entries, warnings.
std::vector<std::string> troubles(const BootReport& report);

}  // namespace diskless
