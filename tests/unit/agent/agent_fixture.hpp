// An agent in a small world whose servers, PID 1 and watches do as they are told.
#pragma once

#include <gtest/gtest.h>
#include <utmp.h>

#include "agent/agent.hpp"
#include "common/nfs/server_verdict.hpp"
#include "tests/fakes/control_socket.hpp"
#include "tests/fakes/fake_background.hpp"
#include "tests/unit/agent/small_world.hpp"
#include "tests/unit/report/sample_report.hpp"

namespace diskless::test_agent {

inline constexpr const char* kIdle = "1 (systemd) S 0 1 1 0 -1 4194560 30000 600000 100 2000 70 130 1500 900";

class AgentTest : public ::testing::Test {
  protected:
    AgentTest() {
        files.content["/run/diskless/boot.json"] = to_json(test_report::sample_report());
        files.content["/proc/1/comm"] = "systemd\n";
        files.content["/proc/1/stat"] = kIdle;
        hooks.root_is_gone = [this] { return verdict.is_gone(); };
        hooks.take_down = [this](PowerVerb, Deadline deadline) {
            taken_down_at = clock.now();
            deadline_given = deadline.at;
            return Error{"unmount /: Device or resource busy", {}, EBUSY};
        };
        hooks.end_at = [this](Deadline deadline, PowerVerb) {
            guard_at = deadline.at;
            return Result<>();
        };
    }

    Result<Json> ask(const std::string& line, std::uint32_t uid = 0) {
        const int connection = control.ask(line, uid);
        agent().turn(Deadline{clock.now()});
        return parse_control_answer(control.answer_to(connection));
    }
    Agent& agent() {
        if (!agent_) {
            parts.lease = lease;
            agent_.emplace(Agent::World{clock, files, processes, logged, control}, hooks, settings, parts, resumed);
        }
        return *agent_;
    }
    void run_to_the_end() {
        for (int turns = 0; turns < 1000 && !agent().over(); ++turns) agent().turn(Deadline{});
        ASSERT_TRUE(agent().over());
    }

    SmallClock clock;
    SmallFiles files;
    SmallProcesses processes{clock};
    SmallMachine machine;
    FakeControlServer control{[this](Deadline deadline) { clock.time = std::max(clock.time, deadline.at); }};
    AgentHooks hooks;
    /// The root and the snapshot are looked at.
    void watch() {
        const auto look = [this]() -> Result<Space> {
            if (look_fails) return Failure(*look_fails);
            return Space{1 << 30, 2u << 30, 100, 200};
        };
        const auto ask = []() -> Result<> { return fail("connect to 10.9.0.1: Connection refused"); };
        root_watch.emplace(clock, background, MountWatch::Place{"root server", "10.9.0.1", false},
                           MountWatch::Probes{look, ask});
        snapshot_watch.emplace(clock, background, MountWatch::Place{"snapshot server", "10.9.0.1", true},
                               MountWatch::Probes{look, ask});
        parts.root = &*root_watch;
        parts.snapshot = &*snapshot_watch;
    }
    void pass(Nanoseconds span) {
        const auto end = clock.now() + span;
        while (clock.now() < end && !agent().over()) agent().turn(Deadline{end});
    }
    /// What sysvinit writes down of a run level: '6' + 256 * '2' after 2.
    void enter(int level) {
        struct utmp record {};
        record.ut_type = RUN_LVL;
        record.ut_pid = level;
        files.content["/run/utmp"] += std::string(reinterpret_cast<const char*>(&record), sizeof record);
    }
    AgentState kept() const { return agent_state_from_json(files.content.at(kAgentStateFile)).value(); }

    LeaseKeeper* lease = nullptr;
    MessageLog log;
    LoggedMachine logged{machine, clock, log};
    AgentSettings settings;
    AgentParts parts{.log = &log};
    AgentState resumed;
    FakeBackground background;
    std::optional<Error> look_fails;
    std::optional<MountWatch> root_watch, snapshot_watch;
    std::optional<Agent> agent_;
    bool server_alive = true;
    int probes = 0, unanswered = 0;  // the first so many, by a server that is busy
    ServerVerdict verdict{clock, [this](Deadline deadline) {
                              if (++probes > unanswered && server_alive) return true;
                              clock.time = std::max(clock.time, deadline.at);
                              return false;
                          }};
    Nanoseconds taken_down_at{0}, deadline_given{0}, guard_at{0};
};

/// Wants to be asked every 3 s, and remembers when it was.
class EagerKeeper : public LeaseKeeper {
  public:
    explicit EagerKeeper(SmallClock& clock) : clock_(clock) {}
    LiveLease live() const override {
        LiveLease live;
        live.lease.source = LeaseSource::dhcp;
        live.lease.address = Ipv4(10, 9, 0, 99);
        live.lease.lease_time = Seconds{60};
        live.lease.obtained = clock_.now() - Seconds{20};
        live.waits_for = "renewal of 10.9.0.99 unanswered for 4 s";
        live.problem = Error{"10.9.0.1 refuses to renew 10.9.0.99", "see the DHCP server", 0};
        return live;
    }
    Nanoseconds next_due() const override { return worked.empty() ? Nanoseconds{0} : worked.back() + Seconds{3}; }
    void work(Nanoseconds now) override { worked.push_back(now); }

    std::vector<Nanoseconds> worked;

  private:
    SmallClock& clock_;
};

}  // namespace diskless::test_agent
