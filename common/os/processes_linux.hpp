// Children that may hang, and programs.
//
// in_child() forks, so only the calling thread exists in the child: glibc keeps malloc usable there, other locks of the
// parent may be held for ever. Work that opens files, mounts or copies is fine; work that logs through the parent's
// objects is not.
//
// Beside PID 1's own reaping (waitpid(-1)): a child that is collected elsewhere ends the wait all the same. in_child()
// needs only the bytes the child wrote; wait() then fails with ECHILD, so a supervisor must be the only one who reaps,
// or leave the processes that others wait for alone.
#pragma once

#include <mutex>

#include "common/os/processes.hpp"

namespace diskless {

/// A child starts with no signal blocked, handled or ignored, whatever the parent does with them.
void reset_signals() noexcept;

class LinuxProcesses final : public Processes {
  public:
    Result<std::string> in_child(std::string_view what, Deadline deadline,
                                 const std::function<Result<std::string>()>& work) override;
    Result<std::string> in_watched_child(std::string_view what, Deadline deadline, const Watch& watch,
                                         const std::function<Result<std::string>()>& work) override;
    Result<int> spawn(const SpawnRequest& request) override;
    Result<int> wait(int pid, Deadline deadline) override;
    Error execute(const std::string& path, const std::vector<std::string>& arguments,
                  const std::vector<std::string>& environment) override;
    int own_pid() const override;
    Result<> signal(int pid, int signal_number) override;
    std::vector<std::string> executed() const override;

    /// Children that did not die of SIGKILL when their time was up: they hang in the kernel. Collects those that have
    /// died since; how many are left.
    std::size_t abandoned();

  private:
    void abandon(int pid);
    void note_executed(const std::string& path) noexcept;

    mutable std::mutex mutex_;
    std::vector<std::string> executed_;
    std::vector<int> abandoned_;
};

}  // namespace diskless
