// The life of a node whose PID 1 is this program: what happens to it (InitProcess) is told to the supervisor, and what
// the supervisor wants is done.
//
// Out of memory it goes on: nothing that has happened is forgotten, what cannot be started is tried again, what cannot
// be said is left out, and the way down ends in reboot(2) all the same.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/os/init_process.hpp"
#include "common/os/os.hpp"
#include "init/server_probe.hpp"
#include "init/supervisor/supervisor.hpp"

namespace diskless {

/// What reading the inittab again has changed: a line with the time of reading, then those of inittab_changes().
inline constexpr const char* kInittabChanges = "/run/diskless/inittab.changes";

struct LifeWorld {
    Os& os;
    InitProcess& process;
    /// end_machine_at() of common/os/resident.hpp.
    std::function<Result<>(Deadline, PowerVerb)> end_machine_at;
    // Those of common/os/emergency.hpp.
    void (*keep_state)(const char* text, unsigned long length) noexcept;
    void (*execute_anew)() noexcept;
    void (*say_without_memory)(const char* text) noexcept;
};

class Life final : public SupervisorWorld, public InitEvents {
  public:
    Life(LifeWorld world, const std::vector<std::string>& environment);

    /// The beginning. `words`: what the kernel's command line had for init. What it throws, it has not begun.
    void begin(const std::vector<std::string>& words);
    /// The same after this program was executed anew.
    void resume(const std::string& state);
    /// Waits for what happens next, and does what it asks for.
    void turn() noexcept;
    bool over() const { return supervisor_ && supervisor_->over(); }

    // InitEvents
    void child_ended(int pid, int status) override;
    void signal(int number) override;
    void request(const InitRequest& request) override;

    // SupervisorWorld
    int start(const InittabEntry& entry) override;
    void signal(const InittabEntry& entry, int pid, int number) override;
    void ended(const InittabEntry& entry, int pid, int status) override;
    void say(int level, std::string line) override;
    void run_level(char now, char before) override;
    void going_down(LastAct act, PowerVerb verb) override;
    void end(LastAct act, PowerVerb verb, const InittabEntry* restart) override;

  private:
    /// Does `work`; without memory it says that `what` is left out.
    template <class Work>
    bool fenced(const char* what, const Work& work) noexcept {
        try {
            work();
            return true;
        } catch (const std::exception&) {
            world_.say_without_memory(what);
            return false;
        }
    }

    // The table: life_table.cpp.
    Result<Inittab> read_table();
    void tell(const Inittab& table);
    Inittab first_table();
    void reload();
    void keep_logs_of(const Inittab& table) noexcept;

    // Requests: life_requests.cpp.
    bool fifo_is_hidden();
    void power_status();
    std::string_view setting(std::string_view name) const;
    void set_environment(const std::string& text);

    std::vector<std::string> environment() const;
    void promise_end() noexcept;
    void end_with(LastAct act, PowerVerb verb, const InittabEntry* restart);
    void record(LoginRecord record, std::string_view id = {}) noexcept;
    void write_records() noexcept;
    void keep_state() const noexcept;

    LifeWorld world_;
    Os& os_;
    InitProcess& process_;
    std::optional<Supervisor> supervisor_;
    std::vector<std::string> environment_;
    char level_ = '\0', before_ = 'N';
    Nanoseconds total_ = Seconds{30};
    Deadline end_at_;
    std::optional<PowerVerb> to_promise_;  // the end of the machine is not certain yet
    bool told_unbounded_ = false;
    NfsService root_service_;
    std::vector<LoginRecord> records_;
    bool boot_recorded_ = false;
    int recorder_ = 0;
    Nanoseconds recorder_kill_at_ = Nanoseconds::max();
    bool no_records_ = false;
    bool said_of_boot_script_ = false;
};

}  // namespace diskless
