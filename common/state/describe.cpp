#include <fmt/core.h>

#include "common/base/text.hpp"
#include "common/state/state_plan.hpp"

namespace diskless {

namespace {

std::string_view what(CopyWhat copy) {
    return copy == CopyWhat::directories ? "directories of " : copy == CopyWhat::node ? "empty, like " : "";
}

std::string from(const StateEntry& entry) {
    if (entry.skipped) return "";
    if (entry.kind == StateKind::persistent) {
        if (entry.seeded) return entry.source;
        if (entry.content) return entry.source + ", new: made by this boot";
        if (entry.seed.empty()) return entry.source + ", new: empty";
        return fmt::format("{}, new: {}{}", entry.source, what(entry.copy), entry.seed);
    }
    if (entry.kind == StateKind::concatenated) return join(entry.parts, " + ");
    if (!entry.symlink.empty()) return "symlink to " + entry.symlink;
    if (entry.kind == StateKind::generated) return "made by this boot";
    return entry.source.empty() ? "made empty" : std::string(what(entry.copy)) + entry.source;
}

}  // namespace

std::string describe(const StatePlan& plan) {
    std::size_t path_width = 4, origin_width = 4;
    for (const auto& entry : plan.entries) {
        path_width = std::max(path_width, printable(entry.path).size() + (entry.directory ? 1 : 0));
        origin_width = std::max(origin_width, printable(entry.origin.text()).size());
    }
    path_width = std::min<std::size_t>(path_width, 48);
    origin_width = std::min<std::size_t>(origin_width, 32);
    std::string out;
    for (const auto& list : plan.lists) out += fmt::format("list  {}\n", printable(list));
    for (const auto& entry : plan.entries) {
        const std::string kind = entry.skipped ? "skipped" : std::string(text(entry.kind));
        const auto origin = entry.origin.text() == kind ? "-" : printable(entry.origin.text());  // said already
        auto line = fmt::format("{:<15} {:<{}} {:<{}} {}", kind, printable(entry.path) + (entry.directory ? "/" : ""),
                                path_width, origin, origin_width, printable(from(entry)));
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
        for (const auto& note : entry.notes) out += fmt::format("{:15} . {}\n", "", note);
        if (!entry.problem.empty()) out += fmt::format("{:15} ! {}\n", "", entry.problem);
    }
    for (const auto& problem : plan.problems) {
        out += fmt::format("! {}: {}\n", printable(problem.origin.text()), problem.text);
        if (!problem.remedy.empty()) out += fmt::format("  -> {}\n", problem.remedy);
    }
    return out;
}

}  // namespace diskless
