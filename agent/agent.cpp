#include "agent/agent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {
constexpr Nanoseconds kLookDeadline = Seconds{2};
constexpr const char* kInitctl = "/run/initctl";

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

std::string_view verb_name(PowerVerb verb) {
    for (const auto known : {ControlVerb::poweroff, ControlVerb::halt, ControlVerb::kexec})
        if (power_verb(known) == verb) return text(known);
    return text(ControlVerb::reboot);
}
}  // namespace

Agent::Agent(World world, AgentHooks hooks, AgentSettings settings, AgentParts parts, AgentState resumed)
    : world_(world), hooks_(std::move(hooks)), settings_(settings), parts_(parts), counted_(resumed.counters) {
    if (!hooks_.status_directory.empty())
        status_file_.emplace(StatusFile::World{world_.clock, world_.files, world_.processes, world_.machine},
                             hooks_.status_directory);
    if (resumed.power.verb.empty()) return;
    if (const auto request = parse_control_request(resumed.power.verb)) {
        PowerRequest::Settings again;
        again.verb = power_verb(request->verb).value_or(PowerVerb::reboot);
        again.total = std::max<Nanoseconds>(resumed.power.until - world_.clock.now(), Seconds{1});
        again.now = resumed.power.now;
        again.root_is_dead = root_is_dead();
        begin_power(again, "as before its restart");
    }
}

Nanoseconds Agent::next_due() const {
    auto due = Nanoseconds::max();
    if (parts_.lease != nullptr) due = std::min(due, parts_.lease->next_due());
    // On the way down nothing waits for the server any more; the address is kept to the end.
    if (power_) return std::min(due, world_.clock.now() + PowerRequest::kLookEvery);
    for (const auto* mount : {parts_.root, parts_.snapshot})
        if (mount != nullptr) due = std::min(due, mount->next_due());
    if (parts_.watchdog != nullptr) due = std::min(due, parts_.watchdog->next_due());
    if (status_file_) due = std::min(due, status_file_->next_due());
    return due;
}

void Agent::turn(Deadline at_most) {
    if (const auto message = world_.control.wait(at_most.sooner_of({next_due()})))
        world_.control.answer(message->connection, answer(*message));
    const auto now = world_.clock.now();
    if (parts_.lease != nullptr) {
        if (now >= parts_.lease->next_due()) parts_.lease->work(now);
        count_carrier();
    }
    if (!power_) look_after(now);
    keep_state();
    if (power_) move_down();
}

void Agent::look_after(Nanoseconds now) {
    if (hooks_.keep_guarded) hooks_.keep_guarded();
    watch(parts_.root, now);
    watch(parts_.snapshot, now);
    if (parts_.watchdog != nullptr && now >= parts_.watchdog->next_due())
        if (const auto news = parts_.watchdog->work(now); !news.empty())
            world_.machine.say(5, "diskless-agent: " + news);
    if (status_file_ && now >= status_file_->next_due()) keep_status();
    judge_root(now);
}

void Agent::watch(MountWatch* mount, Nanoseconds now) {
    if (mount == nullptr || now < mount->next_due()) return;
    int level = 5;
    if (const auto news = mount->work(now, level); !news.empty()) world_.machine.say(level, "diskless-agent: " + news);
}

/// A node whose root does not come back is of no use to anybody: a reboot finds another server, or waits in order.
void Agent::judge_root(Nanoseconds now) {
    if (settings_.root_loss.count() == 0 || parts_.root == nullptr) return;
    const auto since = parts_.root->dead_since();
    if (!since || now - *since < settings_.root_loss) return;
    PowerRequest::Settings settings;
    settings.total = settings_.shutdown_total;
    settings.root_is_dead = true;
    begin_power(settings, fmt::format("because the root is gone for {} (diskless.root-loss)",
                                      span_text(std::chrono::duration_cast<Seconds>(now - *since).count())));
}

void Agent::count_carrier() {
    const auto carrier = parts_.lease->live().carrier;
    if (carrier_ == true && carrier == false) ++counted_.carrier_losses;
    carrier_ = carrier;
}

std::string Agent::answer(const ControlMessage& message) {
    const auto request = parse_control_request(message.line);
    if (!request) return error_answer(request.error());
    if (needs_root(request->verb) && message.uid != 0)
        return error_answer({fmt::format("{} needs root", text(request->verb)), "become root, or use sudo", EPERM});
    if (const auto verb = power_verb(request->verb)) return answer_power(*request, *verb, message.pid);
    switch (request->verb) {
        case ControlVerb::status:
            return ok_answer(to_json(status_now(), 0));
        case ControlVerb::report:
            report();
            if (report_problem_) return error_answer(*report_problem_);
            return ok_answer(to_json_line(report_));
        case ControlVerb::log:
            return ok_answer(to_json_line(parts_.log != nullptr ? parts_.log->lines() : std::vector<LogLine>{}));
        case ControlVerb::reload:
            report_ = {};
            report();
            if (report_problem_) return error_answer(*report_problem_);
            return ok_answer("\"read again\"");
        default:
            return ok_answer("\"alive\"");
    }
}

