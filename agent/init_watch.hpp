// Whether PID 1 takes the node down by itself: sysvinit and busybox do so without a word to us.
//
// Pure: it is told what was seen. The signs, all readable when every server is dead:
//   sysvinit  run level 0 or 6 in utmp (utmp(5))
//   busybox   takes its signal handlers back before anything else (reset_sighandlers_and_unblock_sigs() of init.c),
//             and never tells which of reboot, poweroff and halt it was asked for
//   both      SIGTERM to us, as to every process
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/init_kind.hpp"
#include "common/os/clock.hpp"

namespace diskless {

class InitWatch {
  public:
    static constexpr Nanoseconds kLookEvery = Seconds{2};

    struct Look {
        InitKind kind = InitKind::other;
        std::string status;                      // /proc/1/status (proc(5))
        std::string utmp;                        // /run/utmp
        std::optional<std::string> term_sender;  // who has sent SIGTERM since the last look: its name, empty for PID 1
    };

    /// True when this look shows first that the node goes down.
    bool look(const Look& look);

    /// What an earlier life has seen; empty: nothing.
    void resume(std::string_view end);

    /// "reboot", "poweroff", "end" when that is all that can be known; nothing: the node stays up.
    std::optional<std::string_view> end() const { return end_; }

  private:
    bool took_handlers_back(std::string_view status);

    std::optional<std::string_view> end_;
    bool caught_signals_ = false;
};

/// Does this kind go down without a word?
constexpr bool goes_silently(InitKind kind) { return kind == InitKind::sysvinit || kind == InitKind::busybox; }

}  // namespace diskless
