#include "agent/init_kind.hpp"

#include <signal.h>

#include <cstring>

#include "common/base/text.hpp"
#include "common/os/files.hpp"

namespace diskless {

namespace {

/// glibc's SIGRTMIN, which systemd counts from (systemd(1), SIGNALS); another C library may keep more for itself.
constexpr int kSystemdSignalBase = 34;

/// struct init_request of sysvinit's initreq.h: 384 bytes, native byte order.
struct InitRequest {
    std::int32_t magic = 0x03091969;
    std::int32_t command = 0;  // 1: change the run level, 6: set an environment variable
    std::int32_t run_level = 0;
    std::int32_t sleep_time = 0;  // seconds between TERM and KILL
    char data[368] = {};
};
static_assert(sizeof(InitRequest) == 384);

std::string bytes_of(const InitRequest& request) {
    std::string bytes(sizeof request, '\0');
    std::memcpy(bytes.data(), &request, sizeof request);
    return bytes;
}

/// Run level 6 reboots; run level 0 halts, or powers off when INIT_HALT says so.
std::string initctl_bytes(PowerVerb verb) {
    std::string bytes;
    if (verb != PowerVerb::reboot) {
        InitRequest environment;
        environment.command = 6;
        const std::string_view setting = verb == PowerVerb::halt ? "INIT_HALT=HALT" : "INIT_HALT=POWEROFF";
        std::memcpy(environment.data, setting.data(), setting.size());
        bytes += bytes_of(environment);
    }
    InitRequest change;
    change.command = 1;
    change.run_level = verb == PowerVerb::reboot ? '6' : '0';
    change.sleep_time = 3;
    return bytes + bytes_of(change);
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
        case InitKind::other:
            return "an unknown init";
    }
    return "an unknown init";
}

InitKind init_kind(const InitFacts& facts) {
    if (facts.comm == "systemd" || facts.has_systemd) return InitKind::systemd;
    if (base_name(facts.executable) == "busybox" || facts.comm == "busybox" || facts.comm == "linuxrc")
        return InitKind::busybox;
    // Many programs are called "init"; the fifo is sysvinit's own.
    if (facts.has_initctl) return InitKind::sysvinit;
    return InitKind::other;
}

std::optional<InitAsk> how_to_ask(InitKind kind, PowerVerb verb) {
    switch (kind) {
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

std::optional<InitSight> parse_init_stat(std::string_view stat) {
    // "1 (comm) S ppid …": the name may hold blanks and parentheses, so count from the last one.
    const auto open = stat.find('('), close = stat.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
    const auto fields = words(stat.substr(close + 1));
    constexpr std::size_t kState = 0, kUserTicks = 11, kSystemTicks = 12;  // proc(5): fields 3, 14 and 15
    if (fields.size() <= kSystemTicks || fields[kState].size() != 1) return std::nullopt;
    const auto user = parse_number<std::uint64_t>(fields[kUserTicks]);
    const auto system = parse_number<std::uint64_t>(fields[kSystemTicks]);
    if (!user || !system) return std::nullopt;
    InitSight sight;
    sight.stuck = fields[kState][0] == 'D';
    sight.activity = *user + *system;
    for (const char c : stat.substr(open, close - open))  // another program: systemd-shutdown after systemd
        sight.activity = sight.activity * 31 + static_cast<unsigned char>(c);
    return sight;
}

}  // namespace diskless