void Agent::begin_power(PowerRequest::Settings settings, const std::string& why) {
    const auto now = world_.clock.now();
    // The promise of a bounded end comes first: everything after this may hang.
    if (const auto set = hooks_.end_at(Deadline{now + settings.total + Seconds{1}}, settings.verb); !set)
        world_.machine.say(4, "diskless-agent: " + set.error().cause + ", continuing");
    if (parts_.watchdog != nullptr) parts_.watchdog->last_meal(settings.total);
    settings.can_ask = how_to_ask(init_kind(init_facts()), settings.verb).has_value();
    if (!settings.now && !settings.root_is_dead) settings.root_is_dead = root_is_dead();
    power_.emplace(settings, now);
    asked_now_ = settings.now;
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
        begin_power(settings, fmt::format("for process {}", pid));
    } else if (request.now) {
        power_->hurry();
        asked_now_ = true;
    }
    JsonWriter json;
    json.begin_object();
    json.name("verb");
    json.value(verb_name(power_->verb()));
    json.name("at_most_ms");
    json.value(std::chrono::duration_cast<Milliseconds>(power_->deadline().left(world_.clock)).count());
    json.name("asks");
    json.value(text(init_kind(init_facts())));
    json.end_object();
    return ok_answer(json.text());
}

const BootReport& Agent::report() {
    // The agent runs before the boot has ended, so the file is read again until it tells of the hand-over.
    if (report_.handed_over.count() != 0) return report_;
    const auto content = world_.files.read(kBootReportFile, 4 << 20);
    auto parsed = content ? boot_report_from_json(*content) : Result<BootReport>(Failure(content.error()));
    report_problem_.reset();
    if (parsed) {
        report_ = std::move(*parsed);
    } else {
        report_problem_ = parsed.error();
        report_problem_->remedy = "the node works without its report; the next boot writes it again";
    }
    return report_;
}

NodeStatus Agent::status_now() {
    report();
    LiveFacts live;
    live.now = world_.clock.now();
    live.wall = std::chrono::duration_cast<Seconds>(world_.clock.wall()).count();
    live.agent = power_ ? gerund(power_->verb()) : "running";
    if (parts_.lease != nullptr) live.lease = parts_.lease->live();
    if (parts_.root != nullptr) live.root = parts_.root->health();
    if (parts_.snapshot != nullptr) {
        live.snapshot = parts_.snapshot->health();
        live.space = parts_.snapshot->space();
    }
    if (parts_.watchdog != nullptr) live.watchdog = parts_.watchdog->text();
    live.counters = counters();
    NodeStatus status = node_status(report_, live);
    if (status.version.empty()) status.version = DISKLESS_VERSION;
    if (report_problem_) status.degraded.push_back({"boot report", report_problem_->cause, report_problem_->remedy});
    return status;
}

NodeCounters Agent::counters() const {
    NodeCounters all = counted_;
    if (parts_.lease != nullptr) {
        const auto live = parts_.lease->live();
        all.lease_renewals += live.renewals;
        all.lease_losses += live.losses;
        all.address_put_back += live.put_back;
    }
    if (parts_.root != nullptr) all.root_outages += parts_.root->outages();
    if (parts_.snapshot != nullptr) all.snapshot_outages += parts_.snapshot->outages();
    return all;
}

void Agent::keep_status() {
    const NodeStatus status = status_now();
    status_file_->work([&] { return status; });
    if (parts_.snapshot != nullptr) parts_.snapshot->wrote(status_file_->problem());
}

/// Whenever something changed that another life must know of.
void Agent::keep_state() {
    AgentState state;
    if (parts_.lease != nullptr) {
        const auto live = parts_.lease->live();
        state.lease = live.lease;
        if (live.problem) {
            state.lease_cause = live.problem->cause;
            state.lease_remedy = live.problem->remedy;
        }
    }
    state.counters = counters();
    if (power_) state.power = {std::string(verb_name(power_->verb())), power_->deadline().at, asked_now_};
    auto mark = to_json(state) + std::to_string(parts_.log != nullptr ? parts_.log->added() : 0);
    if (mark == state_mark_) return;
    state_mark_ = std::move(mark);
    if (parts_.log != nullptr) state.log = parts_.log->lines();
    const auto kept = world_.files.replace(kAgentStateFile, to_json(state), 0600);
    const auto problem = kept ? std::string() : kept.error().cause;
    if (std::exchange(state_problem_, problem) != problem && !problem.empty())
        world_.machine.say(4, "diskless-agent: cannot keep its state: " + problem + ", continuing");
}

/// What was seen lately, or else asked now.
bool Agent::root_is_dead() {
    if (parts_.root != nullptr && parts_.root->dead_since()) return true;
    return hooks_.root_answers && !hooks_.root_answers(Deadline::after(world_.clock, kLookDeadline));
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
    if (!stat) return {};
    return parse_init_stat(*stat).value_or(InitSight{});
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
            return;
        case PowerRequest::Action::take_down: {
            world_.machine.say(
                4, fmt::format("diskless-agent: {} without PID 1: {}", gerund(power_->verb()), power_->reason()));
            const Error problem = hooks_.take_down(power_->verb(), power_->deadline());
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
