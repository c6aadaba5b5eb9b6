#include "common/report/node_status.hpp"

#include <fmt/core.h>

#include "common/base/text.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {

/// Below a twentieth of bytes or inodes a snapshot is called nearly full.
bool nearly_full(const Space& space) {
    return (space.total_bytes != 0 && space.free_bytes < space.total_bytes / 20) ||
           (space.total_inodes != 0 && space.free_inodes < space.total_inodes / 20);
}

LeaseStatus lease_status(const Lease& lease, Nanoseconds now) {
    LeaseStatus status;
    status.source = std::string(text(lease.source));
    if (lease.address.is_set()) status.address = fmt::format("{}/{}", lease.address.text(), unsigned{lease.prefix});
    if (lease.server_id.is_set()) status.server = lease.server_id.text();
    if (lease.lease_time.count() > 0) {
        const auto used = std::chrono::ceil<Seconds>(now - lease.obtained);
        status.expires_in = (lease.lease_time - used).count();
        status.confirmed = std::chrono::floor<Seconds>(now - lease.obtained).count();
    }
    return status;
}

std::string ago(std::int64_t expires_in) {
    return span_text(expires_in == INT64_MIN ? INT64_MAX : -expires_in) + " ago";
}

std::string space_text(const Space& space) {
    std::string line = fmt::format("{} free of {}", bytes_text(space.free_bytes), bytes_text(space.total_bytes));
    if (space.total_inodes != 0) line += fmt::format(", {} inodes free", space.free_inodes);
    return line;
}

/// "server ok, answers in 3 ms", "server slow for 2 min: …".
std::string health_text(const std::optional<Health>& health) {
    if (!health) return {};
    if (health->state == "ok") return fmt::format("server ok, answers in {} ms", health->milliseconds);
    return fmt::format("server {} for {}", health->state, span_text(health->since));
}

}  // namespace

NodeStatus node_status(const BootReport& report, const LiveFacts& live) {
    NodeStatus status;
    status.version = report.version;
    status.kernel = report.kernel;
    status.init = report.init;
    status.interface = report.interface;
    status.mac = report.mac;
    status.root = report.root;
    if (live.root) status.root_server = live.root->state == "unreachable" ? "does not answer" : "answers";
    status.root_health = live.root;
    status.snapshot_health = live.snapshot;
    status.snapshot = report.snapshot;
    status.space = live.space;
    status.lease = lease_status(live.lease ? live.lease->lease : report.lease, live.now);
    if (live.lease) {
        status.lease.waits_for = live.lease->waits_for;
        status.carrier = live.lease->carrier;
    }
    status.watchdog = live.watchdog;
    status.counters = live.counters;
    status.time = report.time;
    status.wall = live.wall;
    status.identity = report.identity;
    status.uptime = live.now;
    status.handed_over = report.handed_over;
    status.outcome = std::string(text(overall(report)));
    status.agent = live.agent;

    auto& degraded = status.degraded;
    for (const auto& step : report.steps)
        if (step.outcome == StepOutcome::degraded || step.outcome == StepOutcome::failed)
            degraded.push_back(
                {step.id, step.cause.empty() ? std::string(text(step.outcome)) : step.cause, step.remedy});
    for (const auto& entry : report.state)
        if (!entry.problem.empty()) degraded.push_back({"state " + entry.path, entry.problem, {}});
    if (report.last_shutdown && is_trouble(*report.last_shutdown))
        degraded.push_back({"last end", last_shutdown_text(*report.last_shutdown), {}});
    if (status.carrier == false)
        degraded.push_back({"carrier", fmt::format("{} has no carrier", report.interface), "see cable and switch"});
    if (live.root && live.root->state != "ok") degraded.push_back({"root server", live.root->cause, live.root->remedy});
    const bool snapshot_ok = !live.snapshot || live.snapshot->state == "ok";
    if (!snapshot_ok) degraded.push_back({"snapshot", live.snapshot->cause, live.snapshot->remedy});
    if (snapshot_ok && live.space && nearly_full(*live.space))
        degraded.push_back(
            {"snapshot", "nearly full: " + space_text(*live.space), "free room in the node's snapshot on the server"});
    if (live.lease && live.lease->problem)
        degraded.push_back({"lease", live.lease->problem->cause, live.lease->problem->remedy});
    else if (status.lease.expires_in && *status.lease.expires_in <= 0)
        degraded.push_back({"lease", "expired " + ago(*status.lease.expires_in),
                            "the address may be given to another node: see the DHCP server, then reboot this node"});
    return status;
}

