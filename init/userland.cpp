#include "init/userland.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "common/base/text.hpp"
#include "common/nfs/servers.hpp"
#include "common/plan/executor.hpp"
#include "common/state/state_list.hpp"
#include "init/boot.hpp"
#include "init/nfs_mount.hpp"

namespace diskless {

namespace {

constexpr std::array kUdevd{"/lib/systemd/systemd-udevd",
                            "/usr/lib/systemd/systemd-udevd",
                            "/lib/udev/udevd",
                            "/usr/lib/udev/udevd",
                            "/sbin/udevd",
                            "/usr/sbin/udevd"};
constexpr Seconds kSettle{30};
constexpr int kDeepest = 24;  // directories below /sys/devices

/// Parents before children: a driver may be bound only once what it sits on is known.
void trigger(Files& files, const std::string& directory, int depth) {
    const auto names = files.list(directory);
    if (!names || depth > kDeepest) return;
    if (std::ranges::find(*names, "uevent") != names->end()) (void)files.write(directory + "/uevent", "add");
    for (const auto& name : *names)
        if (files.is_directory(directory + "/" + name)) trigger(files, directory + "/" + name, depth + 1);
}

/// /var/run and /var/lock are links into a tmpfs in roots that are never written to: what they name is made anew.
void make_run_directories(Files& files) {
    (void)files.make_directories("/run/lock", 01777);
    for (const std::string link : {"/var/run", "/var/lock"}) {
        const auto target = files.read_link(link);
        if (target) (void)files.make_directories(target->starts_with('/') ? *target : join_path("/var", *target));
    }
}

Result<NfsSource> source_of(Os& os, const FstabEntry& entry) {
    const auto colon = entry.source.find(":/");
    if (colon == std::string::npos) return fail(printable(entry.source) + " is no server:/directory");
    NfsSource source;
    source.path = entry.source.substr(colon + 1);
    source.options = entry.options;
    const auto name = entry.source.substr(0, colon);
    auto address = Ipv4::parse(name).value_or(Ipv4());
    if (!address.is_set())
        address = address_in_hosts(os.files.read("/etc/hosts", 1 << 20).value_or(std::string()), name);
    if (!address.is_set())
        return fail(fmt::format("{} is not in /etc/hosts", printable(name)), "write its address into fstab or hosts");
    source.servers = {address};
    return source;
}

constexpr std::string_view kMountStep = "mount ";

Step mount_step(const FstabEntry& entry, Ipv4 client) {
    return {.id = std::string(kMountStep) + entry.target,
            .sentence = fmt::format("mount {} on {}", entry.source, entry.target),
            .deadline = Milliseconds{60'000},
            .retry = {.attempts = 0, .first = Milliseconds{500}, .cap = Milliseconds{30'000}},
            .failure = FailureMeans::degrade,
            .run = [entry, client](StepContext& context) -> Result<> {
                const auto source = TRY(source_of(context.os, entry));
                TRY(mount_nfs(context, {.source = source,
                                        .path = source.path,
                                        .target = entry.target,
                                        .use = NfsUse::own_files,
                                        .read_only = entry.has("ro"),
                                        .client = client}));
                return {};
            }};
}

/// One that is mounted beneath another one comes after it, or would be hidden by it.
void need_what_is_above(Plan& plan) {
    std::set<std::string> ids;
    for (const auto& step : plan) ids.insert(step.id);
    for (auto& step : plan)
        for (auto above = parent_path(step.id.substr(kMountStep.size())); above.size() > 1; above = parent_path(above))
            if (const auto id = std::string(kMountStep) + above; ids.contains(id)) {
                step.needs.push_back(id);
                break;
            }
}

}  // namespace

void add_own_entries(Inittab& table) {
    const bool has_scripts = std::ranges::any_of(
        table.entries, [](const InittabEntry& entry) { return entry.action == InittabAction::sysinit; });
    if (has_scripts && !table.names_us) return;
    const auto own = [](const char* id, const char* role, Seconds patience) {
        return InittabEntry{.id = id,
                            .action = InittabAction::sysinit,
                            .process = fmt::format("{} {}", kProgram, role),
                            .terminal = {},
                            .patience = patience};
    };
    table.entries.insert(table.entries.begin(),
                         {own("@devices", kStartDevices, Seconds{60}), own("@mounts", kMountFstab, Seconds{20})});
}

std::vector<FstabEntry> fstab_to_mount(std::string_view text) {
    std::vector<FstabEntry> entries;
    for (auto& entry : parse_fstab(text)) {
        if (entry.options.empty() || !entry.target.starts_with('/')) continue;
        entry.target = clean_path(entry.target);
        if (entry.target == "/") continue;
        // A boot script mounts /tmp by name, so "noauto" says nothing about it.
        const bool wanted = entry.type == "tmpfs" ? entry.target == "/tmp" : entry.is_nfs() && !entry.has("noauto");
        if (!wanted) continue;
        if (entry.type == "nfs4" && entry.options.find("vers=") == std::string::npos) entry.options += ",vers=4";
        if (entries.size() < 64) entries.push_back(std::move(entry));
    }
    return entries;
}

Ipv4 address_in_hosts(std::string_view hosts, std::string_view name) {
    for (const auto line : lines(hosts)) {
        const auto fields = words(line.substr(0, line.find('#')));
        if (fields.size() < 2 || std::find(fields.begin() + 1, fields.end(), name) == fields.end()) continue;
        if (const auto address = Ipv4::parse(fields[0])) return *address;
    }
    return {};
}

int start_devices(Os& os) {
    // Programs for each event, from before udev: with a thousand devices a storm of processes.
    for (const char* helper : {"/proc/sys/kernel/hotplug", "/sys/kernel/uevent_helper"})
        if (os.files.exists(helper)) (void)os.files.write(helper, "\n");
    const auto udevd = std::ranges::find_if(kUdevd, [&](const char* path) { return os.files.exists(path); });
    if (udevd == kUdevd.end()) return 0;  // the kernel's devtmpfs has to do
    const auto deadline = Deadline::after(os.clock, kSettle);
    if (!os.files.exists("/run/udev/control")) {
        const auto pid = os.processes.spawn(
            {.path = *udevd, .arguments = {base_name(*udevd), "--daemon"}, .environment = {}, .console = {}});
        if (!pid) {
            os.machine.say(4, pid.error().cause + ", continuing without");
            return 1;
        }
        (void)os.processes.wait(*pid, deadline);
    }
    trigger(os.files, "/sys/devices", 0);
    // udevd's sign that it has work (udev_queue_get_queue_is_empty(3) looks for the same).
    while (os.files.exists("/run/udev/queue") && !deadline.passed(os.clock)) os.clock.sleep(Milliseconds{50});
    return 0;
}

int mount_fstab(Os& os) {
    const auto text = os.files.read("/etc/fstab", 1 << 18).value_or(std::string());
    const auto table = os.mounts.table();
    const auto is_mounted = [&](const FstabEntry& entry, bool from_anywhere) {
        const auto source = source_of(os, entry);  // the table has addresses where fstab may have names
        const auto resolved = source ? nfs_source(source->servers.front(), source->path) : entry.source;
        return table && std::ranges::any_of(*table, [&](const MountEntry& mount) {
                   return mount.target == entry.target &&
                          (from_anywhere || mount.source == entry.source || mount.source == resolved);
               });
    };
    Ipv4 client;
    std::set<std::string> listed;  // what a list names is the node's own, whatever fstab says
    if (const auto kept = os.files.read(kReportFile, 4 << 20))
        if (const auto report = boot_report_from_json(*kept)) {
            client = report->lease.address;
            for (const auto& state : report->state)
                if (state.kind != "skipped") listed.insert(state.path);
        }
    Plan plan;
    std::set<std::string> targets;
    for (const auto& entry : fstab_to_mount(text)) {
        if (!targets.insert(entry.target).second) {
            os.machine.say(4, "fstab: " + printable(entry.target) + " is there twice: the first line counts");
            continue;
        }
        if (entry.type == "tmpfs") {
            // Ours is one of all volatile files; the site's may be smaller, and is its own.
            const auto mounted = os.mounts.mount({"tmpfs", "/tmp", "tmpfs", entry.options + ",nodev,nosuid,mode=1777"});
            if (!mounted) os.machine.say(4, mounted.error().cause + ", continuing");
        } else if (listed.contains(entry.target) && is_mounted(entry, true)) {
            os.machine.say(4, "fstab: " + printable(entry.target) + " stays as a list of this node has it");
        } else if (!is_mounted(entry, false)) {
            plan.push_back(mount_step(entry, client));
        }
    }
    need_what_is_above(plan);
    make_run_directories(os.files);
    ExecutorEvents events;
    events.retry = [&os](const StepReport& step, const Error& error, Milliseconds) {
        if (step.attempts != 1) return;
        os.machine.say(4, fmt::format("{}: {}, trying on", step.sentence, error.cause));
        if (!error.remedy.empty()) os.machine.say(4, "what to do: " + error.remedy);
    };
    events.ended = [&os](const StepReport& step) {
        if (step.outcome == StepOutcome::done) os.machine.say(6, step.sentence);
    };
    const auto done = Executor(os, events).run(plan);
    if (done) return 0;
    os.machine.say(4, "fstab: " + done.error().cause);
    return 1;
}

}  // namespace diskless
