// The way down as a story in time: ask PID 1, watch it, take the machine down without it, end it at once.
//
// Pure: it is told the time and what was seen, and says what to do next. The total is a promise to the operator; a
// server that is gone must not break it.
//
//   start ──ask──▶ polite ──(two thirds of the total, or PID 1 stuck or deaf for 5 s)──▶ take down ──(total)──▶ end now
//     └───(now, root server dead, or an init that cannot be asked)────────────────────────────▲
#pragma once

#include "agent/init_kind.hpp"
#include "common/os/clock.hpp"
#include "common/os/machine.hpp"

namespace diskless {

/// "rebooting", "powering off": what is done, for people.
std::string_view gerund(PowerVerb verb);

class PowerRequest {
  public:
    struct Settings {
        PowerVerb verb = PowerVerb::reboot;
        Nanoseconds total = Seconds{30};
        bool now = false;           // do not ask PID 1
        bool begun = false;         // PID 1 needs not be asked
        bool reacted = false;       // and has reacted
        bool root_is_dead = false;  // PID 1 would hang on it
        bool can_ask = true;
    };

    enum class Action {
        ask_init,   // once
        wait,       // come again after kLookEvery
        take_down,  // once: kill, unmount, reboot(2), with deadline()
        end_now,    // reboot(2), sysrq
    };

    static constexpr Nanoseconds kLookEvery = Milliseconds{200};
    static constexpr Nanoseconds kDeafAfter = Seconds{5};  // or a sixth of the total when that is less

    PowerRequest(Settings settings, Nanoseconds start)
        : settings_(settings), start_(start), reacted_(settings.reacted) {}

    /// What to do now. `sight` is the last look at PID 1.
    Action next(Nanoseconds now, const InitSight& sight);

    /// PID 1 is not waited for any longer.
    void hurry() { settings_.now = true; }
    /// Asking failed: the same.
    void could_not_ask() { settings_.now = true; }

    PowerVerb verb() const { return settings_.verb; }
    Deadline deadline() const { return {start_ + settings_.total}; }
    /// What one that goes on with it is to be told, but for the total: PID 1 is not asked twice.
    Settings settings() const {
        auto told = settings_;
        told.begun = settings_.begun || stage_ != Stage::start;
        told.reacted = reacted_;
        told.now = settings_.now || stage_ == Stage::taking_down;
        return told;
    }
    /// Why PID 1 was given up; empty as long as it is not, or was not asked.
    std::string_view reason() const { return reason_; }

  private:
    enum class Stage { start, polite, taking_down };

    bool give_up_on_init(Nanoseconds now, const InitSight& sight);

    Settings settings_;
    Nanoseconds start_;
    Stage stage_ = Stage::start;
    Nanoseconds moved_at_{0};  // PID 1 was last seen to be alive
    InitSight last_;
    bool reacted_;  // since it was asked
    std::string_view reason_;
};

}  // namespace diskless
