// The agent's part in the way down: what is asked of PID 1, when, and what is done without it.
#include <fmt/core.h>

#include <algorithm>

#include "agent/agent.hpp"
#include "agent/fed_meanwhile.hpp"
#include "common/base/text.hpp"
#include "common/report/agent_state.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {
constexpr Nanoseconds kLookDeadline = Seconds{2};
constexpr Nanoseconds kSeeToOtherInit = Seconds{5};  // it may execute another
constexpr const char* kInitctl = "/run/initctl";
}  // namespace

/// A node whose root does not come back is of no use to anybody: a reboot finds another server, or waits in order.
void Agent::judge_root(Nanoseconds now) {
    if (settings_.root_loss.count() == 0 || parts_.root == nullptr) return;
    const auto since = parts_.root->dead_since();
    if (!since || now - *since < settings_.root_loss) return;
    end_without_servers(PowerVerb::reboot,
                        fmt::format("because the root is gone for {} (diskless.root-loss)",
                                    span_text(std::chrono::duration_cast<Seconds>(now - *since).count())));
}

void Agent::resume_power(const KeptPowerRequest& kept) {
    for (const auto verb : {PowerVerb::reboot, PowerVerb::poweroff, PowerVerb::halt, PowerVerb::kexec}) {
        if (text(verb) != kept.verb) continue;
        PowerRequest::Settings again;
        again.verb = verb;
        again.total = std::max<Nanoseconds>(kept.until - world_.clock.now(), Seconds{1});
        again.now = kept.now;
        again.begun = kept.begun;
        again.reacted = kept.reacted;
        again.root_is_dead = kept.root_is_dead;
        // What an earlier life has started bites while nobody feeds it.
        feed_watchdog(world_.clock.now());
        begin_power(again, "as before its restart");
    }
}

void Agent::end_without_servers(PowerVerb verb, const std::string& why) {
    PowerRequest::Settings settings;
    settings.verb = verb;
    settings.total = settings_.shutdown_total;
    settings.root_is_dead = true;
    begin_power(settings, why);
}

void Agent::begin_power(PowerRequest::Settings settings, const std::string& why) {
    const auto now = world_.clock.now();
    // The promise of a bounded end comes first: everything after this may hang.
    if (const auto set = hooks_.end_at(Deadline{now + settings.total + Seconds{1}}, settings.verb); !set)
        world_.machine.say(4, "diskless-agent: " + set.error().cause + ", continuing");
    if (parts_.watchdog != nullptr) parts_.watchdog->last_meal(now, settings.total);
    (void)world_.files.write(kGoingDownFile, text(settings.verb));
    settings.can_ask = how_to_ask(init_kind(init_facts()), settings.verb).has_value();
    if (!settings.now && !settings.root_is_dead) settings.root_is_dead = root_is_dead();
    power_.emplace(settings, now);
    if (hooks_.promise) hooks_.promise(power_->deadline().at + settings_.patience);
    world_.machine.say(4, fmt::format("diskless-agent: {} {}, at the latest in {}", gerund(settings.verb), why,
                                      seconds_text(settings.total)));
    if (status_file_ && !settings.root_is_dead && !status_file_->problem()) status_file_->keep_last();
}

std::string Agent::answer_power(const ControlRequest& request, PowerVerb verb, int pid) {
    if (!power_) {
        PowerRequest::Settings settings;
        settings.verb = verb;
        settings.total = request.timeout.count() != 0 ? Nanoseconds{request.timeout} : settings_.shutdown_total;
        settings.now = request.now;
        settings.begun = request.begun;
        begin_power(settings, fmt::format("for process {}", pid));
    } else if (request.now) {
        power_->hurry();
    }
    JsonWriter json;
    json.begin_object();
    json.member("verb", text(power_->verb()));
    json.member("at_most_ms", std::chrono::duration_cast<Milliseconds>(power_->deadline().left(world_.clock)).count());
    json.member("asks", text(init_kind(init_facts())));
    json.end_object();
    return ok_answer(json.text());
}

/// What was seen lately, or else asked now.
bool Agent::root_is_dead() {
    if (parts_.root != nullptr && parts_.root->dead_since()) return true;
    if (!hooks_.root_is_gone) return false;
    feed_watchdog(world_.clock.now());
    if (hooks_.promise) hooks_.promise(world_.clock.now() + hooks_.root_is_gone_takes + settings_.patience);
    return hooks_.root_is_gone();
}

InitFacts Agent::init_facts() const {
    InitFacts facts;
    if (const auto comm = world_.files.read("/proc/1/comm")) facts.comm = std::string(trim(*comm));
    if (const auto exe = world_.files.read_link("/proc/1/exe")) facts.executable = *exe;
    facts.has_systemd = world_.files.exists("/run/systemd/system");
    const auto fifo = world_.files.status(kInitctl);
    facts.has_initctl = fifo && fifo->kind == FileKind::fifo;
    return facts;
}

InitSight Agent::init_sight() const {
    const auto stat = world_.files.read("/proc/1/stat");
    auto sight = stat ? parse_init_stat(*stat).value_or(InitSight{}) : InitSight{};
    sight.going_down = init_watch_.end().has_value();
    return sight;
}

