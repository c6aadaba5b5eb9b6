#include "common/os/processes_linux.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <exception>
#include <new>

#include "common/base/text.hpp"
#include "common/os/child_result.hpp"
#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"

namespace diskless {

namespace {

constexpr int kLastStandardSignal = 31;  // signal(7); nobody ignores real-time signals on behalf of another program
using SignalActions = std::array<struct sigaction, kLastStandardSignal + 1>;

/// Also what a caller has ignored (nohup), which a new program would inherit.
void make_signals_plain(SignalActions* before) noexcept {
    struct sigaction plain {};
    plain.sa_handler = SIG_DFL;
    for (int number = 1; number <= kLastStandardSignal; ++number)
        sigaction(number, &plain, before == nullptr ? nullptr : &(*before)[static_cast<unsigned>(number)]);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void reset_signals() noexcept { make_signals_plain(nullptr); }

namespace {

constexpr std::size_t kMostResult = std::size_t{64} << 20;  // bytes a child may hand back
constexpr Milliseconds kDeathTime{500};                     // SIGKILL to gone, when nothing hangs in the kernel
constexpr Seconds kUntilReplaced{5};  // or for good: the program was not executed, or takes long to be read
constexpr Milliseconds kLook{10};     // between looks on kernels without pidfd_open (before 5.3)

constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Blocks all signals around a fork, so that none of the parent's handlers runs in the child.
class SignalsBlocked {
  public:
    SignalsBlocked() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_{};
};

struct Pipe {
    Descriptor read_end, write_end;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("pipe");
    return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

/// Readable when the process has ended; empty on kernels that cannot.
Descriptor open_pidfd(int pid) { return Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0U))); }

enum class Collected { running, ended, elsewhere };

Collected collect(int pid, int& status) noexcept {
    for (;;) {
        const int got = waitpid(pid, &status, WNOHANG);
        if (got == pid) return Collected::ended;
        if (got == 0) return Collected::running;
        if (errno != EINTR) return Collected::elsewhere;
    }
}

/// Waits for the end of a child and collects it.
Collected collect_until(int pid, const Descriptor& pidfd, int& status, Deadline deadline) noexcept {
    for (;;) {
        const auto state = collect(pid, status);
        if (state != Collected::running || deadline.passed(linux_clock())) return state;
        if (pidfd) {
            pollfd end{pidfd.get(), POLLIN, 0};
            poll_until(&end, 1, deadline);
        } else {
            linux_clock().sleep(std::min<Nanoseconds>(kLook, deadline.left(linux_clock())));
        }
    }
}

std::string describe_end(Collected state, int status) {
    if (state != Collected::ended) return "ended without a result";
    if (WIFSIGNALED(status)) {
        const char* name = sigdescr_np(WTERMSIG(status));
        return fmt::format("killed by signal {} ({})", WTERMSIG(status), name == nullptr ? "unknown" : name);
    }
    return fmt::format("ended without a result (exit status {})", WEXITSTATUS(status));
}

enum class Reading { open, closed, too_much };

Reading read_available(int pipe, std::string& bytes) {
    std::array<char, 65536> chunk;
    for (;;) {
        const auto got = read(pipe, chunk.data(), chunk.size());
        if (got > 0) bytes.append(chunk.data(), static_cast<std::size_t>(got));
        if (bytes.size() > kMostResult) return Reading::too_much;
        if (got == 0) return Reading::closed;
        if (got < 0 && errno == EAGAIN) return Reading::open;
        if (got < 0 && errno != EINTR) return Reading::closed;
    }
}

[[noreturn]] void be_the_child(const std::function<Result<std::string>()>& work, int pipe) noexcept {
    setpgid(0, 0);  // so that what it starts dies with it
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    reset_signals();
    std::signal(SIGPIPE, SIG_IGN);
    Result<std::string> result;
    try {
        result = work();
    } catch (const std::exception& problem) {
        result = fail(fmt::format("unexpected: {}", problem.what()));
    } catch (...) {
        result = fail("unexpected failure");
    }
    const auto bytes = pack_result(result);
    // _exit: neither the parent's buffers nor its static objects are this process's to finish
    _exit(write_all(pipe, bytes.data(), bytes.size()) ? 0 : 1);
}

struct ProgramText {
    ProgramText(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
        for (const auto& text : arguments) argv.push_back(const_cast<char*>(text.c_str()));
        for (const auto& text : environment) envp.push_back(const_cast<char*>(text.c_str()));
        if (environment.empty()) envp.push_back(const_cast<char*>(kPath));
        argv.push_back(nullptr);
        envp.push_back(nullptr);
    }
    std::vector<char*> argv, envp;
};

struct ExecFailure {
    bool console;
    int code;
};

/// Until this pipe's other end, which execve(2) closes in the parent, is closed.
void wait_until_replaced(int pipe) noexcept {
    pollfd parent{pipe, POLLIN, 0};
    (void)poll_until(&parent, 1, Deadline::after(linux_clock(), kUntilReplaced));
}

/// Where nobody waits for the outcome any more.
void say_not_executed(const char* path, int code) noexcept {
    char line[256];
    const int length =
        std::snprintf(line, sizeof line, "<4>diskless: start %.128s: %s, continuing\n", path, strerrordesc_np(code));
    const Descriptor log(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
    if (log && length > 0) write_all(log.get(), line, std::min(static_cast<std::size_t>(length), sizeof line - 1));
}

/// Between fork and exec: no allocation, no lock.
[[noreturn]] void be_the_program(const char* path, const ProgramText& text, const char* console, int pipe) noexcept {
    const auto give_up = [&](bool at_console) {
        const ExecFailure failure{at_console, errno};
        if (pipe < 0) say_not_executed(path, failure.code);
        write_all(pipe, reinterpret_cast<const char*>(&failure), sizeof failure);
        _exit(127);
    };
    setsid();
    reset_signals();
    if (*console != '\0') {
        const int terminal = open(console, O_RDWR | O_NOCTTY);
        if (terminal < 0) give_up(true);
        ioctl(terminal, TIOCSCTTY, 1);  // 1: take it from whoever has it; fails for what is no terminal, which is fine
        for (int fd = 0; fd < 3; ++fd)
            if (dup2(terminal, fd) < 0) give_up(true);
        if (terminal > 2) close(terminal);
    }
    execve(path, text.argv.data(), text.envp.data());
    give_up(false);
    _exit(127);
}

}  // namespace

void LinuxProcesses::abandon(int pid) {
    const std::lock_guard lock(mutex_);
    abandoned_.push_back(pid);
}

std::size_t LinuxProcesses::abandoned() {
    const std::lock_guard lock(mutex_);
    std::erase_if(abandoned_, [](int pid) {
        int status = 0;
        return collect(pid, status) != Collected::running;
    });
    return abandoned_.size();
}

Result<std::string> LinuxProcesses::in_child(std::string_view what, Deadline deadline,
                                             const std::function<Result<std::string>()>& work) {
    return in_watched_child(what, deadline, {}, work);
}

Result<std::string> LinuxProcesses::in_watched_child(std::string_view what, Deadline deadline, const Watch& watch,
                                                     const std::function<Result<std::string>()>& work) {
    abandoned();
    auto pipe = TRY_TO(what, make_pipe());
    int pid = -1;
    {
        const SignalsBlocked blocked;
        pid = fork();
        if (pid == 0) {
            pipe.read_end.reset();
            be_the_child(work, pipe.write_end.get());
        }
    }
    if (pid < 0) return fail_errno(fmt::format("{}: fork", what));
    pipe.write_end.reset();
    setpgid(pid, pid);  // whoever comes first
    const auto pidfd = open_pidfd(pid);
    fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK);

