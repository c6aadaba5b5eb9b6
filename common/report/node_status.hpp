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
    std::optional<Space> space;  // of the snapshot
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
};

/// What only a look at the running node tells.
struct LiveFacts {
    Nanoseconds now{0};     // CLOCK_BOOTTIME
    std::int64_t wall = 0;  // seconds since 1970
    std::string agent;
    std::optional<bool> root_answers;
    std::optional<Space> space;
    std::optional<Error> space_problem;  // why the snapshot could not be asked
    std::optional<LiveLease> lease;      // nothing: as the boot got it
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
