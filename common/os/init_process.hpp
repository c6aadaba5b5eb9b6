// What only PID 1 has to do with the kernel: every child and orphan is its to collect, signals are requests to it, and
// programs are started so that they can be logged in to.
//
// Nothing here waits for a file system that may be on NFS: what opens a file of the root does so in the child.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "common/os/init_request.hpp"

namespace diskless {

class InitEvents {
  public:
    virtual ~InitEvents() = default;
    virtual void signal(int number) = 0;  // but SIGCHLD
    /// `status` as of waitpid(2).
    virtual void child_ended(int pid, int status) = 0;
    virtual void request(const InitRequest& request) = 0;
};

/// Refers to what the caller keeps until start() has returned.
struct ServiceStart {
    const std::string& name;  // of its cgroup; no slash
    const std::string& path;
    const std::vector<std::string>& arguments;
    const std::vector<std::string>& environment;
    const std::string& terminal;  // "ttyS0"; empty, or not to be had: the console
    bool controlling = false;     // the terminal becomes its controlling terminal, taken from whoever has it
    bool ask_first = false;       // "press Enter" before it begins
    bool logged = false;          // what it prints goes to its log, not to the terminal
};

/// A line of utmp and wtmp (utmp(5)).
struct LoginRecord {
    enum class Kind { boot, run_level, started, ended, shutdown } kind = Kind::boot;
    char id[4] = {};  // started, ended: of the entry; not ended by a zero when it is full
    int pid = 0;
    char level = '\0', before = '\0';  // run_level
    int status = 0;                    // ended
    Nanoseconds time{0};               // since 1970
};

class InitProcess {
  public:
    virtual ~InitProcess() = default;
    /// Waits until something has happened, and tells `events` of all of it. What an event throws is fenced: those after
    /// it are told all the same.
    virtual void turn(Deadline deadline, InitEvents& events) = 0;

    /// Forks and returns at once. That the program cannot be executed is said by the child on the kernel's log, and
    /// shows as exit status 127. An error: there was no process to be had.
    virtual Result<int> start(const ServiceStart& start) = 0;
    /// To its process group; SIGKILL to all that its cgroup holds.
    virtual void signal(const std::string& name, int pid, int number) noexcept = 0;
    /// Removes its cgroup, when it is empty.
    virtual void forget(const std::string& name) noexcept = 0;
    /// A line of PID 1's own into the log of that name, when there is one.
    virtual void note(std::string_view name, std::string_view line) noexcept = 0;
    /// The logs of all others may make room for new ones, once nobody writes to them any more.
    virtual void keep_logs_of(const std::vector<std::string>& names) noexcept = 0;
    /// Writes them in a child, which nobody waits for; its id, 0 when it could not be forked.
    virtual int record(const std::vector<LoginRecord>& records) = 0;

    /// Makes /run/initctl anew: something may have been mounted over it.
    virtual void open_fifo() = 0;

    virtual const std::vector<Error>& problems() const = 0;
};

}  // namespace diskless
