// What the agent keeps over its own death, in a small file in RAM.
#pragma once

#include <string>
#include <vector>

#include "common/report/node_status.hpp"

namespace diskless {

inline constexpr const char* kAgentStateFile = "/run/diskless/agent.json";
/// There once a way down has begun of which the agent knows: nobody needs to tell it.
inline constexpr const char* kGoingDownFile = "/run/diskless/going-down";

/// One line that was said on the kernel log.
struct LogLine {
    Nanoseconds at{0};  // CLOCK_BOOTTIME
    int level = 6;      // as in syslog(2)
    std::string text;
    bool operator==(const LogLine&) const = default;
};

/// A way down that was begun.
struct KeptPowerRequest {
    std::string verb;      // of the control protocol; empty: none
    Nanoseconds until{0};  // CLOCK_BOOTTIME of its end
    bool now = false;      // PID 1 is not asked
    bool begun = false;    // it has been, or needs not be
    bool reacted = false;  // and has reacted
    bool root_is_dead = false;
    bool operator==(const KeptPowerRequest&) const = default;
};

struct AgentState {
    int format = 1;
    Lease lease;  // in use; no address: none is kept
    std::string lease_cause, lease_remedy;
    NodeCounters counters;
    KeptPowerRequest power;
    std::string end;  // what PID 1 does by itself: "reboot", "poweroff", "end"; empty: nothing
    std::vector<LogLine> log;
    bool operator==(const AgentState&) const = default;
};

std::string to_json(const AgentState& state);
Result<AgentState> agent_state_from_json(std::string_view text);

/// The lines of a log as one line of JSON, for the control socket, and back.
std::string to_json_line(const std::vector<LogLine>& log);
Result<std::vector<LogLine>> log_from(const Json& tree);

}  // namespace diskless