std::string status_text(const NodeStatus& status) {
    std::string text;
    const auto row = [&text](std::string_view name, const std::string& value) {
        if (!value.empty()) text += fmt::format("{:<11}{}\n", name, printable(value));
    };
    const auto or_unknown = [](const std::string& value) { return value.empty() ? std::string("unknown") : value; };

    const auto& identity = status.identity;
    std::string node = or_unknown(identity.hostname);
    if (!identity.domain.empty()) node += "." + identity.domain;
    row("node", node + (identity.hostname_source.empty() ? "" : " (name from " + identity.hostname_source + ")"));
    row("machine-id",
        identity.machine_id.empty()
            ? ""
            : identity.machine_id +
                  (identity.machine_id_source.empty() ? "" : " (from " + identity.machine_id_source + ")"));
    std::string root = fmt::format("{}:{}", or_unknown(status.root.server), or_unknown(status.root.path));
    if (!status.root.image.empty()) root += "/" + status.root.image;
    if (!status.root.version.empty()) root += ", NFS " + status.root.version;
    if (!status.root.mode.empty()) root += ", " + status.root.mode;
    if (!status.root.generation.empty()) root += ", generation " + status.root.generation;
    row("root", root);
    row("", status.root.options);
    row("", health_text(status.root_health));
    std::string snapshot = status.snapshot.name.empty() ? "none" : status.snapshot.name;
    if (!status.snapshot.state.empty() && status.snapshot.state != snapshot) snapshot += ", " + status.snapshot.state;
    if (!status.snapshot.path.empty()) snapshot += fmt::format(" {}:{}", status.snapshot.server, status.snapshot.path);
    if (status.space) snapshot += "; " + space_text(*status.space);
    row("snapshot", snapshot);
    row("", health_text(status.snapshot_health));
    std::string lease = or_unknown(status.lease.address);
    if (!status.interface.empty()) lease += " on " + status.interface;
    if (!status.mac.empty()) lease += " (" + status.mac + ")";
    if (status.carrier == false) lease += ", no carrier";
    lease += ", " + status.lease.source;
    if (!status.lease.server.empty()) lease += " from " + status.lease.server;
    if (status.lease.expires_in)
        lease += *status.lease.expires_in > 0 ? ", expires in " + span_text(*status.lease.expires_in)
                                              : ", expired " + ago(*status.lease.expires_in);
    if (status.lease.confirmed) lease += ", confirmed " + span_text(*status.lease.confirmed) + " ago";
    row("address", lease);
    row("", status.lease.waits_for);
    std::string time = wall_text(status.wall);
    if (!status.time.source.empty())
        time += fmt::format(", set from {}, moved by {}", status.time.source, seconds_text(status.time.step));
    row("time", time);
    row("up", fmt::format("{}; booted in {}: {}", span_text(std::chrono::duration_cast<Seconds>(status.uptime).count()),
                          status.handed_over.count() == 0 ? "(not handed over)" : seconds_text(status.handed_over),
                          or_unknown(status.outcome)));
    std::string agent = or_unknown(status.agent);
    if (status.counters.agent_restarts != 0)
        agent += fmt::format(", started again {} times", status.counters.agent_restarts);
    row("agent", agent);
    row("watchdog", status.watchdog);
    row("program", fmt::format("diskless {}, kernel {}, init {}", or_unknown(status.version), or_unknown(status.kernel),
                               or_unknown(status.init)));
    if (status.degraded.empty()) {
        row("degraded", "nothing");
    } else {
        for (const auto& item : status.degraded) {
            row("degraded", fmt::format("{}: {}", item.what, item.cause));
            if (!item.remedy.empty()) row("", "-> " + item.remedy);
        }
    }
    return text;
}

}  // namespace diskless
