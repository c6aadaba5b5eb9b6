#include "init/reload.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "common/base/pack.hpp"
#include "common/base/text.hpp"
#include "common/report/packed_facts.hpp"
#include "common/state/apply_state.hpp"
#include "common/state/state_plan.hpp"
#include "init/boot.hpp"
#include "init/systemd_mounts.hpp"

namespace diskless {

namespace {

constexpr Nanoseconds kTime = Seconds{120};  // what is new may have to be copied first

/// Is it there for what the boot made, or by itself? No list can take it away.
bool is_of_the_boot(const StateFacts& entry) {
    if (entry.kind == text(StateKind::generated)) return true;
    return std::ranges::any_of(state_defaults(), [&](const auto& row) {
        return row.when != DefaultEntry::When::always && entry.path.starts_with(row.path.substr(0, row.path.find('*')));
    });
}

StateInput input_of(const BootReport& report, const std::vector<MountEntry>& table, const ReloadPlace& place) {
    StateInput input;
    input.root = place.root;
    if (report.snapshot.state == "mounted") input.snapshot = kSnapshot;
    if (mounted_at(table, kLocation) != nullptr) input.location = kLocation;
    input.node = report.snapshot.name.empty() ? report.identity.hostname : report.snapshot.name;
    take_root_mode(input, report.root.mode);
    // They are there, and stay as they are; without them the defaults would look different.
    for (const auto& entry : report.state)
        if (is_of_the_boot(entry)) input.generated.push_back({.path = entry.path, .content = {}});
    return input;
}

/// A new mount would hide those beneath it.
std::string hidden_by(const std::string& path, const std::set<std::string>& known) {
    const auto first = known.lower_bound(path + "/");
    return first != known.end() && first->starts_with(path + "/") ? *first : std::string();
}

class Reload {
  public:
    Reload(Os& os, const BootReport& report, const ReloadPlace& place) : os_(os), report_(report), place_(place) {
        for (const auto& entry : report.state) known_.insert(entry.path);
    }

    /// In a child: the number of lines, they, and the facts of each new entry.
    Result<std::vector<std::string>> run(StateInput input) {
        auto plan = plan_state(input, os_.files);
        for (const auto& entry : plan.entries) planned_.insert(entry.path);
        std::erase_if(plan.entries, [this](const auto& entry) { return known_.contains(entry.path); });
        std::erase_if(plan.entries, [this](const auto& entry) {
            const auto beneath = hidden_by(entry.path, known_);
            if (!entry.covered && !beneath.empty())
                lines_.push_back(
                    fmt::format("! {}: holds {}, which is mounted: from the next boot on", entry.path, beneath));
            return !entry.covered && !beneath.empty();
        });
        std::vector<StateFacts> facts;
        if (!plan.entries.empty()) facts = TRY(apply(plan, input.snapshot));
        for (const auto& fact : facts) say(fact);
        for (const auto& entry : report_.state)
            if (!planned_.contains(entry.path) && !is_of_the_boot(entry))
                lines_.push_back(fmt::format("- {}: no longer listed, stays until the next boot", entry.path));
        for (const auto& problem : plan.problems)
            lines_.push_back(fmt::format("! {}: {}", problem.origin.text(), problem.text));

        std::vector<std::string> answer{std::to_string(lines_.size())};
        answer.insert(answer.end(), lines_.begin(), lines_.end());
        append_facts(answer, facts);
        return answer;
    }

  private:
    Result<std::vector<StateFacts>> apply(const StatePlan& plan, const std::string& snapshot) {
        // A place of its own for the content of each reload. Two at the same time are two processes.
        std::string scratch;
        for (int number = 1; scratch.empty(); ++number) {
            const auto name = fmt::format("{}/reload-{}-{}", kStateDirectory, os_.processes.own_pid(), number);
            if (!os_.files.exists(name)) scratch = name;
        }
        // What an entry is mounted on may be in content that the boot made: the plan only knows the root.
        for (const auto& entry : plan.entries) {
            const auto name = join_path(place_.root, entry.path);
            if (entry.skipped || entry.covered || !known_.contains(entry.parent) || os_.files.exists(name)) continue;
            (void)os_.files.make_directories(entry.directory ? name : parent_path(name));
            if (!entry.directory) (void)os_.files.make_file(name);
        }
        TRY(tell_systemd(plan));
        return apply_state(plan, {place_.root, scratch, snapshot}, os_.files, os_.mounts);
    }

    /// Before anything is mounted: systemd looks at a mount as soon as it is there.
    Result<> tell_systemd(const StatePlan& plan) {
        if (!os_.files.exists(kSystemdUnits)) return {};
        std::vector<std::string> paths;
        for (const auto& entry : plan.entries)
            if (!entry.skipped && !entry.covered) paths.push_back(entry.path);
        return leave_mounts_alone(os_.files, paths);
    }

    void say(const StateFacts& fact) {
        if (fact.problem.empty())
            lines_.push_back(
                fmt::format("+ {} {}{}", fact.kind, fact.path, fact.source.empty() ? "" : ", from " + fact.source));
        else
            lines_.push_back(fmt::format("! {}: {}", fact.path, fact.problem));
    }

    Os& os_;
    const BootReport& report_;
    const ReloadPlace& place_;
    std::set<std::string> known_, planned_;
    std::vector<std::string> lines_;
};

}  // namespace

Result<std::vector<std::string>> reload_state(Os& os, const ReloadPlace& place) {
    const auto text = TRY(os.files.read(kReportFile, 4 << 20));
    auto report = TRY(boot_report_from_json(text));
    const auto input = input_of(report, TRY(os.mounts.table()), place);
    const auto work = [&]() -> Result<std::string> {
        const auto answer = TRY(Reload(os, report, place).run(input));
        return pack(answer);
    };
    const auto bytes = TRY(os.processes.in_child("plan and mount the state", Deadline::after(os.clock, kTime), work));
    const auto strings = TRY(unpack(bytes));
    const auto count = strings.empty() ? std::nullopt : parse_number<std::size_t>(strings[0]);
    if (!count || strings.size() <= *count) return fail("the state child's answer is damaged");
    for (auto& fact : facts_of(std::span(strings).subspan(*count + 1)))
        if (fact.problem.empty()) report.state.push_back(std::move(fact));  // what failed is tried again next time
    if (strings.size() > *count + 1) TRY(os.files.replace(kReportFile, to_json(report)));
    return std::vector<std::string>(strings.begin() + 1, strings.begin() + 1 + static_cast<std::ptrdiff_t>(*count));
}

}  // namespace diskless
