#include "common/os/init_process_linux.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/kd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <utility>

#include "common/base/text.hpp"
#include "common/os/anchors.hpp"
#include "common/os/clock_linux.hpp"
#include "common/os/machine_linux.hpp"
#include "common/os/processes_linux.hpp"

namespace diskless {

namespace {

constexpr const char* kCgroups = "/sys/fs/cgroup";
constexpr const char* kOurs = "/sys/fs/cgroup/diskless";
constexpr long kCgroup2Magic = 0x63677270;
constexpr int kMostAtOnce = 256;  // children collected, signals read before others have their turn

/// All that a program or the kernel may send to PID 1. What means a crash is not among them.
sigset_t listened_to() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP, SIGQUIT, SIGPWR, SIGWINCH, SIGPIPE,
                             SIGALRM, SIGCONT, SIGTSTP})
        sigaddset(&set, number);
    for (int number = 34; number <= 34 + 6; ++number) sigaddset(&set, number);  // systemd's SIGRTMIN+n
    return set;
}

bool write_file(const std::string& path, std::string_view text) {
    const At at(path);
    const Descriptor file(openat(at.directory, at.path, O_WRONLY | O_CLOEXEC | O_NOCTTY));
    return file && write_all(file.get(), text.data(), text.size());
}

std::string cgroup_of(const std::string& name) { return std::string(kOurs) + "/" + name; }

/// The same where there may be no memory.
struct CgroupPath {
    char text[256];
    CgroupPath(const std::string& name, const char* file) noexcept {
        std::snprintf(text, sizeof text, "%s/%s%s", kOurs, name.c_str(), file);
    }
};

}  // namespace

