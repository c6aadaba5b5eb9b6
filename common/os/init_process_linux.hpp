// What only PID 1 has to do with the kernel: every child and orphan is its to collect, signals are requests to it, and
// programs are started so that they can be logged in to.
//
// Nothing here waits for a file system that may be on NFS: what opens a file of the root does so in the child.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "common/os/descriptor.hpp"
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
};

class InitProcess {
  public:
    /// Blocks the signals it listens to (they stay blocked over exec, so that none is lost there), has Ctrl-Alt-Del
    /// sent as SIGINT, makes /run/initctl, and (`with_cgroups`) mounts the cgroup hierarchy where there is none. What
    /// fails is told by problems(); a PID 1 must go on without.
    explicit InitProcess(bool with_cgroups = true);

    /// Waits until something has happened, and tells `events` of all of it.
    void turn(Deadline deadline, InitEvents& events);

    /// Forks and returns at once. That the program cannot be executed is said by the child on the kernel's log, and
    /// shows as exit status 127.
    Result<int> start(const ServiceStart& start);
    /// To its process group; SIGKILL to all that its cgroup holds.
    void signal(const std::string& name, int pid, int number);
    /// Removes its cgroup, when it is empty.
    void forget(const std::string& name);
    /// A child that does `work` in this program and ends; nobody waits for it. 0 when it could not be forked.
    template <class Work>
    int in_background(Work work) {
        const int pid = fork_plain();
        if (pid != 0) return pid < 0 ? 0 : pid;
        work();
        _exit(0);
    }

    /// Makes /run/initctl anew: something may have been mounted over it.
    void open_fifo();

    const std::vector<Error>& problems() const { return problems_; }

  private:
    static int fork_plain();
    void prepare_cgroups();
    void read_fifo(InitEvents& events);
    [[noreturn]] void become(const ServiceStart& start) const;

    Descriptor signals_, fifo_;
    bool has_cgroups_ = false;
    std::vector<Error> problems_;
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

/// Writes them to utmp (/var/run/utmp, else /run/utmp; made when it is not there) and wtmp (left alone when it is not
/// there). The files may be on NFS: call it in a child.
void write_login_records(const std::vector<LoginRecord>& records, const char* utmp = nullptr,
                         const char* wtmp = "/var/log/wtmp");

}  // namespace diskless
