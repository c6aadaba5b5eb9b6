// The resident agent: the part of the node program that stays.
//
// It is started before the root switch as "@diskless-agent" (systemd spares processes whose name starts with '@') and
// lives in the initramfs's RAM, where /proc, /sys, /dev and /run stay mounted. It opens nothing on NFS: what has to
// look there is a hook, run in a child that can be killed.
//
// What it knows is written to AgentState whenever that changes: it is started again from there (guardian.hpp).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/control_protocol.hpp"
#include "agent/init_watch.hpp"
#include "agent/lease_keeper.hpp"
#include "agent/message_log.hpp"
#include "agent/mount_watch.hpp"
#include "agent/power_request.hpp"
#include "agent/status_file.hpp"
#include "agent/watchdog_keeper.hpp"
#include "common/os/clock.hpp"
#include "common/os/control_socket.hpp"
#include "common/os/files.hpp"
#include "common/os/machine.hpp"
#include "common/os/processes.hpp"
#include "common/report/node_status.hpp"

namespace diskless {

inline constexpr const char* kBootReportFile = "/run/diskless/boot.json";

struct AgentHooks {
    /// Does the root server answer no more (ServerVerdict)? Run in this process: it only uses a socket.
    std::function<bool()> root_is_gone;
    Nanoseconds root_is_gone_takes{0};  // at most
    /// Kills, unmounts in killable children, reboot(2): returns only when that failed. A thread feeds the watchdog
    /// meanwhile.
    std::function<Error(PowerVerb, Deadline)> take_down;
    /// Ends the machine at the deadline whatever else happens (end_machine_at in common/os/resident.hpp).
    std::function<Result<>(Deadline, PowerVerb)> end_at;
    /// Is the one there that starts this process again? May be empty, as become_guardian.
    std::function<bool()> is_guarded;
    /// The next sign of life comes until then, or this process hangs. May be empty.
    std::function<void(Nanoseconds until)> promise;
    /// Takes its place, and so ends this agent: returns only when that failed.
    std::function<Error()> become_guardian;
    /// The process that has sent SIGTERM since this was asked last. May be empty, as told_end.
    std::function<std::optional<int>()> taken_term;
    /// Tells the next boot that init takes the node down: "reboot", "poweroff", "end".
    std::function<void(std::string_view verb)> told_end;
    /// The mounted snapshot, in which the time is kept; empty: none.
    std::string snapshot;
};

/// What the agent looks after; each may be missing.
struct AgentParts {
    LeaseKeeper* lease = nullptr;
    MountWatch* root = nullptr;
    MountWatch* snapshot = nullptr;
    WatchdogKeeper* watchdog = nullptr;
    MessageLog* log = nullptr;
};

struct AgentSettings {
    Nanoseconds shutdown_total = Seconds{30};  // the whole time the way down may take (diskless.shutdown.timeout)
    Nanoseconds root_loss{0};                  // a dead root is tolerated so long, then reboot; 0: for ever
    Nanoseconds patience = Seconds{20};        // with one turn of the loop: what takes longer hangs
};

class Agent {
  public:
    struct World {
        Clock& clock;
        Files& files;
        Processes& processes;
        Machine& machine;
        ControlServer& control;
    };

    /// `resumed`: what an earlier life left.
    Agent(World world, AgentHooks hooks, AgentSettings settings = {}, AgentParts parts = {}, AgentState resumed = {});

    /// Serves until the machine ends: never returns on a node.
    void run() {
        while (!over_) turn(Deadline{});
    }

    /// One turn of the loop: waits for one request (not longer than `at_most`), answers it, moves the way down on.
    void turn(Deadline at_most);

    /// The last resort was tried and came back, which only a test sees.
    bool over() const { return over_; }

  private:
    std::string answer(const ControlMessage& message);
    std::string answer_power(const ControlRequest& request, PowerVerb verb, int pid);
    Nanoseconds next_due() const;
    void look_after(Nanoseconds now);
    void feed_watchdog(Nanoseconds now);
    void rest();
    void watch(MountWatch* mount, Nanoseconds now);
    void see_to_guardian();
    void judge_root(Nanoseconds now);
    void count_carrier();
    const BootReport& report();
    NodeStatus status_now();
    NodeCounters counters() const;
    void keep_status();
    void keep_state();
    bool root_is_dead();
    void resume_power(const KeptPowerRequest& kept);
    /// The end is promised first; `why` says on whose behalf.
    void begin_power(PowerRequest::Settings settings, const std::string& why);
    /// Nothing waits for PID 1, which would wait for a server.
    void end_without_servers(PowerVerb verb, const std::string& why);
    InitFacts init_facts() const;
    InitSight init_sight() const;
    void move_down();
    void see_to_init(Nanoseconds now);
    void tell_of_inits_end();
    void expect_kill(Nanoseconds now);
    void finish_for_init();
    std::string name_of_process(int pid) const;
    Result<> ask_init(PowerVerb verb);
    void end_now(PowerVerb verb);

    World world_;
    AgentHooks hooks_;
    AgentSettings settings_;
    AgentParts parts_;
    std::optional<StatusFile> status_file_;

    NodeCounters counted_;  // in earlier lives, and what nobody else counts
    std::optional<bool> carrier_;
    std::string state_mark_;     // of what was written last
    std::string state_problem_;  // said last
    std::string guard_problem_;

    BootReport report_;  // empty until it could be read
    std::optional<Error> report_problem_;

    InitWatch init_watch_;
    Nanoseconds next_init_look_{0};
    std::optional<PowerRequest> power_;
    bool over_ = false;
};

}  // namespace diskless