LinuxInitProcess::LinuxInitProcess(Options options) {
    const auto set = listened_to();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signals_ = Descriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) problems_.push_back(fail_errno("signalfd").value());
    if (getpid() == 1) {
        if (reboot(RB_DISABLE_CAD) != 0) problems_.push_back(fail_errno("have Ctrl-Alt-Del sent to us").value());
        // Alt+Up on a local keyboard; a node without one has no /dev/tty0.
        const At at("/dev/tty0");
        const Descriptor keyboard(openat(at.directory, at.path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
        if (keyboard) ioctl(keyboard.get(), KDSIGACCEPT, SIGWINCH);
    }
    if (!write_file("/proc/self/oom_score_adj", "-1000"))
        problems_.push_back(fail_errno("/proc/self/oom_score_adj").value());
    open_fifo();
    if (options.cgroups) prepare_cgroups();
    if (auto opened = logs_.open(options.logs); !opened) problems_.push_back(std::move(opened.error()));
}

void LinuxInitProcess::open_fifo() {
    anchor_api_directories();  // all of /run may be another one
    const std::string path(kInitctl);
    const At at(path);
    struct stat found {};
    if (fstatat(at.directory, at.path, &found, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISFIFO(found.st_mode))
        unlinkat(at.directory, at.path, 0);
    if (mkfifoat(at.directory, at.path, 0600) != 0 && errno != EEXIST) {
        problems_.push_back(fail_errno("make " + path, errno, "telinit does not work; signals do").value());
        return;
    }
    // Writing, too: the fifo never ends then.
    fifo_ = Descriptor(openat(at.directory, at.path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
    if (!fifo_) problems_.push_back(fail_errno("open " + path).value());
}

void LinuxInitProcess::prepare_cgroups() {
    struct statfs found {};
    if (statfs(kCgroups, &found) != 0) return;  // a kernel without them
    if (found.f_type != kCgroup2Magic &&
        mount("cgroup2", kCgroups, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
        return;
    has_cgroups_ = mkdir(kOurs, 0755) == 0 || errno == EEXIST;
}

namespace {
/// One event without memory must not take the others with it: they are told once.
template <class Tell>
void fenced(const Tell& tell) noexcept {
    try {
        tell();
    } catch (const std::exception&) {  // its receiver has said what it could
    }
}
}  // namespace

void LinuxInitProcess::turn(Deadline deadline, InitEvents& events) {
    std::array<pollfd, 2 + kMostServiceLogs> news{{{signals_.get(), POLLIN, 0}, {fifo_.get(), POLLIN, 0}}};
    bool listens = linux_clock().now() >= logs_due_;
    if (listens)
        logs_.poll_for(news.data() + 2);
    else
        deadline = deadline.sooner_of({logs_due_});
    if (std::exchange(more_, false)) deadline = {linux_clock().now()};
    poll_until(news.data(), 2 + (listens ? logs_.count() : 0), deadline);
    for (int i = 0; i < kMostAtOnce; ++i) {
        signalfd_siginfo info{};
        if (read(signals_.get(), &info, sizeof info) != sizeof info) break;
        if (info.ssi_signo == SIGCHLD)
            listens = true;  // last words come before the end
        else
            fenced([&] { events.signal(static_cast<int>(info.ssi_signo)); });
    }
    if (listens) logs_due_ = logs_.take() ? linux_clock().now() + ServiceLogs::kPause : Nanoseconds{0};
    // Not by SIGCHLD: several ends may be one signal, and one may have come before this program was executed anew.
    for (int i = 0; i < kMostAtOnce; ++i) {
        int status = 0;
        const int pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0 && errno == EINTR) continue;
        if (pid <= 0) break;
        fenced([&] { events.child_ended(pid, status); });
        more_ = i + 1 == kMostAtOnce;
    }
    if (fifo_) fenced([&] { read_fifo(events); });
}

void LinuxInitProcess::read_fifo(InitEvents& events) {
    std::array<char, 16 * kInitRequestSize> bytes;
    const auto got = read(fifo_.get(), bytes.data(), bytes.size());
    if (got <= 0) return;
    // Requests are shorter than PIPE_BUF, so each comes whole; what does not fit is not a request and is thrown away.
    std::string_view rest(bytes.data(), static_cast<std::size_t>(got));
    for (; rest.size() >= kInitRequestSize; rest.remove_prefix(kInitRequestSize))
        fenced([&] {
            if (const auto request = parse_init_request(rest.substr(0, kInitRequestSize))) events.request(*request);
        });
}

int LinuxInitProcess::fork_plain() {
    const int pid = fork();
    if (pid != 0) return pid;
    setsid();
    reset_signals();
    write_file("/proc/self/oom_score_adj", "0");
    return 0;
}

void LinuxInitProcess::become(const ServiceStart& start) const {
    LinuxMachine machine;
    if (has_cgroups_) {
        const auto cgroup = cgroup_of(start.name);
        mkdir(cgroup.c_str(), 0755);
        write_file(cgroup + "/cgroup.procs", "0\n");
    }
    int terminal = -1;
    for (const auto& path : {start.terminal.empty() ? std::string() : "/dev/" + start.terminal,
                             std::string("/dev/console"), std::string("/dev/null")}) {
        if (path.empty()) continue;
        terminal = open(path.c_str(), O_RDWR | O_NOCTTY);
        if (terminal >= 0) break;
        machine.say(4, fmt::format("inittab {}: {}: {}", start.name, path, error_text(errno)));
    }
    if (start.controlling && terminal >= 0) {
        ioctl(terminal, TIOCSCTTY, 1);
        tcsetpgrp(terminal, getpid());
    }
    for (int fd = 0; fd < 3 && terminal >= 0; ++fd) dup2(terminal, fd);
    if (terminal > 2) close(terminal);
    if (start.logged) logs_.become_output_of(start.name);
    if (start.ask_first) {
        constexpr std::string_view kAsk = "\nPlease press Enter to activate this console. ";
        write_all(1, kAsk.data(), kAsk.size());
        char c = '\0';
        while (read(0, &c, 1) == 1 && c != '\n' && c != '\r') {
        }
        if (c != '\n' && c != '\r') _exit(0);
    }
    std::vector<char*> arguments, environment;
    for (const auto& text : start.arguments) arguments.push_back(const_cast<char*>(text.c_str()));
    for (const auto& text : start.environment) environment.push_back(const_cast<char*>(text.c_str()));
    arguments.push_back(nullptr);
    environment.push_back(nullptr);
    execve(start.path.c_str(), arguments.data(), environment.data());
    if (errno == ENOEXEC) {  // a script without "#!"
        arguments[0] = const_cast<char*>(start.path.c_str());
        arguments.insert(arguments.begin(), const_cast<char*>("sh"));
        execve("/bin/sh", arguments.data(), environment.data());
    }
    machine.say(3, fmt::format("inittab {}: cannot run {}: {}", start.name, printable(start.path), error_text(errno)));
    _exit(127);
}

Result<int> LinuxInitProcess::start(const ServiceStart& request) {
    if (request.logged) logs_.add(request.name);
    const int pid = fork_plain();
    if (pid < 0) return fail_errno("fork for " + printable(request.path));
    if (pid == 0) {
        try {
            if (chdir("/") == 0) become(request);
        } catch (const std::exception&) {  // never back into what PID 1 does
        }
        _exit(127);
    }
    return pid;
}

void LinuxInitProcess::signal(const std::string& name, int pid, int number) noexcept {
    kill(-pid, number);
    kill(pid, number);
    if (number == SIGTERM) kill(-pid, SIGCONT);
    if (number == SIGKILL && has_cgroups_) {
        const CgroupPath path(name, "/cgroup.kill");
        const At at(path.text);
        const Descriptor all(openat(at.directory, at.path, O_WRONLY | O_CLOEXEC | O_NOCTTY));
        if (all) write_all(all.get(), "1", 1);  // Linux 5.14
    }
}

void LinuxInitProcess::forget(const std::string& name) noexcept {
    if (!has_cgroups_) return;
    const CgroupPath path(name, "");
    const At at(path.text);
    unlinkat(at.directory, at.path, AT_REMOVEDIR);
}

int LinuxInitProcess::record(const std::vector<LoginRecord>& records) {
    const int pid = fork_plain();
    if (pid != 0) return pid < 0 ? 0 : pid;
    try {
        write_login_records(records);
    } catch (const std::exception&) {
    }
    _exit(0);
}

}  // namespace diskless
