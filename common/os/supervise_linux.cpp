#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/supervise.hpp"

namespace diskless {

namespace {
constexpr std::size_t kLongestLine = 4096;  // bytes; what is longer comes in parts
using Clock = std::chrono::steady_clock;

/// SIGINT, SIGTERM, SIGHUP and SIGCHLD as bytes of a descriptor, as long as it lives.
class Signals {
  public:
    Signals() {
        sigset_t wanted;
        sigemptyset(&wanted);
        for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&wanted, number);
        ::sigprocmask(SIG_BLOCK, &wanted, &before_);
        file_ = Descriptor(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

    int get() const { return file_.get(); }
    const sigset_t& before() const { return before_; }
    /// 0: none waits.
    int take() const {
        signalfd_siginfo info;
        return ::read(file_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
    }

  private:
    sigset_t before_;
    Descriptor file_;
};

struct Running {
    const ServerProcess* server = nullptr;
    pid_t pid = -1;  // -1: has ended
    Descriptor output;
    std::string unfinished, last_line;
};

class Group {
  public:
    Group(const SuperviseHooks& hooks, std::chrono::milliseconds patience) : hooks_(hooks), patience_(patience) {}
    ~Group() {
        for (auto& one : running_) end(one, SIGKILL);
        for (auto& one : running_)
            if (one.pid > 0) (void)::waitpid(one.pid, nullptr, 0);
    }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    Result<> start(const ServerProcess& server) {
        running_.push_back(TRY(launch(server)));
        return {};
    }

    /// Until a signal or a server ends it.
    Result<> stay() {
        for (;;) {
            wait(-1);
            while (const int number = signals_.take()) {
                if (number == SIGINT || number == SIGTERM) return {};
                if (number == SIGHUP) TRY(reload());
            }
            for (auto& one : running_)
                if (int status = 0; one.pid > 0 && ::waitpid(one.pid, &status, WNOHANG) == one.pid) {
                    one.pid = -1;
                    drain(one);
                    return ended(one, status);
                }
        }
    }

    void stop() {
        for (auto& one : running_) end(one, SIGTERM);
        const auto deadline = Clock::now() + patience_;
        for (auto& one : running_) await_end(one, deadline);
    }

  private:
    Result<Running> launch(const ServerProcess& server) const {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
        Running one;
        one.server = &server;
        one.output = Descriptor(ends[0]);
        const Descriptor writes(ends[1]);
        ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
        const auto parent = ::getpid();
        one.pid = ::fork();
        if (one.pid < 0) return fail_errno("fork for " + server.name);
        if (one.pid == 0) become(server, writes.get(), parent);
        return one;
    }

    [[noreturn]] void become(const ServerProcess& server, int output, pid_t parent) const noexcept {
        std::vector<char*> argv;
        for (const auto& argument : server.command) argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        ::setpgid(0, 0);  // Ctrl-C of the terminal is for us: we end it
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != parent) ::_exit(127);
        const int null = ::open("/dev/null", O_RDONLY);
        ::dup2(null, STDIN_FILENO);
        ::dup2(output, STDOUT_FILENO);
        ::dup2(output, STDERR_FILENO);
        // nohup(1) ignores it for us, and a shell cannot trap what it found ignored
        ::signal(SIGHUP, SIG_DFL);
        ::sigprocmask(SIG_SETMASK, &signals_.before(), nullptr);
        ::execv(argv[0], argv.data());
        ::dprintf(STDERR_FILENO, "cannot be started: %s\n", error_text(errno).c_str());
        ::_exit(127);
    }

    /// For output, and for signals when it waits without end.
    void wait(int milliseconds) {
        std::vector<pollfd> waiting{{milliseconds < 0 ? signals_.get() : -1, POLLIN, 0}};
        for (const auto& one : running_) waiting.push_back({one.output ? one.output.get() : -1, POLLIN, 0});
        (void)::poll(waiting.data(), waiting.size(), milliseconds);
        for (auto& one : running_) drain(one);
    }

    void drain(Running& one) {
        char bytes[4096];
        while (one.output) {
            const auto got = ::read(one.output.get(), bytes, sizeof bytes);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return;  // no more for now
            if (got == 0) one.output.reset();
            one.unfinished.append(bytes, static_cast<std::size_t>(got > 0 ? got : 0));
            tell_lines(one, got == 0);
        }
    }

    void tell_lines(Running& one, bool all) {
        auto& text = one.unfinished;
        for (std::size_t end; !text.empty();) {
            end = text.find('\n');
            if (end == std::string::npos && !all && text.size() < kLongestLine) return;
            const auto line = printable(trim(std::string_view(text).substr(0, std::min(end, kLongestLine))));
            text.erase(0, end < kLongestLine ? end + 1 : kLongestLine);
            if (line.empty()) continue;
            one.last_line = line;
            hooks_.log(one.server->name, line);
        }
    }

    Result<> reload() {
        if (hooks_.reload) hooks_.reload();
        for (auto& one : running_) {
            if (!one.server->restarts) {
                end(one, SIGHUP);
                continue;
            }
            end(one, SIGTERM);
            await_end(one, Clock::now() + patience_);
            one = TRY(launch(*one.server));
        }
        return {};
    }

    void await_end(Running& one, Clock::time_point deadline) {
        while (one.pid > 0 && ::waitpid(one.pid, nullptr, WNOHANG) != one.pid) {
            if (Clock::now() >= deadline) {
                hooks_.log(one.server->name, fmt::format("does not end within {} ms: killed", patience_.count()));
                end(one, SIGKILL);
                (void)::waitpid(one.pid, nullptr, 0);
                break;
            }
            wait(20);
        }
        one.pid = -1;
        drain(one);
    }

    static void end(Running& one, int number) {
        if (one.pid > 0) ::kill(one.pid, number);
    }

    static Failure ended(const Running& one, int status) {
        const auto how = WIFEXITED(status) ? fmt::format("exit status {}", WEXITSTATUS(status))
                                           : fmt::format("signal {}", WTERMSIG(status));
        return fail(fmt::format("{} ended by itself ({}){}{}", one.server->name, how, one.last_line.empty() ? "" : ": ",
                                one.last_line),
                    "its lines above tell more");
    }

    const SuperviseHooks& hooks_;
    std::chrono::milliseconds patience_;
    Signals signals_;
    std::vector<Running> running_;
};
}  // namespace

Result<> supervise(const std::vector<ServerProcess>& servers, const SuperviseHooks& hooks,
                   std::chrono::milliseconds patience) {
    Group group(hooks, patience);
    for (const auto& server : servers)
        if (auto started = group.start(server); !started) {
            group.stop();
            return started;
        }
    if (hooks.started) hooks.started();
    auto result = group.stay();
    group.stop();
    return result;
}

}  // namespace diskless
