#include "init/supervisor/supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless {

namespace {

constexpr auto kNever = Nanoseconds::max();
constexpr int kWarning = 4, kInfo = 6;  // syslog(2) levels

bool is_kept_alive(InittabAction action) {
    return action == InittabAction::respawn || action == InittabAction::askfirst || action == InittabAction::ondemand;
}

/// Run when a level is entered.
bool is_of_a_level(InittabAction action) {
    return action == InittabAction::wait || action == InittabAction::once || action == InittabAction::respawn ||
           action == InittabAction::askfirst;
}

}  // namespace

// ---- The table ------------------------------------------------------------------------------------------------------

Supervisor::Service* Supervisor::by_id(std::string_view id) {
    for (auto& service : services_)
        if (service.entry.id == id) return &service;
    return nullptr;
}

/// Goes by ids: what runs goes on running, whatever its line says now; that counts from its next start.
void Supervisor::adopt(Inittab table) {
    std::vector<Service> services;
    for (auto& entry : table.entries) {
        if (auto* known = by_id(entry.id)) {
            services.push_back(std::move(*known));
            services.back().entry = std::move(entry);
            services.back().removed = false;
            known->entry.id.clear();
        } else {
            services.push_back({.entry = std::move(entry)});
        }
    }
    for (auto& service : services_) {
        if (service.entry.id.empty() || service.pid == 0) continue;
        service.removed = service.entry.id != emergency_entry().id;
        services.push_back(std::move(service));
    }
    services_ = std::move(services);
    table.entries.clear();
    table_ = std::move(table);
}

bool Supervisor::belongs(const InittabEntry& entry) const {
    const bool down = level_ == '0' || level_ == '6';
    if (is_of_a_level(entry.action)) return (entry.levels & run_level_bit(level_)) != 0;
    switch (entry.action) {
        case InittabAction::sysinit:
        case InittabAction::boot:
        case InittabAction::bootwait:
        case InittabAction::ondemand:
            return !down;
        default:
            return true;  // what Ctrl-Alt-Del or a power failure has started may be what takes the node down
    }
}

bool Supervisor::has(InittabAction action) const {
    return std::ranges::any_of(services_,
                               [&](const Service& each) { return each.entry.action == action && !each.removed; });
}

// ---- Starting and stopping ------------------------------------------------------------------------------------------

void Supervisor::queue(Service& service) {
    if (is_kept_alive(service.entry.action)) service.wanted = true;
    if (std::ranges::find(queue_, service.entry.id) == queue_.end()) queue_.push_back(service.entry.id);
}

void Supervisor::queue_all(InittabAction action) {
    for (auto& service : services_)
        if (service.entry.action == action && !service.removed) queue(service);
}

/// At once, past the queue: for what an event asks for.
bool Supervisor::start_all(InittabAction action, Nanoseconds now) {
    for (auto& service : services_)
        if (service.entry.action == action && !service.removed && service.pid == 0) start(service, now);
    return has(action);
}

bool Supervisor::start(Service& service, Nanoseconds now) {
    if (is_kept_alive(service.entry.action)) {
        if (service.starts == 0 || now - service.first > kWithin) {
            service.first = now;
            service.starts = 0;
        }
        if (++service.starts > kMostStarts) {
            service.not_before = now + kRest;
            service.starts = 0;
            say_of(service.entry.id, "ends too fast, rests for 5 minutes; telinit q ends the rest");
            return false;
        }
    }
    service.started = now;
    service.kill_at = kNever;
    service.killed = false;
    service.pid = world_.start(service.entry);
    if (service.pid == 0) service.not_before = now + kPause;
    return service.pid != 0;
}

void Supervisor::stop(Service& service, Nanoseconds term_time, Nanoseconds now) {
    service.wanted = false;
    if (service.pid == 0 || service.kill_at != kNever) return;
    service.kill_at = now + term_time;
    world_.signal(service.entry, service.pid, 15);
}

