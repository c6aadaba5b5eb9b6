// What the supervisor keeps over an exec of its program, and goes on from.
#include <charconv>

#include "common/base/text.hpp"
#include "init/supervisor/supervisor.hpp"

namespace diskless {

namespace {

/// Words into a buffer: one that does not fit is left out whole, and all after it.
class StateWriter {
  public:
    StateWriter(char* to, std::size_t room) : to_(to), room_(room) {}
    StateWriter& begin(char letter) noexcept {
        end();
        if (used_ > 0) put(' ');
        return put(letter);
    }
    StateWriter& put(char c) noexcept {
        if (used_ < room_) to_[used_] = c;
        full_ = full_ || used_ >= room_;
        ++used_;
        return *this;
    }
    StateWriter& put(std::string_view text) noexcept {
        for (const char c : text) put(c);
        return *this;
    }
    StateWriter& put(int number) noexcept {
        char digits[12];
        return put(
            {digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits)});
    }
    std::size_t end() noexcept {
        if (full_)
            used_ = whole_;
        else
            whole_ = used_;
        return whole_;
    }

  private:
    char* to_;
    std::size_t room_, used_ = 0, whole_ = 0;
    bool full_ = false;
};

}  // namespace

// "L3 BN P2 D1 Wid Qid Rid=pid …": a letter tells what the word is.
std::size_t Supervisor::state(char (&to)[kLongestState]) const noexcept {
    const auto shown = [](char level) { return level == '\0' ? '-' : level; };
    StateWriter out(to, kLongestState);
    out.begin('L').put(shown(level_)).begin('B').put(before_).begin('P').put(static_cast<int>(phase_));
    out.begin('D').put(boot_done_ ? '1' : '0');
    if (down_ && down_->act == LastAct::power) out.begin('V').put(diskless::text(down_->verb));
    if (const auto* waited = waited_for()) out.begin('W').put(waited->entry.id);
    for (const auto& service : services_)
        if (service.pid != 0) out.begin('R').put(service.entry.id).put('=').put(service.pid);
    for (unsigned last = 0;;) {
        const Service* next = nullptr;
        for (const auto& service : services_)
            if (service.queued > last && (next == nullptr || service.queued < next->queued)) next = &service;
        if (next == nullptr) break;
        out.begin('Q').put(next->entry.id);
        last = next->queued;
    }
    return out.end();
}

std::string Supervisor::state() const {
    char text[kLongestState];
    return {text, state(text)};
}

void Supervisor::resume(Inittab table, std::string_view state, Nanoseconds now) {
    adopt(std::move(table));
    std::optional<PowerVerb> verb;
    std::string_view waited;
    for (const auto word : words(state)) {
        const auto value = word.substr(1);
        if (value.empty()) continue;
        switch (word[0]) {
            case 'L':
                if (run_level_bit(value[0]) != 0) level_ = value[0];
                break;
            case 'B':
                before_ = value[0];
                break;
            case 'P':
                phase_ = value == "0" ? Phase::sysinit : value == "1" ? Phase::boot : Phase::level;
                break;
            case 'D':
                boot_done_ = value == "1";
                break;
            case 'V':
                for (const auto each : {PowerVerb::reboot, PowerVerb::poweroff, PowerVerb::halt, PowerVerb::kexec})
                    if (diskless::text(each) == value) verb = each;
                break;
            case 'W':
                waited = value;
                break;
            case 'Q':
                if (auto* service = by_id(value)) queue(*service);
                break;
            case 'R': {
                const auto equals = value.find('=');
                const auto pid = parse_number<int>(value.substr(std::min(equals, value.size() - 1) + 1));
                auto* service = by_id(value.substr(0, equals));
                if (service == nullptr || !pid || *pid <= 1) break;
                service->pid = *pid;
                service->started = now;
                service->wanted = is_kept_alive(service->entry.action) && (belongs(service->entry));
                break;
            }
            default:
                break;
        }
    }
    if (auto* service = by_id(waited); service != nullptr && service->pid != 0) service->waited_for = true;
    if (phase_ == Phase::level)
        for (auto& service : services_)
            if (is_kept_alive(service.entry.action) && service.entry.action != InittabAction::ondemand &&
                service.pid == 0 && belongs(service.entry))
                queue(service);
    if (verb) return go_down(*verb, now);
    time_passed(now);
}

}  // namespace diskless
