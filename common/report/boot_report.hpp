// BootReport: what happened while a node booted. Kept as /run/diskless/boot.json and <snapshot>/.diskless/boot.json.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/lease.hpp"
#include "common/os/clock.hpp"

namespace diskless {

enum class StepOutcome { waiting, running, done, skipped, degraded, failed };
std::string_view text(StepOutcome outcome);

struct StepReport {
    std::string id;        // "mount-root"
    std::string sentence;  // "mount 10.9.0.1:/srv/root on /sysroot"
    StepOutcome outcome = StepOutcome::waiting;
    Nanoseconds started{0}, ended{0};  // CLOCK_BOOTTIME
    int attempts = 0;
    std::vector<std::string> notes;  // what the step found out, one line each
    std::string cause, remedy;       // of the first failure that counted
    bool operator==(const StepReport&) const = default;
};

struct RootFacts {
    std::string server, path, version, options;  // version "4.2"; options as /proc/mounts shows them
    std::string mode;                            // "ro", "rw", "overlay"
    std::string generation;                      // of the image, when its root says so
    std::string image;                           // the file below `path` that holds the root; empty: `path` does
    bool operator==(const RootFacts&) const = default;
};

struct SnapshotFacts {
    std::string name, server, path;
    std::string state;    // "mounted", "volatile", "none"
    std::string options;  // of the mount
    bool operator==(const SnapshotFacts&) const = default;
};

struct TimeFacts {
    std::string source;   // "sntp 10.9.0.1", "snapshot", "image", "clock"
    Nanoseconds step{0};  // how much the clock was moved
    bool operator==(const TimeFacts&) const = default;
};

struct IdentityFacts {
    std::string hostname, hostname_source, domain, nis_domain, machine_id, machine_id_source;
    bool operator==(const IdentityFacts&) const = default;
};

/// One line of the state plan as carried out.
struct StateFacts {
    std::string path, kind, source;
    std::uint64_t bytes = 0;  // copied at this boot
    std::string problem;      // empty: fine
    bool operator==(const StateFacts&) const = default;
};

/// How the node ended before this boot. Kept in its snapshot by the way down, or missing there.
struct LastShutdown {
    /// "clean", "losses", "init": left to an init that does not tell how it went, "unclean": no word of an end (power,
    /// crash, dead server).
    std::string outcome;
    std::string verb;                   // "reboot", …; empty when unclean
    std::int64_t wall = 0;              // seconds since 1970; unclean: when the node was last known to live
    Nanoseconds took{0};                // of what this program did of it
    std::uint64_t unwritten_bytes = 0;  // the server had not taken them
    std::vector<std::string> losses;    // one line each
    bool operator==(const LastShutdown&) const = default;
};

struct BootReport {
    int format = 1;
    std::string version;  // of this program
    std::string kernel, command_line;
    std::string image_parameters;   // of the image's manifest; the command line overrides them
    Nanoseconds started{0};         // CLOCK_BOOTTIME at entry
    Nanoseconds handed_over{0};     // CLOCK_BOOTTIME just before exec of the real init; 0: not yet
    std::int64_t wall_started = 0;  // seconds since 1970, after the clock was set
    std::string init;               // what was executed at hand-over
    std::vector<StepReport> steps;
    std::vector<std::string> warnings;  // of the command line and the lists
    std::vector<std::string> executed;  // programs executed before the hand-over: none
    std::string interface;              // that carries the root
    std::string mac;
    Lease lease;
    RootFacts root;
    SnapshotFacts snapshot;
    TimeFacts time;
    IdentityFacts identity;
    std::vector<StateFacts> state;
    std::optional<LastShutdown> last_shutdown;  // nothing: not known, as at the first boot and without a snapshot
    bool operator==(const BootReport&) const = default;
};

/// "done" when every step is; else "degraded" (and why) or "failed".
StepOutcome overall(const BootReport& report);

std::string to_json(const BootReport& report);
/// Bad or foreign JSON gives an error that names the field; unknown fields are ignored.
Result<BootReport> boot_report_from_json(std::string_view text);

/// Something to look at: losses, or no word of an end.
bool is_trouble(const LastShutdown& last);
std::string to_json(const LastShutdown& last);
Result<LastShutdown> last_shutdown_from_json(std::string_view text);
/// "ended cleanly by reboot at 2026-11-21 02:00:00 UTC", with every loss.
std::string last_shutdown_text(const LastShutdown& last);

/// The boot as people read it: one line a step with a bar on a time axis that starts with the kernel, totals, what was
/// not well, and what each step noted. `width` in columns (at least 60); plain ASCII for serial consoles unless `utf8`.
std::string timeline_text(const BootReport& report, int width = 100, bool utf8 = false);
/// The same as a picture that stands alone: no scripts, no fonts or files of others, for light and dark pages.
std::string timeline_svg(const BootReport& report);

}  // namespace diskless
