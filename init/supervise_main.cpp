#include "init/supervise_main.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <csignal>
#include <exception>

#include "common/base/text.hpp"
#include "common/os/emergency.hpp"
#include "common/os/init_process_linux.hpp"
#include "common/os/output.hpp"
#include "common/os/resident.hpp"
#include "init/boot.hpp"
#include "init/server_probe.hpp"
#include "init/shutdown/leave_root.hpp"
#include "init/supervisor/supervisor.hpp"
#include "init/userland.hpp"

namespace diskless {

namespace {

constexpr int kError = 3, kWarning = 4, kInfo = 6;  // syslog(2) levels
constexpr const char* kInittab = "/etc/inittab";
constexpr std::size_t kLongestInittab = 256 * 1024;
constexpr Seconds kRead{10};          // a file on NFS
constexpr Seconds kWriteRecords{15};  // utmp and wtmp may be on NFS
constexpr std::size_t kMostRecords = 64;
constexpr int kSystemdSignals = 34;  // SIGRTMIN, from which systemd(1) counts

class Life final : public SupervisorWorld, public InitEvents {
  public:
    Life(Os& os, const std::vector<std::string>& environment) : os_(os) {
        for (const auto& setting : environment)
            if (!setting.starts_with("PATH=") && !setting.starts_with("RUNLEVEL=") &&
                !setting.starts_with("PREVLEVEL=") && environment_.size() < 32)
                environment_.push_back(setting);
        if (const auto text = os_.files.read(kReportFile, 4 << 20))
            if (const auto report = boot_report_from_json(*text)) {
                total_ = parse_boot_config({report->command_line, {}, 0}).shutdown_timeout;
                root_server_ = report->root.server;
            }
        for (const auto& problem : process_.problems()) say(kWarning, problem.cause + ", continuing");
    }

    void begin(const std::vector<std::string>& words) {
        Supervisor::Settings settings{.way_down = total_ / 3};
        for (const auto& word : words) {
            if (word == "single" || word == "S" || word == "s" || word == "-s") settings.level = 'S';
            if (word == "-b" || word == "emergency") settings.emergency = true;
            if (word.size() == 1 && word[0] >= '1' && word[0] <= '5') settings.level = word[0];
        }
        supervisor_.emplace(*this, settings);
        record({.kind = LoginRecord::Kind::boot});
        supervisor_->begin(first_table(), os_.clock.now());
        keep_state();
    }

    void resume(const std::string& state) {
        supervisor_.emplace(*this, Supervisor::Settings{.way_down = total_ / 3});
        supervisor_->resume(first_table(), state, os_.clock.now());
        keep_state();
    }

    void turn() {
        process_.turn({std::min(supervisor_->next_due(), recorder_kill_at_)}, *this);
        const auto now = os_.clock.now();
        if (recorder_ != 0 && now >= recorder_kill_at_) {
            (void)os_.processes.signal(recorder_, SIGKILL);
            recorder_ = 0;  // it may hang for long
            recorder_kill_at_ = Nanoseconds::max();
            no_records_ = true;
            say(kWarning, "utmp and wtmp do not answer: no more records, continuing");
        }
        supervisor_->time_passed(now);
        write_records();
        keep_state();
    }

    // InitEvents
    void child_ended(int pid, int status) override {
        if (pid == recorder_) {
            recorder_ = 0;
            recorder_kill_at_ = Nanoseconds::max();
        }
        supervisor_->child_ended(pid, status, os_.clock.now());
    }

    void signal(int number) override {
        const auto now = os_.clock.now();
        switch (number) {
            case SIGINT:
                return supervisor_->ctrl_alt_del(now);
            case SIGWINCH:
                return supervisor_->keyboard_request(now);
            case SIGPWR:
                return power_status();
            case SIGHUP:
                return reload();
            case SIGQUIT:
                return supervisor_->restart(now);
            // busybox' signals
            case SIGTERM:
                return supervisor_->go_down(PowerVerb::reboot, now);
            case SIGUSR2:
                return supervisor_->go_down(PowerVerb::poweroff, now);
            case SIGUSR1:
                // sysvinit's scripts send it when they have mounted something over the fifo.
                if (!os_.files.exists(std::string(kInitctl))) return process_.open_fifo();
                return supervisor_->go_down(PowerVerb::halt, now);
            // systemd's
            case kSystemdSignals + 3:
                return supervisor_->go_down(PowerVerb::halt, now);
            case kSystemdSignals + 4:
                return supervisor_->go_down(PowerVerb::poweroff, now);
            case kSystemdSignals + 5:
                return supervisor_->go_down(PowerVerb::reboot, now);
            case kSystemdSignals + 6:
                return supervisor_->go_down(PowerVerb::kexec, now);
            default:
                return;
        }
    }

