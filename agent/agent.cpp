#include "agent/agent.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {
constexpr Nanoseconds kSeeToGuardian = Seconds{5};
}  // namespace

Agent::Agent(World world, AgentHooks hooks, AgentSettings settings, AgentParts parts, AgentState resumed)
    : world_(world), hooks_(std::move(hooks)), settings_(settings), parts_(parts), counted_(resumed.counters) {
    if (!hooks_.snapshot.empty())
        status_file_.emplace(StatusFile::World{world_.clock, world_.files, world_.processes, world_.machine},
                             hooks_.snapshot);
    init_watch_.resume(resumed.end);
    resume_power(resumed.power);
}

Nanoseconds Agent::next_due() const {
    auto due = Nanoseconds::max();
    if (parts_.lease != nullptr) due = std::min(due, parts_.lease->next_due());
    if (parts_.watchdog != nullptr) due = std::min(due, parts_.watchdog->next_due());
    // On the way down nothing waits for the server any more; the address is kept to the end.
    if (power_) return std::min(due, world_.clock.now() + PowerRequest::kLookEvery);
    if (hooks_.is_guarded) due = std::min(due, world_.clock.now() + kSeeToGuardian);
    for (const auto* mount : {parts_.root, parts_.snapshot})
        if (mount != nullptr) due = std::min(due, mount->next_due());
    if (status_file_) due = std::min(due, status_file_->next_due());
    return std::min(due, next_init_look_);
}

void Agent::turn(Deadline at_most) {
    const auto wakes = at_most.sooner_of({next_due()});
    // The way down has its own end, and is not begun anew on the way.
    if (hooks_.promise)
        hooks_.promise((power_ ? power_->deadline().at : std::max(wakes.at, world_.clock.now())) + settings_.patience);
    if (const auto message = world_.control.wait(wakes)) world_.control.answer(message->connection, answer(*message));
    const auto now = world_.clock.now();
    see_to_init(now);
    if (parts_.lease != nullptr) {
        if (now >= parts_.lease->next_due()) parts_.lease->work(now);
        count_carrier();
    }
    feed_watchdog(now);
    if (!power_) look_after(now);
    keep_state();
    if (!power_) return;
    rest();
    move_down();
}

/// Nothing is looked at on the way down. A look that was under way then would end as a zombie, which has no name that
/// tells systemd-shutdown to leave it alone: it would be waited for to the end.
void Agent::rest() {
    for (auto* mount : {parts_.root, parts_.snapshot})
        if (mount != nullptr) mount->rest();
}

void Agent::look_after(Nanoseconds now) {
    see_to_guardian();
    watch(parts_.root, now);
    watch(parts_.snapshot, now);
    if (status_file_ && now >= status_file_->next_due()) keep_status();
    judge_root(now);
}

void Agent::feed_watchdog(Nanoseconds now) {
    if (parts_.watchdog == nullptr || now < parts_.watchdog->next_due()) return;
    if (const auto news = parts_.watchdog->work(now); !news.empty()) world_.machine.say(5, "diskless-agent: " + news);
}

void Agent::see_to_guardian() {
    if (!hooks_.is_guarded || hooks_.is_guarded() || !guard_problem_.empty()) return;
    world_.machine.say(4, "diskless-agent: its guardian is gone, taking its place");
    keep_state();
    guard_problem_ = hooks_.become_guardian().cause;
    world_.machine.say(3, "diskless-agent: " + guard_problem_ + ", going on without");
}

void Agent::watch(MountWatch* mount, Nanoseconds now) {
    if (mount == nullptr || now < mount->next_due()) return;
    int level = 5;
    if (const auto news = mount->work(now, level); !news.empty()) world_.machine.say(level, "diskless-agent: " + news);
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
    status_file_->work(status_now());
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
    if (power_) {
        const auto settings = power_->settings();
        state.power = {.verb = std::string(text(settings.verb)),
                       .until = power_->deadline().at,
                       .now = settings.now,
                       .begun = settings.begun,
                       .reacted = settings.reacted,
                       .root_is_dead = settings.root_is_dead};
    }
    state.end = init_watch_.end().value_or("");
    auto mark = to_json(state) + std::to_string(parts_.log != nullptr ? parts_.log->added() : 0);
    if (mark == state_mark_) return;
    state_mark_ = std::move(mark);
    if (parts_.log != nullptr) state.log = parts_.log->lines();
    const auto kept = world_.files.replace(kAgentStateFile, to_json(state), 0600);
    const auto problem = kept ? std::string() : kept.error().cause;
    if (std::exchange(state_problem_, problem) != problem && !problem.empty())
        world_.machine.say(4, "diskless-agent: cannot keep its state: " + problem + ", continuing");
}

}  // namespace diskless
