#include "agent/power_request.hpp"

#include <algorithm>

namespace diskless {

std::string_view gerund(PowerVerb verb) {
    switch (verb) {
        case PowerVerb::reboot:
            return "rebooting";
        case PowerVerb::poweroff:
            return "powering off";
        case PowerVerb::halt:
            return "halting";
        case PowerVerb::kexec:
            return "rebooting by kexec";
    }
    return "rebooting";
}

bool PowerRequest::give_up_on_init(Nanoseconds now, const InitSight& sight) {
    if (settings_.now) {
        reason_ = "it is not asked, or asked no longer";
        return true;
    }
    if (now >= start_ + settings_.total / 3 * 2) {
        reason_ = "it takes too long";
        return true;
    }
    if (sight.activity != last_.activity) {
        reacted_ = true;
        moved_at_ = now;
    }
    reacted_ = reacted_ || sight.going_down;
    // One that has reacted may wait for its services in peace; one that hangs in the kernel will not come back.
    if (reacted_ && !sight.stuck) moved_at_ = now;
    last_ = sight;
    if (now - moved_at_ < std::min(kDeafAfter, settings_.total / 6)) return false;
    reason_ = sight.stuck ? "it hangs in the kernel" : "it does not react";
    return true;
}

PowerRequest::Action PowerRequest::next(Nanoseconds now, const InitSight& sight) {
    if (now >= deadline().at) return Action::end_now;
    switch (stage_) {
        case Stage::start:
            if (settings_.now || settings_.root_is_dead || !(settings_.can_ask || settings_.begun)) {
                reason_ = settings_.root_is_dead ? "the root server is gone"
                          : settings_.now        ? "it is not asked"
                                                 : "it cannot be asked";
                stage_ = Stage::taking_down;
                return Action::take_down;
            }
            stage_ = Stage::polite;
            last_ = sight;
            moved_at_ = now;
            return settings_.begun ? Action::wait : Action::ask_init;
        case Stage::polite:
            if (!give_up_on_init(now, sight)) return Action::wait;
            stage_ = Stage::taking_down;
            return Action::take_down;
        case Stage::taking_down:
            // It only comes back when it has failed.
            return Action::end_now;
    }
    return Action::end_now;
}

}  // namespace diskless