    void request(const InitRequest& request) override {
        const auto now = os_.clock.now();
        switch (request.command) {
            case InitCommand::run_level:
                if (request.level == 'q' || request.level == 'Q') return reload();
                if (request.level == 'u' || request.level == 'U') return restart_now();
                if (request.level == '0')
                    return supervisor_->go_down(setting("INIT_HALT") == "HALT" ? PowerVerb::halt : PowerVerb::poweroff,
                                                now);
                return supervisor_->telinit(request.level, request.sleep_time, now);
            case InitCommand::power_failing:
                return supervisor_->power_status('F', now);
            case InitCommand::power_fails_now:
                return supervisor_->power_status('L', now);
            case InitCommand::power_is_back:
                return supervisor_->power_status('O', now);
            case InitCommand::set_environment:
                return set_environment(request.data);
            case InitCommand::start:
                return;
        }
    }

    // SupervisorWorld
    int start(const InittabEntry& entry) override {
        const auto command = command_of(entry);
        const auto settings = environment();
        const bool alone = is_waited_for(entry.action);
        const auto pid = process_.start(
            {.name = entry.id,
             .path = command.path,
             .arguments = command.arguments,
             .environment = settings,
             .terminal = entry.terminal,
             .controlling = alone || entry.login || entry.action == InittabAction::askfirst || !entry.terminal.empty(),
             .ask_first = entry.action == InittabAction::askfirst});
        if (!pid) {
            say(kError, fmt::format("inittab {}: {}", entry.id, pid.error().cause));
            return 0;
        }
        if (is_recorded(entry)) record({.kind = LoginRecord::Kind::started, .pid = *pid}, entry.id);
        return *pid;
    }
    void signal(const InittabEntry& entry, int pid, int number) override {
        // A shell somebody types at ignores TERM; its terminal's end it does not.
        if (entry.login && number == SIGTERM) process_.signal(entry.id, pid, SIGHUP);
        process_.signal(entry.id, pid, number);
    }
    void ended(const InittabEntry& entry, int pid, int status) override {
        if (is_recorded(entry)) record({.kind = LoginRecord::Kind::ended, .pid = pid, .status = status}, entry.id);
        process_.forget(entry.id);
    }
    void say(int level, std::string line) override { os_.machine.say(level, line); }
    void run_level(char now, char before) override {
        level_ = now;
        before_ = before;
        say(kInfo, fmt::format("run level {}", now));
        record({.kind = now == '0' || now == '6' ? LoginRecord::Kind::shutdown : LoginRecord::Kind::run_level,
                .level = now,
                .before = before});
    }
    void going_down(LastAct act, PowerVerb verb) override {
        end_at_ = Deadline::after(os_.clock, total_);
        // Before anything is said: a line for the log goes through the root's /dev, and its server may be gone.
        if (act == LastAct::restart) return;
        if (const auto bounded = end_machine_at(end_at_, verb); !bounded) say(kWarning, bounded.error().cause);
    }
    void end(LastAct act, PowerVerb verb, const InittabEntry* restart) override {
        const bool server_dead = !server_answers(os_, root_server_, Deadline::after(os_.clock, Seconds{2}));
        if (act == LastAct::restart && restart != nullptr) {
            end_all_processes(os_, end_at_, server_dead);
            const auto command = command_of(*restart);
            const auto problem = os_.processes.execute(command.path, command.arguments, environment());
            (void)end_machine_at(end_at_, verb);
            say(kError, problem.cause + ", rebooting");
        }
        leave_root(os_, verb, end_at_, server_dead);
    }

  private:
    static bool is_recorded(const InittabEntry& entry) {
        // utmp has four letters for an id.
        return entry.recorded && entry.id.size() <= 4 && !is_waited_for(entry.action);
    }

    Result<Inittab> read_table() {
        const auto text =
            os_.processes.in_child(fmt::format("read {}", kInittab), Deadline::after(os_.clock, kRead),
                                   [&]() -> Result<std::string> { return os_.files.read(kInittab, kLongestInittab); });
        if (!text) return Failure(text.error());
        auto table = parse_inittab(*text);
        tell(table);
        return table;
    }

    void tell(const Inittab& table) {
        for (const auto& problem : table.problems) {
            const auto where = problem.line == 0 ? std::string(kInittab) : fmt::format("{}:{}", kInittab, problem.line);
            say(kWarning,
                fmt::format("{}: {}{}{}", where, problem.what, problem.remedy.empty() ? "" : "; ", problem.remedy));
        }
        if (table.names_us)
            say(kInfo,
                "the inittab's boot script is not run: this program has done its work; what else it started "
                "wants lines of its own");
    }

    /// Never without a table: a node that only says what is wrong with it cannot be mended.
    Inittab first_table() {
        auto table = read_table();
        for (int again = 0; !table && table.error().code != ENOENT && again < 5; ++again) {
            say(kWarning, table.error().cause + ", trying again");
            os_.clock.sleep(Seconds{2});
            table = read_table();
        }
        if (!table || table->entries.empty()) {
            say(kWarning,
                fmt::format("{}: a login on the console is all there is",
                            table ? std::string(kInittab) + " has no entry that can be used" : table.error().cause));
            const bool names_us = table && table->names_us;
            table = parse_inittab(default_inittab());
            table->names_us = names_us;
        }
        add_own_entries(*table);
        return std::move(*table);
    }

