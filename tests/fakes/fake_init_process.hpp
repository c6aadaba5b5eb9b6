// PID 1's kernel: processes that live until they are told to end, and events that wait to be told.
#pragma once

#include <csignal>
#include <deque>
#include <functional>
#include <map>

#include "common/os/init_process.hpp"
#include "tests/fakes/failing_memory.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace diskless {

class FakeInitProcess : public InitProcess {
  public:
    explicit FakeInitProcess(FakeClock& clock) : clock_(clock) {}

    void turn(Deadline deadline, InitEvents& events) override {
        if (news.empty() && ends_.empty() && deadline.at != Nanoseconds::max()) clock_.advance(deadline.left(clock_));
        // As the real one: what an event throws does not take the others with it.
        const auto fenced = [](const std::function<void()>& tell) {
            try {
                tell();
            } catch (const std::exception&) {
            }
        };
        while (!news.empty()) {
            const auto event = take(news);
            fenced([&] { event(events); });
        }
        while (!ends_.empty()) {
            const auto [pid, status] = take(ends_);
            fenced([&, pid = pid, status = status] { events.child_ended(pid, status); });
        }
    }
    Result<int> start(const ServiceStart& start) override {
        if (forks_to_fail > 0) {
            --forks_to_fail;
            return fail_errno("fork for " + start.path, EAGAIN);
        }
        const FailingMemory::Pause memory;
        running[++next_pid_] = start.name;
        starts.push_back(start.name);
        logged[start.name] = start.logged;
        if (short_lived.contains(start.name)) ends(next_pid_, 0);
        return next_pid_;
    }
    void signal(const std::string&, int pid, int number) noexcept override {
        const FailingMemory::Pause memory;
        if (number == SIGTERM || number == SIGKILL) ends(pid, number);
    }
    void forget(const std::string&) noexcept override {}
    void note(std::string_view name, std::string_view line) noexcept override {
        const FailingMemory::Pause memory;
        notes.push_back(std::string(name) + ": " + std::string(line));
    }
    void keep_logs_of(const std::vector<std::string>& names) noexcept override {
        const FailingMemory::Pause memory;
        logs_kept = names;
    }
    int record(const std::vector<LoginRecord>& all) override {
        const FailingMemory::Pause memory;
        records.insert(records.end(), all.begin(), all.end());
        ends_.emplace_back(++next_pid_, 0);
        return next_pid_;
    }
    void open_fifo() override { ++fifos_opened; }
    int fifos_opened = 0;
    const std::vector<Error>& problems() const override { return problems_; }

    /// The process ends; PID 1 learns of it in its next turn.
    void ends(int pid, int status) {
        if (running.erase(pid) != 0) ends_.emplace_back(pid, status);
    }
    int pid_of(std::string_view name) const {
        for (const auto& [pid, each] : running)
            if (each == name) return pid;
        return 0;
    }
    int count(std::string_view name) const {
        int number = 0;
        for (const auto& [pid, each] : running) number += each == name;
        return number;
    }

    std::deque<std::function<void(InitEvents&)>> news;  // signals and requests
    std::map<int, std::string> running;                 // by process id: the entry
    std::vector<std::string> starts, notes, logs_kept;
    std::map<std::string, bool> logged;
    std::map<std::string, bool> short_lived;
    std::vector<LoginRecord> records;
    int forks_to_fail = 0;

  private:
    template <class Each>
    static Each take(std::deque<Each>& queue) {
        const FailingMemory::Pause memory;
        auto first = std::move(queue.front());
        queue.pop_front();
        return first;
    }

    FakeClock& clock_;
    std::deque<std::pair<int, int>> ends_;
    std::vector<Error> problems_;
    int next_pid_ = 100;
};

}  // namespace diskless
