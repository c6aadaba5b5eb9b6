#include "server-helper/snapshot/cluster_status.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>

#include "common/base/snapshot_files.hpp"
#include "common/base/text.hpp"
#include "common/report/json.hpp"

namespace diskless::server {

namespace {

std::string detail_of(const BootReport& report) {
    for (const auto wanted : {StepOutcome::failed, StepOutcome::degraded})
        for (const auto& step : report.steps)
            if (step.outcome == wanted)
                return fmt::format("{} {}{}{}", step.id, text(step.outcome), step.cause.empty() ? "" : ": ",
                                   step.cause);
    for (const auto& entry : report.state)
        if (!entry.problem.empty()) return entry.path + ": " + entry.problem;
    return {};
}

std::string when(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    char words[32];
    if (seconds <= 0 || ::localtime_r(&time, &parts) == nullptr ||
        std::strftime(words, sizeof words, "%Y-%m-%d %H:%M", &parts) == 0)
        return "-";
    return words;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

/// Bounded for a table and a terminal.
std::string shown(const std::string& text, std::size_t most) {
    auto safe = printable(text.substr(0, most));
    return text.size() > most ? safe + "..." : safe;
}

}  // namespace

NodeBoot node_boot(const ConfinedFiles& snapshots, const std::string& snapshots_path, const std::string& snapshot,
                   const std::string& node, const std::string& current) {
    NodeBoot boot;
    boot.node = node;
    boot.current = current;
    const auto text_of_report =
        snapshots.read(join_path(join_path(snapshots_path, snapshot), snapshot_files::kBootReport), kLargestReport);
    if (!text_of_report && text_of_report.error().code == ENOENT) {
        boot.state = "never booted";
        return boot;
    }
    const auto report =
        text_of_report ? boot_report_from_json(*text_of_report) : Result<BootReport>(Failure(text_of_report.error()));
    if (!report) {
        boot.state = "unreadable";
        boot.detail = shown(report.error().cause, 200);
        return boot;
    }
    boot.state = text(overall(*report));
    boot.since = report->wall_started;
    const auto& root = report->root;
    boot.generation = shown(root.generation.empty() ? base_name(root.path) : root.generation, 63);
    boot.needs_reboot = !current.empty() && boot.generation != current;
    boot.detail = shown(detail_of(*report), 200);
    return boot;
}

std::string boots_text(const std::vector<NodeBoot>& boots) {
    std::size_t node = 4, generation = 10;
    for (const auto& boot : boots) {
        node = std::max(node, boot.node.size());
        generation = std::max(generation, boot.generation.size());
    }
    auto text = fmt::format("{:<{}}  {:<12}  {:<16}  {:<{}}  {}\n", "NODE", node, "BOOT", "SINCE", "GENERATION",
                            generation, "NOTE");
    for (const auto& boot : boots) {
        auto note = boot.needs_reboot ? "needs a reboot to " + boot.current : std::string();
        if (!boot.detail.empty()) note += (note.empty() ? "" : "; ") + boot.detail;
        text += fmt::format("{:<{}}  {:<12}  {:<16}  {:<{}}  {}\n", boot.node, node, boot.state, when(boot.since),
                            or_dash(boot.generation), generation, or_dash(note));
    }
    return text;
}

std::string boots_json(const std::vector<NodeBoot>& boots) {
    JsonWriter json(2);
    json.begin_array();
    for (const auto& boot : boots) {
        json.begin_object();
        for (const auto& [name, value] :
             std::initializer_list<std::pair<const char*, const std::string&>>{{"node", boot.node},
                                                                               {"state", boot.state},
                                                                               {"generation", boot.generation},
                                                                               {"current", boot.current},
                                                                               {"detail", boot.detail}}) {
            json.name(name);
            json.value(value);
        }
        json.name("since");
        json.value(boot.since);
        json.name("needs_reboot");
        json.value(boot.needs_reboot);
        json.end_object();
    }
    json.end_array();
    return json.text() + "\n";
}

}  // namespace diskless::server