    void reload() {
        auto table = read_table();
        if (!table) return say(kWarning, table.error().cause + ": the inittab before stays in force");
        if (!table->entries.empty()) add_own_entries(*table);
        supervisor_->reload(std::move(*table), os_.clock.now());
        say(kInfo, "the inittab was read again");
    }

    void power_status() {
        // sysvinit's and NUT's way to say what SIGPWR means; not from /etc, which is on NFS.
        const auto text = os_.files.read("/run/powerstatus", 16).value_or("F");
        supervisor_->power_status(text.empty() ? 'F' : text[0], os_.clock.now());
    }

    std::string_view setting(std::string_view name) const {
        for (const auto& each : environment_)
            if (each.size() > name.size() && each.starts_with(name) && each[name.size()] == '=')
                return std::string_view(each).substr(name.size() + 1);
        return {};
    }

    void set_environment(const std::string& text) {
        const auto name = text.substr(0, text.find('='));
        // As sysvinit: nothing but names made for it, so that PATH and LD_PRELOAD cannot be set this way.
        if (!name.starts_with("INIT_")) return;
        std::erase_if(environment_, [&](const std::string& each) { return each.starts_with(name + "="); });
        if (text.size() > name.size() && environment_.size() < 48) environment_.push_back(text);
    }

    std::vector<std::string> environment() const {
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

    void record(LoginRecord record, std::string_view id = {}) {
        if (no_records_ || records_.size() >= kMostRecords) return;
        record.time = os_.clock.wall();
        id.copy(record.id, sizeof record.id);
        records_.push_back(record);
        write_records();
    }

    /// One child at a time, so that the records keep their order.
    void write_records() {
        if (recorder_ != 0 || records_.empty()) return;
        recorder_ = process_.in_background([&] { write_login_records(records_); });
        if (recorder_ == 0) return;
        recorder_kill_at_ = os_.clock.now() + kWriteRecords;
        records_.clear();
    }

    void keep_state() const {
        if (supervisor_->over()) return;
        const auto state = supervisor_->state();
        keep_crash_state(state.c_str(), state.size());
    }

    Os& os_;
    InitProcess process_;
    std::optional<Supervisor> supervisor_;
    std::vector<std::string> environment_;
    char level_ = '\0', before_ = 'N';
    Nanoseconds total_ = Seconds{30};
    Deadline end_at_;
    std::string root_server_;
    std::vector<LoginRecord> records_;
    int recorder_ = 0;
    Nanoseconds recorder_kill_at_ = Nanoseconds::max();
    bool no_records_ = false;
};

}  // namespace

[[noreturn]] void supervise_main(Os& os, const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& environment) {
    const auto argument = [&](std::size_t i) { return i < arguments.size() ? arguments[i] : std::string(); };
    guard_against_crashes(60);
    const auto story = argument(2);
    restart_after_crashes(kProgram, kSupervise, story.c_str());
    static std::optional<Life> life;
    for (bool begun = false;;) {
        try {
            if (!life) life.emplace(os, environment);
            if (begun) {
                life->turn();
                continue;
            }
            begun = true;
            if (const auto state = argument(3); !state.empty())
                life->resume(state);
            else
                life->begin({arguments.begin() + std::min<std::ptrdiff_t>(4, std::ssize(arguments)), arguments.end()});
        } catch (const std::exception& problem) {
            // Out of memory, most probably: somebody else will have to give some back.
            os.machine.say(kError, problem.what());
            os.clock.sleep(Seconds{1});
        }
    }
}

int telinit_role(Os& os, const std::vector<std::string>& arguments) {
    FileOutput err(2);
    InitRequest request{.command = InitCommand::run_level};
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const auto& word = arguments[i];
        if (word == "-t" && i + 1 < arguments.size()) {
            request.sleep_time = Seconds{parse_number<int>(arguments[++i]).value_or(5)};
        } else if (word == "-e" && i + 1 < arguments.size()) {
            request.command = InitCommand::set_environment;
            request.data = arguments[++i];
        } else if (word.size() == 1 &&
                   std::string_view("0123456SsQqUuABCabc").find(word[0]) != std::string_view::npos) {
            request.level = word[0];
        } else {
            request.level = '\0';
            request.command = InitCommand::run_level;
            break;
        }
    }
    if (request.command == InitCommand::run_level && request.level == '\0') {
        err.write("usage: telinit [-t SECONDS] 0-6|S|a-c|q|u, telinit -e NAME=VALUE\n");
        return 2;
    }
    // Where nobody reads, opening would wait for ever.
    const auto done =
        os.processes.in_child("ask PID 1", Deadline::after(os.clock, Seconds{5}), [&]() -> Result<std::string> {
            TRY(os.files.write(std::string(kInitctl), init_request_bytes(request)));
            return {};
        });
    if (done) return 0;
    err.write(fmt::format("telinit: {}\n", done.error().cause));
    return 1;
}

}  // namespace diskless
