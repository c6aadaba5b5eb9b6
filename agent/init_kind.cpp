#include "agent/init_kind.hpp"

#include <signal.h>
#include <utmp.h>

#include <array>
#include <cstring>

#include "common/base/text.hpp"
#include "common/os/files.hpp"
#include "common/os/init_request.hpp"

namespace diskless {

namespace {

/// glibc's SIGRTMIN, which systemd counts from (systemd(1), SIGNALS); another C library may keep more for itself.
constexpr int kSystemdSignalBase = 34;

/// Run level 6 reboots; run level 0 halts, or powers off when INIT_HALT says so.
std::string initctl_bytes(PowerVerb verb) {
    std::string bytes;
    if (verb != PowerVerb::reboot)
        bytes += init_request_bytes({.command = InitCommand::set_environment,
                                     .data = verb == PowerVerb::halt ? "INIT_HALT=HALT" : "INIT_HALT=POWEROFF"});
    return bytes + init_request_bytes({.command = InitCommand::run_level,
                                       .level = verb == PowerVerb::reboot ? '6' : '0',
                                       .sleep_time = Seconds{3}});
}

}  // namespace

std::string_view text(InitKind kind) {
    switch (kind) {
        case InitKind::systemd:
            return "systemd";
        case InitKind::sysvinit:
            return "sysvinit";
        case InitKind::busybox:
            return "busybox init";
        case InitKind::ours:
            return "diskless-init";
        case InitKind::other:
            return "an unknown init";
    }
    return "an unknown init";
}

InitKind init_kind(const InitFacts& facts) {
    if (base_name(facts.executable) == "diskless-init" || facts.comm == "diskless-init") return InitKind::ours;
    if (facts.comm == "systemd" || facts.has_systemd) return InitKind::systemd;
    if (base_name(facts.executable) == "busybox" || facts.comm == "busybox" || facts.comm == "linuxrc")
        return InitKind::busybox;
    // Many programs are called "init"; the fifo is sysvinit's own.
    if (facts.has_initctl) return InitKind::sysvinit;
    return InitKind::other;
}

std::optional<InitAsk> how_to_ask(InitKind kind, PowerVerb verb) {
    switch (kind) {
        case InitKind::ours:  // listens to several kinds of signals; these know all verbs
        case InitKind::systemd:
            switch (verb) {
                case PowerVerb::halt:
                    return InitAsk{kSystemdSignalBase + 3, {}};
                case PowerVerb::poweroff:
                    return InitAsk{kSystemdSignalBase + 4, {}};
                case PowerVerb::reboot:
                    return InitAsk{kSystemdSignalBase + 5, {}};
                case PowerVerb::kexec:
                    return InitAsk{kSystemdSignalBase + 6, {}};
            }
            return std::nullopt;
        case InitKind::busybox:
            switch (verb) {
                case PowerVerb::reboot:
                    return InitAsk{SIGTERM, {}};
                case PowerVerb::halt:
                    return InitAsk{SIGUSR1, {}};
                case PowerVerb::poweroff:
                    return InitAsk{SIGUSR2, {}};
                case PowerVerb::kexec:
                    return std::nullopt;
            }
            return std::nullopt;
        case InitKind::sysvinit:
            if (verb == PowerVerb::kexec) return std::nullopt;
            return InitAsk{0, initctl_bytes(verb)};
        case InitKind::other:
            // The kernel sends INT to PID 1 for Ctrl-Alt-Del: nearly every init reboots then, but none does anything
            // else.
            if (verb == PowerVerb::reboot) return InitAsk{SIGINT, {}};
            return std::nullopt;
    }
    return std::nullopt;
}

std::optional<char> run_level_of(std::string_view utmp) {
    std::optional<char> level;
    for (; utmp.size() >= sizeof(struct utmp); utmp.remove_prefix(sizeof(struct utmp))) {
        struct utmp record;
        std::memcpy(&record, utmp.data(), sizeof record);
        if (record.ut_type == RUN_LVL) level = static_cast<char>(record.ut_pid & 0xFF);  // the level before: above
    }
    return level;
}

std::optional<std::string_view> end_told_by_term(InitKind kind, std::string_view sender,
                                                 std::optional<char> run_level) {
    // These come to our own shutdown program, which tells more.
    if (kind == InitKind::ours || kind == InitKind::systemd) return std::nullopt;
    if (run_level == '6') return "reboot";
    if (run_level == '0') return "poweroff";
    // sysvinit tells its run level before anything else: from this one the node comes back.
    if (kind == InitKind::sysvinit && run_level) return std::nullopt;
    if (kill_follows_term(kind, sender)) return "end";
    return std::nullopt;
}

bool kill_follows_term(InitKind kind, std::string_view sender) {
    if (kind == InitKind::ours || kind == InitKind::systemd) return false;
    // busybox sends it by itself, to everybody, at the end only; killall5 is what boot scripts do that with.
    return sender.empty() || sender == "killall5";
}

std::optional<InitSight> parse_init_stat(std::string_view stat) {
    // "1 (comm) S ppid …": the name may hold blanks and parentheses, so count from the last one.
    const auto open = stat.find('('), close = stat.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
    const auto fields = words(stat.substr(close + 1));
    // proc(5): field 3 is the state. Time passes in ticks of 10 ms, and a signal taken, a program forked or a child
    // waited for costs PID 1 less than one; its page faults show it. Fields 10 and 11 (minflt, cminflt), 14 to 17
    // (utime, stime, cutime, cstime).
    constexpr std::size_t kState = 0;
    constexpr std::array<std::size_t, 6> kMoves{7, 8, 11, 12, 13, 14};
    if (fields.size() <= kMoves.back() || fields[kState].size() != 1) return std::nullopt;
    InitSight sight;
    sight.stuck = fields[kState][0] == 'D';
    for (const auto field : kMoves) {
        const auto value = parse_number<std::uint64_t>(fields[field]);
        if (!value) return std::nullopt;
        sight.activity = sight.activity * 31 + *value;
    }
    for (const char c : stat.substr(open, close - open))  // another program: systemd-shutdown after systemd
        sight.activity = sight.activity * 31 + static_cast<unsigned char>(c);
    return sight;
}

}  // namespace diskless