/// One that was told to end and has not.
void Supervisor::press(Service& service, Nanoseconds now) {
    if (!service.killed) {
        service.killed = true;
        service.kill_at = now + kKillTime;
        world_.signal(service.entry, service.pid, 9);
        return;
    }
    say_of(service.entry.id, "its process hangs in the kernel and is left, continuing");
    service.pid = 0;
    service.kill_at = kNever;
}

void Supervisor::child_ended(int pid, int status, Nanoseconds now) {
    for (auto service = services_.begin(); service != services_.end(); ++service) {
        if (service->pid != pid) continue;
        // It was told to end: so is what it started and left behind, in other sessions too.
        if (service->kill_at != kNever) world_.signal(service->entry, pid, 9);
        service->pid = 0;
        service->kill_at = kNever;
        service->not_before = now - service->started < kShortLife ? now + kPause : now;
        world_.ended(service->entry, pid, status);
        if (waited_for_ == service->entry.id) waited_for_.clear();
        if (service->removed) services_.erase(service);
        break;
    }
    time_passed(now);
}

void Supervisor::say_of(const std::string& id, const char* what) {
    world_.say(kWarning, "inittab " + id + ": " + what);
}

// ---- The queue ------------------------------------------------------------------------------------------------------

void Supervisor::move_on(Nanoseconds now) {
    while (!over_) {
        if (entering_) {
            const bool ending = std::ranges::any_of(
                services_, [](const Service& each) { return each.pid != 0 && each.kill_at != kNever; });
            if (ending) return;
            entering_ = false;
            fill_for_level();
        }
        if (!waited_for_.empty()) return;
        if (queue_.empty()) {
            if (!next_phase(now)) return;
            continue;
        }
        auto* service = by_id(queue_.front());
        queue_.erase(queue_.begin());
        if (service == nullptr || service->pid != 0 || service->removed) continue;
        if (!start(*service, now) || !is_waited_for(service->entry.action)) continue;
        waited_for_ = service->entry.id;
        patience_ = service->entry.patience.count() == 0 ? kNever : now + service->entry.patience;
    }
}

/// The queue is empty and nothing is waited for. False when there is nothing more to come by itself.
bool Supervisor::next_phase(Nanoseconds now) {
    if (down_) {
        if (!down_->shutdown_entries) {
            down_->shutdown_entries = true;
            queue_all(InittabAction::shutdown);
            return true;
        }
        finish();
        return false;
    }
    if (phase_ == Phase::sysinit && settings_.level == 'S') {
        settings_.level = '\0';
        enter('S', kTermTime, now);
        return true;
    }
    // Single-user mode is over when its shell is left.
    const bool single_over = level_ == 'S' && std::ranges::none_of(services_, [&](const Service& each) {
                                 return (each.pid != 0 || each.wanted) && is_of_a_level(each.entry.action);
                             });
    if (phase_ == Phase::sysinit || (single_over && !boot_done_)) {
        phase_ = Phase::boot;
        boot_done_ = true;
        // In the order of the file: one boots what the next one waits for.
        for (auto& service : services_)
            if (service.entry.action == InittabAction::boot || service.entry.action == InittabAction::bootwait)
                queue(service);
        return true;
    }
    if (phase_ == Phase::boot || single_over) {
        char level = settings_.level != '\0' ? settings_.level : table_.level;
        if (level == 'S' && level_ == 'S') level = '3';  // its shell was left to go on
        settings_.level = '\0';
        enter(level, kTermTime, now);
        return true;
    }
    return false;
}

