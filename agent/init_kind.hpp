// What PID 1 is, how it is asked to end the machine, and whether it does anything.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/os/machine.hpp"

namespace diskless {

enum class InitKind { systemd, sysvinit, busybox, ours, other };
std::string_view text(InitKind kind);

/// All of it can be read without touching the root file system.
struct InitFacts {
    std::string comm;          // /proc/1/comm without newline
    std::string executable;    // what /proc/1/exe links to
    bool has_systemd = false;  // /run/systemd/system exists (sd_booted(3))
    bool has_initctl = false;  // /run/initctl is a fifo
};
InitKind init_kind(const InitFacts& facts);

/// One way to ask: a signal to PID 1, or bytes for the fifo /run/initctl.
struct InitAsk {
    int signal = 0;
    std::string fifo_bytes;
    bool operator==(const InitAsk&) const = default;
};
/// Nothing when this init knows no way (then the machine is taken down without it).
std::optional<InitAsk> how_to_ask(InitKind kind, PowerVerb verb);

/// The run level of the last such record of utmp (utmp(5)), as sysvinit writes it; nothing without one.
std::optional<char> run_level_of(std::string_view utmp);

/// What a SIGTERM, and the run level, tell of the way this node ends: "reboot", "poweroff", "end" when that
/// is all that can be known; nothing when it does not end: somebody has sent it for another reason, as the script that
/// leads sysvinit into single-user mode. `sender` is the name (comm) of the process that sent it, empty for PID 1.
std::optional<std::string_view> end_told_by_term(InitKind kind, std::string_view sender, std::optional<char> run_level);

/// Is that TERM followed by KILL, to every process?
bool kill_follows_term(InitKind kind, std::string_view sender);

/// What /proc/1/stat shows (proc(5)), and utmp.
struct InitSight {
    bool stuck = false;          // state D: waits in the kernel and takes no signal
    std::uint64_t activity = 0;  // changes whenever PID 1 has done something, or became another program
    bool going_down = false;     // it has told that it ends the machine: InitWatch
    bool operator==(const InitSight&) const = default;
};
/// Nothing when the text is no such line.
std::optional<InitSight> parse_init_stat(std::string_view stat);

}  // namespace diskless
