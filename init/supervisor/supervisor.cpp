#include "init/supervisor/supervisor.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <new>
#include <utility>

#include "common/base/text.hpp"

namespace diskless {

namespace {

constexpr auto kNever = Nanoseconds::max();
constexpr int kWarning = 4, kInfo = 6;  // syslog(2) levels

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
    // From here on nothing can fail half-way; one more for the shell of add_emergency().
    services.reserve(table.entries.size() + services_.size() + 1);
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
        const bool is_emergency = service.entry.id == kEmergencyId;
        if (is_emergency && service.pid == 0) emergency_ = std::move(service.entry);
        if (service.entry.id.empty() || service.pid == 0) continue;
        service.removed = !is_emergency;
        services.push_back(std::move(service));
    }
    services_ = std::move(services);
    table.entries.clear();
    table_ = std::move(table);
}

std::vector<InittabEntry> Supervisor::entries() const {
    std::vector<InittabEntry> all;
    for (const auto& service : services_)
        if (!service.removed) all.push_back(service.entry);
    return all;
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

const Supervisor::Service* Supervisor::front() const {
    const Service* first = nullptr;
    for (const auto& service : services_)
        if (service.queued != 0 && (first == nullptr || service.queued < first->queued)) first = &service;
    return first;
}

const Supervisor::Service* Supervisor::waited_for() const {
    const auto found = std::ranges::find_if(services_, [](const Service& each) { return each.waited_for; });
    return found == services_.end() ? nullptr : &*found;
}

void Supervisor::wait_for_nothing() {
    for (auto& service : services_) service.waited_for = false;
}

void Supervisor::clear_queue() {
    for (auto& service : services_) service.queued = 0;
}

/// adopt() has left room for it.
void Supervisor::add_emergency() {
    services_.push_back({.entry = std::move(emergency_)});
    emergency_.id.clear();
}

void Supervisor::queue(Service& service) {
    if (is_kept_alive(service.entry.action)) service.wanted = true;
    if (service.queued == 0) service.queued = ++last_queued_;
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
    if (service.pid != 0) return true;
    service.not_before = now + kPause;
    service.starts = std::max(0, service.starts - 1);  // it has not lived, so it has not died
    return false;
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
        service->waited_for = false;
        if (service->removed) services_.erase(service);
        break;
    }
    time_passed(now);
}

void Supervisor::say_of(const std::string& id, const char* what) noexcept {
    try {
        world_.say(kWarning, "inittab " + id + ": " + what);
    } catch (const std::bad_alloc&) {  // nobody is told, all else goes on
    }
}

void Supervisor::say(int level, const char* line) noexcept {
    try {
        world_.say(level, line);
    } catch (const std::bad_alloc&) {
    }
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
        if (waited_for() != nullptr) return;
        auto* service = const_cast<Service*>(front());
        if (service == nullptr) {
            if (!next_phase(now)) return;
            continue;
        }
        const bool kept_alive = is_kept_alive(service->entry.action);
        if (!kept_alive && service->not_before > now) return;  // there was no process for it
        const auto place = std::exchange(service->queued, 0);
        if (service->pid != 0 || service->removed) continue;
        if (!start(*service, now)) {
            // What is kept alive is tried again in any case. The others have their turn once, and are not left out.
            if (!kept_alive) service->queued = place;
            continue;
        }
        if (!is_waited_for(service->entry.action)) continue;
        service->waited_for = true;
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
    clear_queue();
    wait_for_nothing();
    phase_ = Phase::level;
    before_ = level_ == '\0' ? 'N' : level_;
    level_ = level;
    world_.run_level(level_, before_);
    const bool deserted = std::ranges::none_of(services_, [&](const Service& each) {
        return is_of_a_level(each.entry.action) && belongs(each.entry) && !each.removed;
    });
    if (level == 'S' && deserted && !emergency_.id.empty()) add_emergency();
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
        if (const auto* waited = waited_for())
            say_of(waited->entry.id, "does not come to an end, the node goes down without");
        else
            say(kWarning, "way down: does not come to an end, the node goes down without");
        return finish();
    }
    for (auto& service : services_)
        if (service.pid != 0 && service.kill_at <= now) press(service, now);
    if (const auto* waited = waited_for(); waited != nullptr && patience_ <= now) {
        say_of(waited->entry.id, "takes long and goes on in the background, continuing");
        wait_for_nothing();
    }
    move_on(now);
    // What has run before is started again whatever the queue waits for.
    for (auto& service : services_)
        if (!over_ && service.wanted && service.pid == 0 && service.not_before <= now && service.queued == 0)
            start(service, now);
}

Nanoseconds Supervisor::next_due() const {
    auto due = down_ ? down_->deadline : kNever;
    if (waited_for() != nullptr)
        due = std::min(due, patience_);
    else if (const auto* service = entering_ ? nullptr : front())
        due = std::min(due, service->not_before);
    for (const auto& service : services_) {
        if (service.pid != 0) due = std::min(due, service.kill_at);
        if (service.pid == 0 && service.wanted && service.queued == 0) due = std::min(due, service.not_before);
    }
    return over_ ? kNever : due;
}

// ---- Events ---------------------------------------------------------------------------------------------------------

void Supervisor::begin(Inittab table, Nanoseconds now) {
    adopt(std::move(table));
    if (settings_.emergency) {
        add_emergency();
        queue(services_.back());
    }
    queue_all(InittabAction::sysinit);
    time_passed(now);
}

void Supervisor::reload(Inittab table, Nanoseconds now) {
    if (down_) return;
    if (table.entries.empty()) {
        say(kWarning, "the inittab has no entry that can be used: the one before stays in force");
        return;
    }
    // A place in the new table is enough to know what was there before.
    std::vector<bool> is_known(table.entries.size());
    for (std::size_t i = 0; i < table.entries.size(); ++i) is_known[i] = by_id(table.entries[i].id) != nullptr;
    adopt(std::move(table));
    for (std::size_t i = 0; i < services_.size(); ++i) {
        auto& service = services_[i];
        const bool here = phase_ == Phase::level && belongs(service.entry) && !service.removed;
        if (service.removed || (phase_ == Phase::level && !belongs(service.entry))) {
            stop(service, kTermTime, now);
            continue;
        }
        service.not_before = Nanoseconds{0};
        service.starts = 0;
        // Its line may say otherwise now than when it was started, and it may have been told to end meanwhile.
        if (here && service.entry.action != InittabAction::ondemand)
            service.wanted = is_kept_alive(service.entry.action);
        if (!here || service.pid != 0 || !is_of_a_level(service.entry.action)) continue;
        const bool is_new = i < is_known.size() && !is_known[i];
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
    world_.going_down(act, verb);
    down_ = WayDown{verb, act, now + settings_.way_down};
    const char level = verb == PowerVerb::reboot || verb == PowerVerb::kexec ? '6' : '0';
    if (table_.busybox) {
        // Its shutdown entries come before anything is told to end.
        clear_queue();
        wait_for_nothing();
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
    say(kInfo, "Ctrl-Alt-Del: the inittab says nothing about it, rebooting");
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

}  // namespace diskless
