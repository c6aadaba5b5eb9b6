#include "init/supervisor/life.hpp"

#include <fmt/core.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <utility>

#include "common/base/text.hpp"
#include "init/boot.hpp"
#include "init/boot_report_of.hpp"
#include "init/shutdown/leave_root.hpp"
#include "init/userland.hpp"

namespace diskless {

namespace {

constexpr int kError = 3, kWarning = 4, kInfo = 6;  // syslog(2) levels
constexpr Seconds kWriteRecords{15};                // utmp and wtmp may be on NFS
constexpr std::size_t kMostRecords = 64;
constexpr Milliseconds kForMemory{200};  // until the next try

bool is_recorded(const InittabEntry& entry) {
    // utmp has four letters for an id.
    return entry.recorded && entry.id.size() <= 4 && !is_waited_for(entry.action);
}

}  // namespace

Life::Life(LifeWorld world, const std::vector<std::string>& environment)
    : world_(std::move(world)), os_(world_.os), process_(world_.process) {
    for (const auto& setting : environment)
        if (!setting.starts_with("PATH=") && !setting.starts_with("RUNLEVEL=") && !setting.starts_with("PREVLEVEL=") &&
            environment_.size() < 32)
            environment_.push_back(setting);
    if (const auto text = os_.files.read(kReportFile, 4 << 20))
        if (const auto report = boot_report_from_json(*text)) {
            total_ = config_of(*report).shutdown_timeout;
            root_service_ = service_of(report->root);
        }
    records_.reserve(kMostRecords);
    for (const auto& problem : process_.problems()) say(kWarning, problem.cause + ", continuing");
}

void Life::begin(const std::vector<std::string>& words) {
    Supervisor::Settings settings{.way_down = total_ / 3};
    for (const auto& word : words) {
        if (word == "single" || word == "S" || word == "s" || word == "-s") settings.level = 'S';
        if (word == "-b" || word == "emergency") settings.emergency = true;
        if (word.size() == 1 && word[0] >= '1' && word[0] <= '5') settings.level = word[0];
    }
    auto table = first_table();
    supervisor_.emplace(*this, settings);
    if (!std::exchange(boot_recorded_, true)) record({.kind = LoginRecord::Kind::boot});
    supervisor_->begin(std::move(table), os_.clock.now());
    keep_state();
}

void Life::resume(const std::string& state) {
    auto table = first_table();
    keep_logs_of(table);
    supervisor_.emplace(*this, Supervisor::Settings{.way_down = total_ / 3});
    supervisor_->resume(std::move(table), state, os_.clock.now());
    keep_state();
}

void Life::turn() noexcept {
    fenced("a turn", [&] { process_.turn({std::min(supervisor_->next_due(), recorder_kill_at_)}, *this); });
    const auto now = os_.clock.now();
    if (recorder_ != 0 && now >= recorder_kill_at_) {
        fenced("end a child", [&] { (void)os_.processes.signal(recorder_, SIGKILL); });
        recorder_ = 0;  // it may hang for long
        recorder_kill_at_ = Nanoseconds::max();
        no_records_ = true;
        say(kWarning, "utmp and wtmp do not answer: no more records, continuing");
    }
    fenced("go on", [&] { supervisor_->time_passed(now); });
    if (to_promise_) promise_end();
    write_records();
    keep_state();
}

void Life::child_ended(int pid, int status) {
    if (pid == recorder_) {
        recorder_ = 0;
        recorder_kill_at_ = Nanoseconds::max();
    }
    supervisor_->child_ended(pid, status, os_.clock.now());
}

// ---- What the supervisor wants --------------------------------------------------------------------------------------

int Life::start(const InittabEntry& entry) {
    int pid = 0;
    fenced("start an entry, trying again", [&] {
        const auto command = command_of(entry);
        const auto settings = environment();
        const bool alone = is_waited_for(entry.action);
        const auto started = process_.start(
            {.name = entry.id,
             .path = command.path,
             .arguments = command.arguments,
             .environment = settings,
             .terminal = entry.terminal,
             .controlling = alone || entry.login || entry.action == InittabAction::askfirst || !entry.terminal.empty(),
             .ask_first = entry.action == InittabAction::askfirst,
             .logged = is_logged(entry)});
        if (started)
            pid = *started;
        else
            say(kError, fmt::format("inittab {}: {}, trying again", entry.id, started.error().cause));
    });
    if (pid == 0) return 0;
    char line[48];
    std::snprintf(line, sizeof line, "started, process %d", pid);
    process_.note(entry.id, line);
    if (is_recorded(entry)) record({.kind = LoginRecord::Kind::started, .pid = pid}, entry.id);
    return pid;
}

void Life::signal(const InittabEntry& entry, int pid, int number) {
    // A shell somebody types at ignores TERM; its terminal's end it does not.
    if (entry.login && number == SIGTERM) process_.signal(entry.id, pid, SIGHUP);
    process_.signal(entry.id, pid, number);
}

void Life::ended(const InittabEntry& entry, int pid, int status) {
    char line[64];
    if (WIFSIGNALED(status))
        std::snprintf(line, sizeof line, "process %d was killed by signal %d", pid, WTERMSIG(status));
    else
        std::snprintf(line, sizeof line, "process %d ended with status %d%s", pid, WEXITSTATUS(status),
                      WEXITSTATUS(status) == 127 ? " (not found?)" : "");
    process_.note(entry.id, line);
    if (is_recorded(entry)) record({.kind = LoginRecord::Kind::ended, .pid = pid, .status = status}, entry.id);
    process_.forget(entry.id);
}

void Life::say(int level, std::string line) {
    fenced("a message", [&] { os_.machine.say(level, line); });
}

void Life::run_level(char now, char before) {
    level_ = now;
    before_ = before;
    fenced("a message", [&] { say(kInfo, fmt::format("run level {}", now)); });
    record({.kind = now == '0' || now == '6' ? LoginRecord::Kind::shutdown : LoginRecord::Kind::run_level,
            .level = now,
            .before = before});
}

void Life::going_down(LastAct, PowerVerb verb) {
    end_at_ = Deadline::after(os_.clock, total_);
    // Before anything is said: a line for the log goes through the root's /dev, and its server may be gone. Also before
    // a restart: a program that takes this one's place ends what keeps the promise.
    to_promise_ = verb;
    promise_end();
}

void Life::promise_end() noexcept {
    const auto verb = *to_promise_;
    fenced("the guard of the way down, trying again", [&] {
        const auto bounded = world_.end_machine_at(end_at_, verb);
        if (bounded)
            to_promise_.reset();
        else if (!std::exchange(told_unbounded_, true))
            say(kWarning, bounded.error().cause + ", trying again");
    });
}

void Life::end(LastAct act, PowerVerb verb, const InittabEntry* restart) {
    while (!fenced("the way down, trying again", [&] { end_with(act, verb, restart); })) {
        os_.clock.sleep(kForMemory);
        if (!end_at_.passed(os_.clock)) continue;
        fenced("reboot(2)", [&] { (void)os_.machine.power(verb); });
        return;
    }
}

void Life::end_with(LastAct act, PowerVerb verb, const InittabEntry* restart) {
    const bool server_dead = verdict_on(os_, root_service_).is_gone(end_at_);
    if (act == LastAct::restart && restart != nullptr) {
        end_all_processes(os_, end_at_, server_dead);
        const auto command = command_of(*restart);
        const auto problem = os_.processes.execute(command.path, command.arguments, environment());
        (void)world_.end_machine_at(end_at_, verb);
        say(kError, problem.cause + ", rebooting");
    }
    leave_root(os_, verb, end_at_, server_dead);
}

std::vector<std::string> Life::environment() const {
    auto result = environment_;
    // Ours come last: telinit, shutdown and disklessctl in a root that has none, or hides them below a later /usr.
    result.emplace_back("PATH=/sbin:/usr/sbin:/bin:/usr/bin:/run/diskless/bin");
    result.emplace_back("CONSOLE=/dev/console");
    result.emplace_back("INIT_VERSION=diskless-" DISKLESS_VERSION);
    if (setting("TERM").empty()) result.emplace_back("TERM=linux");
    if (level_ != '\0') {
        result.push_back(fmt::format("RUNLEVEL={}", level_));
        result.push_back(fmt::format("PREVLEVEL={}", before_));
    }
    return result;
}

// ---- What is kept ---------------------------------------------------------------------------------------------------

void Life::record(LoginRecord record, std::string_view id) noexcept {
    if (no_records_ || records_.size() >= kMostRecords) return;
    record.time = os_.clock.wall();
    id.copy(record.id, sizeof record.id);
    if (fenced("a record", [&] { records_.push_back(record); })) write_records();
}

/// One child at a time, so that the records keep their order.
void Life::write_records() noexcept {
    if (recorder_ != 0 || records_.empty()) return;
    fenced("records of utmp, trying again", [&] { recorder_ = process_.record(records_); });
    if (recorder_ == 0) return;
    recorder_kill_at_ = os_.clock.now() + kWriteRecords;
    records_.clear();
}

void Life::keep_state() const noexcept {
    if (supervisor_->over()) return;
    static char text[Supervisor::kLongestState];
    world_.keep_state(text, supervisor_->state(text));
}

}  // namespace diskless