Result<> Agent::ask_init(PowerVerb verb) {
    const auto ask = how_to_ask(init_kind(init_facts()), verb);
    if (!ask) return fail("no way to ask it");
    if (ask->signal != 0) return world_.processes.signal(1, ask->signal);
    // Opening a fifo that nobody reads blocks.
    const auto asked = world_.processes.in_child("write to init", Deadline::after(world_.clock, kLookDeadline),
                                                 [&]() -> Result<std::string> {
                                                     TRY(world_.files.write(kInitctl, ask->fifo_bytes));
                                                     return std::string();
                                                 });
    if (!asked) return Failure(asked.error());
    return {};
}

/// sysvinit and busybox go down without us: the next boot is told, and what would hang on a dead server is done here.
void Agent::see_to_init(Nanoseconds now) {
    const auto sender = hooks_.taken_term ? hooks_.taken_term() : std::nullopt;
    if (!sender && now < next_init_look_) return;
    InitWatch::Look look;
    look.kind = init_kind(init_facts());
    next_init_look_ = now + (goes_silently(look.kind) ? InitWatch::kLookEvery : kSeeToOtherInit);
    if (!sender && !goes_silently(look.kind)) return;
    if (sender) look.term_sender = *sender == 1 ? std::string() : name_of_process(*sender);
    if (!init_watch_.end()) {
        if (look.kind == InitKind::busybox) look.status = world_.files.read("/proc/1/status", 1 << 16).value_or("");
        if (sender || look.kind == InitKind::sysvinit) look.utmp = world_.files.read("/run/utmp", 1 << 20).value_or("");
        if (init_watch_.look(look)) tell_of_inits_end();
    }
    if (look.term_sender && kill_follows_term(look.kind, *look.term_sender)) expect_kill(now);
    if (init_watch_.end() && !power_) finish_for_init();
}

void Agent::tell_of_inits_end() {
    const auto verb = *init_watch_.end();
    if (hooks_.told_end) hooks_.told_end(verb);
    world_.machine.say(5, fmt::format("diskless-agent: init takes the node down ({})", verb));
}

/// Nobody feeds the watchdog then; until then it is fed, since an init takes as long as it likes.
void Agent::expect_kill(Nanoseconds now) {
    if (init_watch_.end() || power_) {
        if (parts_.watchdog != nullptr) parts_.watchdog->last_meal(now, settings_.shutdown_total);
        return;
    }
    world_.machine.say(4, "diskless-agent: all processes are ended, and the node goes on: without this agent");
    if (parts_.watchdog == nullptr) return;
    if (const auto news = parts_.watchdog->stop(now); !news.empty()) world_.machine.say(4, "diskless-agent: " + news);
}

/// It takes as long as it likes while its servers are there.
void Agent::finish_for_init() {
    const bool snapshot_is_dead = parts_.snapshot != nullptr && parts_.snapshot->dead_since();
    if (!snapshot_is_dead && !root_is_dead()) return;
    end_without_servers(init_watch_.end() == "poweroff" ? PowerVerb::poweroff : PowerVerb::reboot,
                        "because init was told to, and would wait for the server for ever");
}

std::string Agent::name_of_process(int pid) const {
    return std::string(trim(world_.files.read(fmt::format("/proc/{}/comm", pid), 64).value_or("?")));
}

void Agent::move_down() {
    switch (power_->next(world_.clock.now(), init_sight())) {
        case PowerRequest::Action::wait:
            return;
        case PowerRequest::Action::ask_init:
            if (const auto asked = ask_init(power_->verb()); !asked) {
                world_.machine.say(4,
                                   "diskless-agent: cannot ask PID 1: " + asked.error().cause + ", going on without");
                power_->could_not_ask();
            }
            keep_state();
            return;
        case PowerRequest::Action::take_down: {
            world_.machine.say(
                4, fmt::format("diskless-agent: {} without PID 1: {}", gerund(power_->verb()), power_->reason()));
            keep_state();
            const Error problem = [this] {
                const FedMeanwhile fed(world_.clock, world_.machine, parts_.watchdog);
                return hooks_.take_down(power_->verb(), power_->deadline());
            }();
            world_.machine.say(3, "diskless-agent: " + problem.cause + ", continuing");
            return end_now(power_->verb());
        }
        case PowerRequest::Action::end_now:
            return end_now(power_->verb());
    }
}

void Agent::end_now(PowerVerb verb) {
    world_.machine.say(3, fmt::format("diskless-agent: {} at once", gerund(verb)));
    const Error problem = world_.machine.power(verb);
    world_.machine.say(3, "diskless-agent: " + problem.cause + ", trying sysrq");
    const bool restart = verb == PowerVerb::reboot || verb == PowerVerb::kexec;
    if (const auto done = world_.machine.sysrq(restart ? 'b' : 'o'); !done)
        world_.machine.say(3, "diskless-agent: " + done.error().cause);
    over_ = true;
}

}  // namespace diskless
