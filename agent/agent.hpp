// The resident agent: the part of the node program that stays.
//
// It is started before the root switch as "@diskless-agent" (systemd spares processes whose name starts with '@') and
// lives in the initramfs's RAM, where /proc, /sys, /dev and /run stay mounted. It opens nothing on NFS: what has to
// look there is a hook, run in a child that can be killed.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/control_protocol.hpp"
#include "agent/lease_keeper.hpp"
#include "agent/power_request.hpp"
#include "agent/status_file.hpp"
#include "common/os/clock.hpp"
#include "common/os/control_socket.hpp"
#include "common/os/files.hpp"
#include "common/os/machine.hpp"
#include "common/os/processes.hpp"
#include "common/report/node_status.hpp"

namespace diskless {

inline constexpr const char* kBootReportFile = "/run/diskless/boot.json";

struct AgentHooks {
    /// Does the root server answer (an RPC NULL call)? Run in this process: it only uses a socket.
    std::function<bool(Deadline)> root_answers;
    /// Free room of the node's snapshot; run in a child. Empty when there is no snapshot.
    std::function<Result<Space>()> snapshot_space;
    /// Kills, unmounts in killable children, reboot(2): returns only when that failed.
    std::function<Error(PowerVerb, Deadline)> take_down;
    /// Ends the machine at the deadline whatever else happens (end_machine_at in common/os/resident.hpp).
    std::function<Result<>(Deadline, PowerVerb)> end_at;
    /// Where the status file is kept, on NFS; empty: nowhere.
    std::string status_directory;
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

    /// `shutdown_total` is the whole time the way down may take (diskless.shutdown.timeout).
    Agent(World world, AgentHooks hooks, Nanoseconds shutdown_total = Seconds{30}, LeaseKeeper* lease = nullptr)
        : world_(world), hooks_(std::move(hooks)), shutdown_total_(shutdown_total), lease_(lease) {
        if (!hooks_.status_directory.empty())
            status_file_.emplace(StatusFile::World{world.clock, world.files, world.processes}, hooks_.status_directory);
    }

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
    const BootReport& report();
    LiveFacts look();
    void add_own(LiveFacts& live) const;
    NodeStatus status_now(const LiveFacts& live);
    void keep_status();
    bool root_answers();
    InitFacts init_facts() const;
    InitSight init_sight() const;
    void move_down();
    Result<> ask_init(PowerVerb verb);
    void end_now(PowerVerb verb);

    World world_;
    AgentHooks hooks_;
    Nanoseconds shutdown_total_;
    LeaseKeeper* lease_;
    std::optional<StatusFile> status_file_;

    BootReport report_;  // empty until it could be read
    std::optional<Error> report_problem_;
    // Looks at a server that is gone cost seconds: everybody who asks within this time gets the same answer.
    LiveFacts seen_;
    std::optional<Nanoseconds> seen_at_;

    std::optional<PowerRequest> power_;
    bool over_ = false;
};

}  // namespace diskless
