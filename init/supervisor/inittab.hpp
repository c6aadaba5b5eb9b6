// /etc/inittab as sysvinit (inittab(5)) and busybox init read it: "id:runlevels:action:process".
//
// The same grammar twice. sysvinit: the id is a label, the run levels say when. Busybox: the id is a terminal below
// /dev, the run levels are ignored. A file in which no line has run levels is busybox' one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/os/clock.hpp"

namespace diskless {

enum class InittabAction : std::uint8_t {
    sysinit,
    boot,
    bootwait,
    initdefault,
    wait,
    once,
    respawn,
    ondemand,
    off,
    powerfail,
    powerwait,
    powerokwait,
    powerfailnow,
    ctrlaltdel,
    kbrequest,
    shutdown,
    restart,
    askfirst,
};
std::string_view text(InittabAction action);
/// Must the entry have ended before the next one begins?
bool is_waited_for(InittabAction action);
/// Is it started again when it ends?
constexpr bool is_kept_alive(InittabAction action) {
    return action == InittabAction::respawn || action == InittabAction::askfirst || action == InittabAction::ondemand;
}

/// Run levels as bits: 0 to 9 are those digits, then S, a, b, c.
using RunLevels = std::uint16_t;
/// The bit of '0'…'9', 's', 'S', 'a'…'c', 'A'…'C'; 0 for all else.
RunLevels run_level_bit(char level);

struct InittabEntry {
    std::string id;  // unique in its table; made up where the file has none or has it twice
    InittabAction action = InittabAction::off;
    RunLevels levels = 0;
    std::string process;   // as written, without the marks below
    std::string terminal;  // "ttyS0": below /dev, its controlling terminal; empty: the console
    bool login = false;    // '-' before the process: a login shell ("-sh" as its name)
    bool recorded = true;  // no '+' before the process: utmp and wtmp tell of it
    Seconds patience{0};   // what is waited for is waited for so long; 0: for ever. No inittab can say this.
    bool operator==(const InittabEntry&) const = default;
};

struct InittabProblem {
    int line = 0;  // 1 is the first; 0: the whole file
    std::string what;
    std::string_view remedy;  // of static storage
    bool operator==(const InittabProblem&) const = default;
};

struct Inittab {
    std::vector<InittabEntry> entries;  // in the order in which they are started
    char level = '\0';                  // of initdefault; without one, the level that most probably was meant
    bool busybox = false;
    bool names_us = false;  // an entry called this program, by an old name; what we do in its place is ours to add
    std::vector<InittabProblem> problems;
};

/// Never fails: a line that cannot be meant is a problem, and left out.
Inittab parse_inittab(std::string_view text);

/// For a root without a usable inittab: its rcS if there is one, and a login on the console.
std::string_view default_inittab();

/// A shell for the administrator alone: level S without an entry of its own, and "init -b".
InittabEntry emergency_entry();
inline constexpr std::string_view kEmergencyId = "@shell";

/// Is what it prints kept (`disklessctl log ID`)? That of services: what is waited for, has a terminal, or is a shell
/// or a login by its name belongs to somebody who looks at the console.
bool is_logged(const InittabEntry& entry);

/// What reading the table again has changed, a line each: "+ sshd: /bin/sshd -D", "- gmond: …" and "~ sshd: …" (another
/// process, or other run levels).
std::vector<std::string> inittab_changes(const std::vector<InittabEntry>& before, const std::vector<InittabEntry>& now);

/// What execve(2) is given: through /bin/sh only where the text asks for it.
struct Command {
    std::string path;
    std::vector<std::string> arguments;  // [0] included
};
Command command_of(const InittabEntry& entry);

}  // namespace diskless