void Supervisor::enter(char level, Nanoseconds term_time, Nanoseconds now) {
    queue_.clear();
    waited_for_.clear();
    phase_ = Phase::level;
    before_ = level_ == '\0' ? 'N' : level_;
    level_ = level;
    world_.run_level(level_, before_);
    const bool deserted = std::ranges::none_of(services_, [&](const Service& each) {
        return is_of_a_level(each.entry.action) && belongs(each.entry) && !each.removed;
    });
    if (level == 'S' && deserted) services_.push_back({.entry = emergency_entry()});
    for (auto& service : services_) {
        if (!belongs(service.entry) || service.removed) stop(service, term_time, now);
        service.not_before = Nanoseconds{0};
        service.starts = 0;
    }
    entering_ = true;
}

void Supervisor::fill_for_level() {
    for (auto& service : services_)
        if (is_of_a_level(service.entry.action) && belongs(service.entry) && !service.removed && service.pid == 0)
            queue(service);
}

void Supervisor::time_passed(Nanoseconds now) {
    if (over_) return;
    if (down_ && now >= down_->deadline) {
        say_of(waited_for_.empty() ? "way down" : waited_for_, "does not come to an end, the node goes down without");
        return finish();
    }
    for (auto& service : services_)
        if (service.pid != 0 && service.kill_at <= now) press(service, now);
    if (!waited_for_.empty() && patience_ <= now) {
        say_of(waited_for_, "takes long and goes on in the background, continuing");
        waited_for_.clear();
    }
    move_on(now);
    // What has run before is started again whatever the queue waits for.
    for (auto& service : services_)
        if (!over_ && service.wanted && service.pid == 0 && service.not_before <= now &&
            std::ranges::find(queue_, service.entry.id) == queue_.end())
            start(service, now);
}

Nanoseconds Supervisor::next_due() const {
    auto due = down_ ? down_->deadline : kNever;
    if (!waited_for_.empty()) due = std::min(due, patience_);
    for (const auto& service : services_) {
        if (service.pid != 0) due = std::min(due, service.kill_at);
        if (service.pid == 0 && service.wanted && std::ranges::find(queue_, service.entry.id) == queue_.end())
            due = std::min(due, service.not_before);
    }
    return over_ ? kNever : due;
}

// ---- Events ---------------------------------------------------------------------------------------------------------

void Supervisor::begin(Inittab table, Nanoseconds now) {
    adopt(std::move(table));
    if (settings_.emergency) {
        services_.push_back({.entry = emergency_entry()});
        queue(services_.back());
    }
    queue_all(InittabAction::sysinit);
    time_passed(now);
}

void Supervisor::reload(Inittab table, Nanoseconds now) {
    if (down_) return;
    if (table.entries.empty()) {
        world_.say(kWarning, "the inittab has no entry that can be used: the one before stays in force");
        return;
    }
    std::vector<std::string> known;
    for (const auto& service : services_) known.push_back(service.entry.id);
    adopt(std::move(table));
    for (auto& service : services_) {
        const bool here = phase_ == Phase::level && belongs(service.entry) && !service.removed;
        if (service.removed || (phase_ == Phase::level && !belongs(service.entry))) {
            stop(service, kTermTime, now);
            continue;
        }
        service.not_before = Nanoseconds{0};
        service.starts = 0;
        if (!here || service.pid != 0 || !is_of_a_level(service.entry.action)) continue;
        const bool is_new = std::ranges::find(known, service.entry.id) == known.end();
        if (is_new || is_kept_alive(service.entry.action)) queue(service);
    }
    time_passed(now);
}

void Supervisor::telinit(char level, Nanoseconds term_time, Nanoseconds now) {
    if (down_ || run_level_bit(level) == 0) return;
    if (level >= 'a') level = static_cast<char>(level - 'a' + 'A');  // one spelling
    if (level >= 'A' && level <= 'C') {
        for (auto& service : services_)
            if (service.entry.action == InittabAction::ondemand && (service.entry.levels & run_level_bit(level)) != 0 &&
                !service.removed && service.pid == 0) {
                service.starts = 0;
                service.not_before = Nanoseconds{0};
                queue(service);
            }
        return time_passed(now);
    }
    if (level == '0' || level == '6') return go_down(level == '0' ? PowerVerb::poweroff : PowerVerb::reboot, now);
    if (phase_ != Phase::level) {
        settings_.level = level;
        return;
    }
    if (level != level_) enter(level, term_time, now);
    time_passed(now);
}