    // The end of the pipe is no sure sign of the child's end: a child of another thread, forked in between, holds the
    // writing end too. The pidfd is; and a whole result is as good.
    std::string bytes;
    std::optional<Result<std::string>> result;
    int status = 0;
    auto state = Collected::running;
    auto reading = Reading::open;
    bool in_time = true;
    const auto next_look = [&] {
        return watch.go_on ? Deadline::after(linux_clock(), watch.every).sooner_of(deadline) : deadline;
    };
    auto look_at = next_look();
    while (state == Collected::running && in_time) {
        std::array<pollfd, 2> news{{{pipe.read_end.get(), POLLIN, 0}, {pidfd.get(), POLLIN, 0}}};
        if (reading == Reading::closed) news[0].fd = -1;  // poll(2) passes over negative descriptors
        const auto until = pidfd ? look_at : look_at.sooner_of(Deadline::after(linux_clock(), kLook));
        poll_until(news.data(), news.size(), until);
        in_time = !deadline.passed(linux_clock());
        state = collect(pid, status);  // before reading: what an ended child wrote is all there
        if (reading == Reading::open) reading = read_available(pipe.read_end.get(), bytes);
        if (reading == Reading::too_much) break;
        if ((result = unpack_result(bytes))) break;
        if (state == Collected::running && in_time && watch.go_on && look_at.passed(linux_clock())) {
            in_time = watch.go_on(pid);
            look_at = next_look();
        }
    }

