// Children that run in this process at once, and can be told to hang or to die.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>

#include "common/os/processes.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace diskless {

class FakeProcesses : public Processes {
  public:
    static constexpr int kWatched = 77;  // process id of a child that is looked at
    explicit FakeProcesses(FakeClock& clock) : clock_(clock) {}

    Result<std::string> in_child(std::string_view what, Deadline deadline,
                                 const std::function<Result<std::string>()>& work) override {
        children.emplace_back(what);
        if (hanging.contains(std::string(what))) {
            clock_.advance(deadline.left(clock_));
            return fail(std::string(what) + ": no end in time, killed", {}, ETIMEDOUT);
        }
        return work();
    }
    Result<std::string> in_watched_child(std::string_view what, Deadline deadline, const Watch& watch,
                                         const std::function<Result<std::string>()>& work) override {
        if (!hanging.contains(std::string(what))) return work();
        for (bool go_on = true; go_on && !deadline.passed(clock_);) {
            clock_.advance(std::min(watch.every, deadline.left(clock_)));
            go_on = watch.go_on(kWatched);
        }
        return fail(std::string(what) + ": no end in time, killed", {}, ETIMEDOUT);
    }
    Result<int> spawn(const SpawnRequest& request) override {
        if (absent.contains(request.path)) return fail_errno("start " + request.path, ENOENT);
        executed_.push_back(request.path);
        spawned.push_back(request);
        return static_cast<int>(100 + spawned.size());
    }
    Result<int> wait(int, Deadline) override { return 0; }
    Error execute(const std::string& path, const std::vector<std::string>& arguments,
                  const std::vector<std::string>&) override {
        if (const auto before = std::exchange(on_execute, nullptr)) before();
        executed_.push_back(path);
        execute_arguments = arguments;
        return {"execute " + path + ": the fake goes on", {}, ENOEXEC};
    }
    int own_pid() const override { return 42; }
    Result<> signal(int pid, int number) override {
        signals.emplace_back(pid, number);
        if (on_signal) on_signal(pid, number);
        return {};
    }
    std::vector<std::string> executed() const override { return executed_; }

    std::vector<std::string> children;  // names of all in_child work so far
    std::set<std::string> hanging;      // of that which never ends
    std::set<std::string> absent;       // programs that cannot be started
    std::vector<SpawnRequest> spawned;
    std::vector<std::string> execute_arguments;
    std::function<void()> on_execute;  // once
    std::vector<std::pair<int, int>> signals;
    std::function<void(int pid, int number)> on_signal;

  private:
    FakeClock& clock_;
    std::vector<std::string> executed_;
};

}  // namespace diskless
