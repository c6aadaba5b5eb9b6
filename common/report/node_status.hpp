// NodeStatus: how a node is now. What the boot found out, joined with what the resident agent sees.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/report/boot_report.hpp"

namespace diskless {

struct Json;

/// Free room of a file system.
struct Space {
    std::uint64_t free_bytes = 0, total_bytes = 0;
    std::uint64_t free_inodes = 0, total_inodes = 0;  // 0 total: the server does not count them
    bool read_only = false;                           // as it is mounted; not in JSON
    bool operator==(const Space&) const = default;
};

struct LeaseStatus {
    std::string source;                      // "dhcp", "bootp", "rarp", "fixed"
    std::string address;                     // "10.9.0.21/24"
    std::string server;                      // that gave it; empty when fixed
    std::optional<std::int64_t> expires_in;  // seconds; negative: expired so long ago; nothing: never
    std::optional<std::int64_t> confirmed;   // seconds since a server last gave or renewed it; nothing: it has no end
    std::string waits_for;                   // what is asked for and not answered yet; empty: nothing
    bool operator==(const LeaseStatus&) const = default;
};

/// What a look at a mounted directory told of it and of its server.
struct Health {
    std::string state;              // "ok", "slow", "unreachable", "stale", "read-only", "full"
    std::int64_t milliseconds = 0;  // the last look that was answered took so long
    std::int64_t since = 0;         // seconds in this state
    std::string cause, remedy;      // empty while all is well
    bool operator==(const Health&) const = default;
};

/// What happened since the boot, over all lives of the agent.
struct NodeCounters {
    std::uint64_t agent_restarts = 0;
    std::uint64_t lease_renewals = 0;
    std::uint64_t lease_losses = 0;      // refused or run out
    std::uint64_t address_put_back = 0;  // somebody took address, routes or link away
    std::uint64_t carrier_losses = 0;
    std::uint64_t root_outages = 0;  // unreachable or stale
    std::uint64_t snapshot_outages = 0;
    bool operator==(const NodeCounters&) const = default;
};

/// Something that is not as it should be, and what to do.
struct DegradedItem {
    std::string what, cause, remedy;
    bool operator==(const DegradedItem&) const = default;
};

struct NodeStatus {
    int format = 1;
    std::string version, kernel, init;
    std::string interface, mac;
    RootFacts root;
    std::string root_server;  // "answers", "does not answer", "" not asked
    SnapshotFacts snapshot;
    std::optional<Space> space;                          // of the snapshot
    std::optional<Health> root_health, snapshot_health;  // nothing: not looked at
    std::optional<bool> carrier;                         // of the interface; nothing: there is no such interface
    std::string watchdog;                                // "fed every 20 s", why not; empty: not wanted
    NodeCounters counters;
    LeaseStatus lease;
    TimeFacts time;
    std::int64_t wall = 0;  // seconds since 1970, now
    IdentityFacts identity;
    Nanoseconds uptime{0};
    Nanoseconds handed_over{0};  // the boot took so long, kernel included
    std::string outcome;         // of the boot: "done", "degraded", "failed"
    std::string agent;           // "running", "rebooting", …, "not answering"
    std::vector<DegradedItem> degraded;
    bool operator==(const NodeStatus&) const = default;
};

/// What its keeper knows of the lease.
struct LiveLease {
    Lease lease;                   // in use
    std::string waits_for;         // "renewal of 10.9.0.21 unanswered for 40 s"; empty: nothing is under way
    std::optional<Error> problem;  // what is wrong with it
    std::optional<bool> carrier;   // nothing: the interface is gone
    // since this keeper was made
    std::uint64_t renewals = 0, losses = 0, put_back = 0;
};

/// What only a look at the running node tells.
struct LiveFacts {
    Nanoseconds now{0};     // CLOCK_BOOTTIME
    std::int64_t wall = 0;  // seconds since 1970
    std::string agent;
    std::optional<Health> root, snapshot;  // nothing: not looked at
    std::optional<Space> space;
    std::optional<LiveLease> lease;  // nothing: as the boot got it
    std::string watchdog;
    NodeCounters counters;
};

/// Joins both; everything that is not well becomes a degraded item with its remedy.
NodeStatus node_status(const BootReport& report, const LiveFacts& live);

std::string to_json(const NodeStatus& status, int indent = 2);
Result<NodeStatus> node_status_from_json(std::string_view text);
Result<NodeStatus> node_status_from(const Json& tree);

/// The report as one line of JSON, for the control socket, and back.
std::string to_json_line(const BootReport& report);
Result<BootReport> boot_report_from(const Json& tree);

/// The status as people read it: one line a subject.
std::string status_text(const NodeStatus& status);

std::string_view text(LeaseSource source);

}  // namespace diskless