    if (state == Collected::running) {
        // A child that has handed its result over may still hang in exit, closing a file on a dead server.
        if (result) state = collect_until(pid, pidfd, status, Deadline::after(linux_clock(), kDeathTime));
        if (state == Collected::running) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            state = collect_until(pid, pidfd, status, Deadline::after(linux_clock(), kDeathTime));
        }
        if (state == Collected::running) abandon(pid);
    }
    if (result) return std::move(*result);
    if (reading == Reading::too_much)
        return fail(fmt::format("{}: the result is larger than {} MiB", what, kMostResult >> 20), {}, EMSGSIZE);
    if (!in_time)
        return fail(state == Collected::running
                        ? fmt::format("{}: did not end in time; process {} hangs in the kernel and is left", what, pid)
                        : fmt::format("{}: did not end in time", what),
                    {}, ETIMEDOUT);
    return fail(fmt::format("{}: {}", what, describe_end(state, status)));
}

void LinuxProcesses::note_executed(const std::string& path) noexcept {
    try {
        const std::lock_guard lock(mutex_);
        executed_.push_back(path);
    } catch (const std::bad_alloc&) {  // it runs: whoever was told of an error would start another
    }
}

Result<int> LinuxProcesses::spawn(const SpawnRequest& request) {
    const auto what = "start " + printable(request.path);
    const ProgramText text(request.arguments, request.environment);
    auto pipe = TRY_TO(what, make_pipe());
    int pid = -1;
    {
        const SignalsBlocked blocked;
        pid = fork();
        if (pid == 0) {
            if (request.when_replaced) {
                pipe.write_end.reset();
                wait_until_replaced(pipe.read_end.get());
            }
            be_the_program(request.path.c_str(), text, request.console.c_str(), pipe.write_end.get());
        }
    }
    if (pid < 0) return fail_errno(what + ", fork");
    if (request.when_replaced) {
        pipe.write_end.release();  // as long as this program runs
        note_executed(request.path);
        return pid;
    }
    pipe.write_end.reset();

    // exec closes the pipe, a failure comes through it. A child forked by another thread in between may hold it open
    // until it ends, so the wait is bounded; silence means that the program runs.
    ExecFailure failure{};
    pollfd news{pipe.read_end.get(), POLLIN, 0};
    const bool spoke = poll_until(&news, 1, Deadline::after(linux_clock(), Seconds{2})) > 0 &&
                       read(pipe.read_end.get(), &failure, sizeof failure) == sizeof failure;
    if (spoke) {
        int status = 0;
        collect_until(pid, open_pidfd(pid), status, Deadline::after(linux_clock(), kDeathTime));
        return fail_errno(failure.console ? what + ", open " + printable(request.console) : what, failure.code,
                          failure.code == ENOENT && !failure.console
                              ? "the program, its #! interpreter or its dynamic loader is missing"
                              : "");
    }
    note_executed(request.path);
    return pid;
}

Result<int> LinuxProcesses::wait(int pid, Deadline deadline) {
    int status = 0;
    switch (collect_until(pid, open_pidfd(pid), status, deadline)) {
        case Collected::ended:
            return status;
        case Collected::running:
            return fail_errno(fmt::format("wait for process {}", pid), ETIMEDOUT);
        case Collected::elsewhere:
            break;
    }
    return fail_errno(fmt::format("wait for process {}", pid), ECHILD);
}

Error LinuxProcesses::execute(const std::string& path, const std::vector<std::string>& arguments,
                              const std::vector<std::string>& environment) {
    const ProgramText text(arguments, environment);
    // Not noted in executed_: when it succeeds, nobody is left to ask.
    // A program inherits ignored and blocked signals: it must start with none. This process goes on when exec fails, so
    // they come back then.
    SignalActions actions{};
    sigset_t mask;
    sigprocmask(SIG_SETMASK, nullptr, &mask);
    make_signals_plain(&actions);
    execve(path.c_str(), text.argv.data(), text.envp.data());
    const int code = errno;
    for (int number = 1; number <= kLastStandardSignal; ++number)
        sigaction(number, &actions[static_cast<unsigned>(number)], nullptr);
    sigprocmask(SIG_SETMASK, &mask, nullptr);

    return fail_errno("run " + printable(path), code,
                      code == ENOENT ? "the program, its #! interpreter or its dynamic loader is missing" : "")
        .value();
}

int LinuxProcesses::own_pid() const { return getpid(); }

Result<> LinuxProcesses::signal(int pid, int signal_number) {
    if (kill(pid, signal_number) != 0) return fail_errno(fmt::format("signal {} to process {}", signal_number, pid));
    return {};
}

std::vector<std::string> LinuxProcesses::executed() const {
    const std::lock_guard lock(mutex_);
    return executed_;
}

}  // namespace diskless
