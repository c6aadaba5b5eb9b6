#include "agent/agent.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {
constexpr Nanoseconds kLookDeadline = Seconds{2};
constexpr Nanoseconds kQuickLook = Milliseconds{400};  // leaves time to write
constexpr Nanoseconds kLookLasts = Seconds{10};
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

void Agent::turn(Deadline at_most) {
    Deadline until = at_most;
    if (lease_ != nullptr) until = until.sooner_of({lease_->next_due()});
    if (power_) until = until.sooner_of(Deadline::after(world_.clock, PowerRequest::kLookEvery));
    // On the way down nothing waits for the server any more; the address is kept to the end.
    const bool keeps_status = status_file_ && !power_;
    if (keeps_status) until = until.sooner_of({status_file_->next_due()});
    if (const auto message = world_.control.wait(until)) world_.control.answer(message->connection, answer(*message));
    if (lease_ != nullptr && world_.clock.now() >= lease_->next_due()) lease_->work(world_.clock.now());
    if (power_) return move_down();
    if (keeps_status && world_.clock.now() >= status_file_->next_due()) keep_status();
}

std::string Agent::answer(const ControlMessage& message) {
    const auto request = parse_control_request(message.line);
    if (!request) return error_answer(request.error());
    if (const auto verb = power_verb(request->verb)) {
        if (message.uid != 0)
            return error_answer({fmt::format("{} needs root", text(request->verb)), "become root, or use sudo", EPERM});
        return answer_power(*request, *verb, message.pid);
    }
    switch (request->verb) {
        case ControlVerb::status:
            report();
            return ok_answer(to_json(status_now(look()), 0));
        case ControlVerb::report:
            report();
            if (report_problem_) return error_answer(*report_problem_);
            return ok_answer(to_json_line(report_));
        default:
            return ok_answer("\"alive\"");
    }
}

std::string Agent::answer_power(const ControlRequest& request, PowerVerb verb, int pid) {
    if (!power_) {
        const auto now = world_.clock.now();
        PowerRequest::Settings settings;
        settings.verb = verb;
        settings.total = request.timeout.count() != 0 ? Nanoseconds{request.timeout} : shutdown_total_;
        settings.now = request.now;
        // The promise of a bounded end comes first: everything after this may hang.
        if (const auto set = hooks_.end_at(Deadline{now + settings.total + Seconds{1}}, verb); !set)
            world_.machine.say(4, "diskless-agent: " + set.error().cause + ", continuing");
        settings.can_ask = how_to_ask(init_kind(init_facts()), verb).has_value();
        if (!request.now) settings.root_is_dead = !root_answers();
        power_.emplace(settings, now);
        world_.machine.say(4, fmt::format("diskless-agent: {} for process {}, at the latest in {}", gerund(verb), pid,
                                          seconds_text(settings.total)));
    } else if (request.now) {
        power_->hurry();
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

LiveFacts Agent::look() {
    const auto now = world_.clock.now();
    if (!seen_at_ || now - *seen_at_ >= kLookLasts) {
        seen_ = {};
        if (!report().root.server.empty()) seen_.root_answers = root_answers();
        if (hooks_.snapshot_space) {
            const auto looked = world_.processes.in_child(
                "look at the snapshot", Deadline::after(world_.clock, kLookDeadline), [this]() -> Result<std::string> {
                    const Space found = TRY(hooks_.snapshot_space());
                    return fmt::format("{} {} {} {}", found.free_bytes, found.total_bytes, found.free_inodes,
                                       found.total_inodes);
                });
            if (!looked) {
                seen_.space_problem = looked.error();
            } else if (const auto numbers = words(*looked); numbers.size() == 4) {
                const auto number = [&](std::size_t i) { return parse_number<std::uint64_t>(numbers[i]).value_or(0); };
                seen_.space = Space{number(0), number(1), number(2), number(3)};
            }
        }
        seen_at_ = world_.clock.now();
    }
    LiveFacts live = seen_;
    add_own(live);
    return live;
}

void Agent::add_own(LiveFacts& live) const {
    live.now = world_.clock.now();
    live.wall = std::chrono::duration_cast<Seconds>(world_.clock.wall()).count();
    live.agent = power_ ? gerund(power_->verb()) : "running";
    if (lease_ != nullptr) live.lease = lease_->live();
}

NodeStatus Agent::status_now(const LiveFacts& live) {
    NodeStatus status = node_status(report_, live);
    if (status.version.empty()) status.version = DISKLESS_VERSION;
    if (report_problem_) status.degraded.push_back({"boot report", report_problem_->cause, report_problem_->remedy});
    return status;
}

void Agent::keep_status() {
    report();
    status_file_->work([this] {
        LiveFacts live;
        if (!report_.root.server.empty() && hooks_.root_answers)
            live.root_answers = hooks_.root_answers(Deadline::after(world_.clock, kQuickLook));
        if (hooks_.snapshot_space) {
            if (const auto space = hooks_.snapshot_space())
                live.space = *space;
            else
                live.space_problem = space.error();
        }
        add_own(live);
        return status_now(live);
    });
}

bool Agent::root_answers() {
    return !hooks_.root_answers || hooks_.root_answers(Deadline::after(world_.clock, kLookDeadline));
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
