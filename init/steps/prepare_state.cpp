// prepare-state: the lists of root and snapshot become one StatePlan, and that is mounted.
#include <fmt/core.h>

#include "common/base/pack.hpp"
#include "common/base/text.hpp"
#include "common/report/packed_facts.hpp"
#include "common/state/apply_state.hpp"
#include "common/state/state_plan.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

/// What the child hands over: the facts, and the problems of the lists.
std::string packed(const StatePlan& plan, const std::vector<StateFacts>& facts) {
    std::vector<std::string> strings{std::to_string(facts.size())};
    append_facts(strings, facts);
    for (const auto& problem : plan.problems) {
        strings.push_back(problem.origin.text() + ": " + problem.text);
        strings.push_back(problem.remedy);
    }
    return pack(strings);
}

Result<std::vector<StateFacts>> unpacked(const std::string& bytes, std::vector<Error>& problems) {
    const auto strings = TRY(unpack(bytes));
    const auto count = strings.empty() ? std::nullopt : parse_number<std::size_t>(strings[0]);
    if (!count || *count > strings.size() / kStringsOfFact || strings.size() < 1 + kStringsOfFact * *count)
        return fail("the state child's answer is damaged");
    const auto end = 1 + kStringsOfFact * *count;
    for (std::size_t i = end; i + 1 < strings.size(); i += 2) problems.push_back({strings[i], strings[i + 1], 0});
    return facts_of(std::span(strings).subspan(1, end - 1));
}

constexpr Seconds kLook{5};
constexpr Seconds kStalled{120};    // the child neither reads nor writes: it hangs
constexpr Seconds kUncounted{300};  // for everything, on kernels that do not count what a process reads and writes

/// What a process has read and written so far, in bytes and calls (proc(5), /proc/PID/io).
std::optional<std::uint64_t> activity_of(const Files& files, int pid, std::uint64_t& written) {
    const auto text = files.read(fmt::format("/proc/{}/io", pid), 4096);
    if (!text) return {};
    std::uint64_t sum = 0;
    for (const auto line : lines(*text)) {
        const auto colon = line.find(": ");
        const auto number = colon == line.npos ? std::nullopt : parse_number<std::uint64_t>(line.substr(colon + 2));
        if (number && line.starts_with("wchar")) written = *number;
        sum += number.value_or(0);
    }
    return sum;
}

/// A node's first boot copies what it will keep, and that may be much: the child has all the time that it makes use of.
Watch while_it_works(StepContext& context) {
    struct Seen {
        std::uint64_t activity = 0;
        Nanoseconds at{0};
    };
    const auto began = context.os.clock.now();
    return {kLook, [&context, began, seen = Seen{0, began}](int pid) mutable {
                const auto now = context.os.clock.now();
                std::uint64_t written = 0;
                const auto activity = activity_of(context.os.files, pid, written);
                if (!activity) return now - began < kUncounted;
                if (*activity != seen.activity) seen = {*activity, now};
                context.waiting_for(fmt::format("the copies that this node will keep, {} MB so far", written >> 20));
                return now - seen.at < kStalled;
            }};
}

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    TRY(os.files.make_directories(kStateDirectory));
    // A boot that goes on after a failure begins again with attempt 1: the mount table knows better.
    const auto table = TRY(os.mounts.table());
    const bool again = mounted_at(table, kStateDirectory) != nullptr;
    if (!again) TRY(os.mounts.mount({"diskless-state", kStateDirectory, "tmpfs", "nosuid,nodev,mode=0755"}));

    const bool snapshot = boot.snapshot.state == "mounted";
    StateInput input;
    input.root = kNewRoot;
    if (snapshot) input.snapshot = kSnapshot;
    if (boot.has_location_lists) input.location = kLocation;
    input.node = boot.snapshot.name.empty() ? boot.identity.hostname : boot.snapshot.name;
    input.generated = boot.files;
    take_root_mode(input, boot.root.mode);
    input.init_mounts_over = !boot.init_is_systemd && boot.init != kProgram;
    const StateTarget target{kNewRoot, kStateDirectory, input.snapshot};
    const auto work = [&]() -> Result<std::string> {
        if (again) TRY(undo_state(target, os.files, os.mounts));
        const auto plan = plan_state(input, os.files);
        const auto done = TRY(apply_state(plan, target, os.files, os.mounts));
        return packed(plan, done);
    };
    const auto bytes =
        TRY(os.processes.in_watched_child("prepare state", context.deadline, while_it_works(context), work));
    std::vector<Error> problems;
    auto facts = TRY(unpacked(bytes, problems));
    for (auto& problem : problems) context.degrade(std::move(problem));
    std::uint64_t copied = 0;
    for (const auto& fact : facts) {
        copied += fact.bytes;
        if (!fact.problem.empty() && fact.kind != "skipped") context.degrade({fact.path + ": " + fact.problem, {}, 0});
    }
    context.note(fmt::format("{} entries, {} kB copied", facts.size(), copied / 1024));
    context.publish([&] { boot.state = std::move(facts); });
    return {};
}

}  // namespace

Step prepare_state(Boot& boot) {
    return {.id = "prepare-state",
            .sentence = "mount what this node may write",
            .needs = {"identify"},
            .deadline = std::chrono::hours{24},  // see while_it_works
            .retry = {.attempts = 3},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
