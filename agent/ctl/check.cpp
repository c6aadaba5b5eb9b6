// check: is this node as its boot planned it? Every line is one question, its answer, and what to do when it is no.
#include <fmt/core.h>

#include <algorithm>

#include "agent/ctl/commands.hpp"
#include "agent/ctl/covering_mount.hpp"
#include "common/base/text.hpp"
#include "common/report/words.hpp"

namespace diskless::ctl {

namespace {

constexpr Nanoseconds kWriteDeadline = Seconds{5};
constexpr std::int64_t kNoEarlier = 1'704'067'200;  // 2024-01-01: this program is younger than any node's clock may say

struct Finding {
    std::string subject, answer, remedy;
    bool ok = true;
};

using Findings = std::vector<Finding>;

Findings check_root(const BootReport& report, const std::vector<MountEntry>& table) {
    const MountEntry* root = covering_mount(table, "/");
    if (root == nullptr) return {{"root", "is not in the mount table", "see /proc/self/mountinfo", false}};
    const bool writable = has_option(root->options, "rw") && has_option(root->super_options, "rw");
    const bool planned = report.root.mode != "ro";
    if (report.root.mode == "overlay" && root->type != "overlay")
        return {{"root", "is not covered by memory, as the boot planned", "find out who mounted it; reboot", false}};
    if ((root->type.starts_with("nfs") || root->type == "overlay") && writable != planned)
        return {{"root",
                 fmt::format("is mounted {}, the boot planned {}", writable ? "rw" : "ro", planned ? "rw" : "ro"),
                 planned ? "mount -o remount,rw /" : "mount -o remount,ro /, and find out who remounted it", false}};
    return {{"root", fmt::format("{} on / is {}", root->source, writable ? "rw" : "ro"), {}}};
}

/// A path on the snapshot's file system through which the node may write: where it is mounted, or the first entry from
/// it.
std::string way_into_snapshot(const BootReport& report, const std::vector<MountEntry>& table) {
    const std::string source = report.snapshot.server + ":" + report.snapshot.path;
    for (const auto& entry : table)
        if (entry.type.starts_with("nfs") && (entry.source == source || entry.source.starts_with(source + "/")))
            return entry.target;
    return {};
}

Findings check_snapshot(CtlWorld& world, const BootReport& report, const std::vector<MountEntry>& table) {
    if (report.snapshot.state != "mounted") {
        if (report.snapshot.state == "none") return {{"snapshot", "none, as planned", {}}};
        return {{"snapshot",
                 "is " + (report.snapshot.state.empty() ? "unknown" : report.snapshot.state) +
                     ": what the node writes is lost at its next boot",
                 "make the snapshot on the server (diskless-server snapshot), then reboot", false}};
    }
    const std::string path = way_into_snapshot(report, table);
    if (path.empty())
        return {{"snapshot", fmt::format("{}:{} is not mounted", report.snapshot.server, report.snapshot.path),
                 "reboot the node", false}};
    const MountEntry* mount = covering_mount(table, path);
    if (!has_option(mount->options, "rw") || !has_option(mount->super_options, "rw"))
        return {{"snapshot", path + " is mounted read-only", "export it rw to this node, then reboot", false}};
    if (world.user != 0) return {{"snapshot", path + " is mounted rw (not written to: that needs root)", {}}};
    const std::string probe = join_path(path, ".disklessctl-check");
    const auto written = world.processes.in_child("write to the snapshot", Deadline::after(world.clock, kWriteDeadline),
                                                  [&]() -> Result<std::string> {
                                                      if (!world.files.is_directory(path)) return std::string("file");
                                                      TRY(world.files.replace(probe, "check\n", 0600));
                                                      TRY(world.files.remove(probe));
                                                      return std::string();
                                                  });
    if (!written)
        return {{"snapshot", written.error().cause, "see room and rights of the snapshot on the server", false}};
    // A single file bound from the snapshot: nothing can be made beside it, and its content is not ours to touch.
    if (*written == "file") return {{"snapshot", path + " is mounted rw", {}}};
    return {{"snapshot", path + " can be written", {}}};
}

Findings check_clock(CtlWorld& world, const BootReport& report) {
    const std::int64_t wall = std::chrono::duration_cast<Seconds>(world.clock.wall()).count();
    if (wall < kNoEarlier || wall < report.wall_started)
        return {{"clock", wall_text(wall) + " cannot be: it is before the boot of this node",
                 "set it (chronyc makestep), and name a time server: diskless.ntp=", false}};
    return {{"clock", wall_text(wall), {}}};
}

Finding check_lease(const NodeStatus& status) {
    const auto& lease = status.lease;
    if (lease.expires_in && *lease.expires_in < 60)
        return {"lease",
                *lease.expires_in <= 0 ? lease.address + " has expired"
                                       : lease.address + " ends in " + span_text(*lease.expires_in),
                "see the DHCP server; a longer lease time, or a fixed address for this node", false};
    // Refused, say: the address that is kept may have hours left of what was once given.
    const auto trouble = std::ranges::find(status.degraded, "lease", &DegradedItem::what);
    if (trouble != status.degraded.end()) return {"lease", trouble->cause, trouble->remedy, false};
    if (!lease.expires_in) return {"lease", lease.address + " has no end", {}};
    return {"lease", lease.address + " for another " + span_text(*lease.expires_in), {}};
}

Findings check_agent(const NodeStatus& status) {
    // What has become of the lease and of the servers only the agent knows.
    if (!agent_answers(status))
        return {{"agent", "does not answer", "a reboot starts it again: disklessctl reboot", false}};
    Findings findings{{"agent", status.agent, {}}, check_lease(status)};
    const auto add = [&](const char* subject, const std::optional<Health>& health) {
        if (!health) return;
        const bool ok = health->state == "ok";
        findings.push_back(
            {subject, ok ? fmt::format("answers in {} ms", health->milliseconds) : health->cause, health->remedy, ok});
    };
    add("root server", status.root_health);
    add("snapshot server", status.snapshot_health);
    return findings;
}

/// Every entry must be served by a mount of its own or of a parent, not by the shared root.
Findings check_state(const BootReport& report, const std::vector<MountEntry>& table) {
    Findings findings;
    std::size_t good = 0;
    for (const auto& entry : report.state) {
        if (!entry.problem.empty()) {
            findings.push_back(
                {"state " + entry.path, entry.problem, "mend the list or its source, then reboot", false});
            continue;
        }
        const MountEntry* mount = covering_mount(table, entry.path);
        const bool mounts = entry.kind != "link" && entry.kind != "skipped" &&
                            !(entry.kind == "generated" && report.root.mode == "overlay");
        if (mounts && report.root.mode != "rw" && (mount == nullptr || mount->target == "/"))
            findings.push_back({"state " + entry.path, "is not mounted: it shows the shared root",
                                "somebody unmounted it; reboot", false});
        else
            ++good;
    }
    findings.push_back({"state", fmt::format("{} of {} entries are as planned", good, report.state.size()), {}});
    return findings;
}

}  // namespace

int check(CtlWorld& world, const ParsedOptions& options) {
    const auto report = boot_report(world);
    if (!report) return failed(world, report.error());
    const auto status = node_status_now(world);
    if (!status) return failed(world, status.error());
    const auto table = world.mounts.table();
    if (!table) return failed(world, table.error());

    Findings findings;
    const auto add = [&findings](Findings more) { findings.insert(findings.end(), more.begin(), more.end()); };
    add(check_root(*report, *table));
    add(check_snapshot(world, *report, *table));
    add(check_clock(world, *report));
    add(check_agent(*status));
    add(check_state(*report, *table));
    for (const auto& item : status->degraded)
        if (!item.what.starts_with("state ") && item.what != "agent" && item.what != "root server" &&
            item.what != "lease" &&
            !(item.what == "snapshot" && status->snapshot_health && status->snapshot_health->state != "ok"))
            findings.push_back({item.what, item.cause, item.remedy, false});

    bool all_well = true;
    JsonWriter json(2);
    json.begin_array();
    for (const auto& finding : findings) {
        all_well = all_well && finding.ok;
        if (!options.has("json")) {
            world.out.write(
                printable(fmt::format("{:<8} {}: {}", finding.ok ? "ok" : "PROBLEM", finding.subject, finding.answer)) +
                "\n");
            if (!finding.remedy.empty()) world.out.write("         -> " + printable(finding.remedy) + "\n");
        }
        json.begin_object();
        json.member("subject", finding.subject);
        json.member("ok", finding.ok);
        json.member("answer", finding.answer);
        json.member("remedy", finding.remedy);
        json.end_object();
    }
    json.end_array();
    if (options.has("json")) world.out.write(json.text() + "\n");
    return all_well ? kExitDone : kExitFailed;
}

}  // namespace diskless::ctl