void Supervisor::begin_down(PowerVerb verb, LastAct act, Nanoseconds now) {
    if (down_ || over_) return;
    down_ = WayDown{verb, act, now + settings_.way_down};
    const char level = verb == PowerVerb::reboot || verb == PowerVerb::kexec ? '6' : '0';
    if (table_.busybox) {
        // Its shutdown entries come before anything is told to end.
        queue_.clear();
        waited_for_.clear();
        before_ = level_ == '\0' ? 'N' : level_;
        level_ = level;
        phase_ = Phase::level;
        entering_ = false;
        world_.run_level(level_, before_);
        for (auto& service : services_) service.wanted = false;
    } else {
        enter(level, kTermTime, now);
    }
    time_passed(now);
}

void Supervisor::go_down(PowerVerb verb, Nanoseconds now) { begin_down(verb, LastAct::power, now); }
void Supervisor::restart(Nanoseconds now) { begin_down(PowerVerb::reboot, LastAct::restart, now); }

void Supervisor::finish() {
    over_ = true;
    const InittabEntry* program = nullptr;
    for (const auto& service : services_)
        if (service.entry.action == InittabAction::restart) program = &service.entry;
    world_.end(down_->act, down_->verb, program);
}

void Supervisor::ctrl_alt_del(Nanoseconds now) {
    if (down_) return;
    if (start_all(InittabAction::ctrlaltdel, now)) return;
    world_.say(kInfo, "Ctrl-Alt-Del: the inittab says nothing about it, rebooting");
    go_down(PowerVerb::reboot, now);
}

void Supervisor::keyboard_request(Nanoseconds now) {
    if (!down_) start_all(InittabAction::kbrequest, now);
}

void Supervisor::power_status(char status, Nanoseconds now) {
    if (down_) return;
    if (status == 'O') {
        start_all(InittabAction::powerokwait, now);
    } else if (status != 'L' || !start_all(InittabAction::powerfailnow, now)) {
        start_all(InittabAction::powerfail, now);
        start_all(InittabAction::powerwait, now);
    }
}

// ---- Over an exec ---------------------------------------------------------------------------------------------------

// "L3 BN P2 D1 Wid Qid Rid=pid …": a letter tells what the word is.
std::string Supervisor::state() const {
    const auto shown = [](char level) { return level == '\0' ? '-' : level; };
    auto text = fmt::format("L{} B{} P{} D{}", shown(level_), before_, static_cast<int>(phase_), boot_done_ ? 1 : 0);
    if (down_ && down_->act == LastAct::power) text += fmt::format(" V{}", diskless::text(down_->verb));
    if (!waited_for_.empty()) text += " W" + waited_for_;
    for (const auto& service : services_)
        if (service.pid != 0) text += fmt::format(" R{}={}", service.entry.id, service.pid);
    for (const auto& id : queue_) text += " Q" + id;
    if (text.size() > kLongestState) text.resize(text.rfind(' ', kLongestState));
    return text;
}

void Supervisor::resume(Inittab table, std::string_view state, Nanoseconds now) {
    adopt(std::move(table));
    std::optional<PowerVerb> verb;
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
                waited_for_ = value;
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
    const auto* waited = by_id(waited_for_);
    if (waited == nullptr || waited->pid == 0) waited_for_.clear();
    if (phase_ == Phase::level)
        for (auto& service : services_)
            if (is_kept_alive(service.entry.action) && service.entry.action != InittabAction::ondemand &&
                service.pid == 0 && belongs(service.entry))
                queue(service);
    if (verb) return go_down(*verb, now);
    time_passed(now);
}

}  // namespace diskless
