// PID 1 on the real kernel: a process namespace in which the test's child is it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <csignal>
#include <cstring>
#include <functional>

#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/emergency.hpp"
#include "common/os/init_process_linux.hpp"
#include "common/os/machine_linux.hpp"

namespace diskless {
namespace {

struct Seen : InitEvents {
    std::vector<int> signals;
    std::vector<std::pair<int, int>> children;
    std::vector<InitRequest> requests;
    void signal(int number) override { signals.push_back(number); }
    void child_ended(int pid, int status) override { children.emplace_back(pid, status); }
    void request(const InitRequest& request) override { requests.push_back(request); }
};

/// Runs `life` as PID 1 of a namespace with a /proc, /run and /dev/null of its own; its exit status, 99 without
/// namespaces.
int as_init(const std::function<int()>& life) {
    const int outer = fork();
    if (outer == 0) {
        if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) _exit(99);
        const int init = fork();
        if (init == 0) {
            mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
            if (mount("proc", "/proc", "proc", 0, nullptr) != 0 || mount("run", "/run", "tmpfs", 0, nullptr) != 0)
                _exit(99);
            alarm(60);
            _exit(life());
        }
        int status = 0;
        waitpid(init, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 98);
    }
    int status = 0;
    waitpid(outer, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

#define RUN_AS_INIT(...)                                           \
    const int result = as_init(__VA_ARGS__);                       \
    if (result == 99) GTEST_SKIP() << "no process namespace here"; \
    EXPECT_EQ(result, 0) << "number of the check that failed, 97 and 98: it died"

/// Turns until `done`, at most ten seconds.
bool until(InitProcess& init, Seen& seen, const std::function<bool()>& done) {
    const auto deadline = Deadline::after(linux_clock(), Seconds{10});
    while (!done() && !deadline.passed(linux_clock())) init.turn(deadline, seen);
    return done();
}

TEST(InitProcess, CollectsAThousandOrphans) {
    RUN_AS_INIT([] {
        LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});  // cgroups are the whole machine's
        Seen seen;
        const int parent = fork();
        if (parent == 0) {
            for (int i = 0; i < 1000; ++i)
                if (fork() == 0) {
                    usleep(10000);
                    _exit(0);
                }
            _exit(0);  // and they are PID 1's
        }
        if (!until(init, seen, [&] { return seen.children.size() >= 1001; })) return 1;
        return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD ? 0 : 2;
    });
}

TEST(InitProcess, StartsWithPlainSignalsInASessionOfItsOwn) {
    RUN_AS_INIT([] {
        LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});
        Seen seen;
        const auto pid = init.start(
            {.name = "x",
             .path = "/bin/sh",
             .arguments = {"sh", "-c",
                           "grep -q 'SigBlk:.0000000000000000' /proc/self/status || exit 3; "
                           "[ $(cut -d' ' -f6 /proc/$$/stat) = $$ ] || exit 4; [ \"$RUNLEVEL\" = 3 ] || exit 5; "
                           "[ $(cat /proc/self/oom_score_adj) = 0 ] || exit 6; exit 7"},
             .environment = {"PATH=/bin:/usr/bin", "RUNLEVEL=3"},
             .terminal = "no-such-terminal"});
        if (!pid) return 1;
        if (!until(init, seen, [&] { return !seen.children.empty(); })) return 2;
        return WEXITSTATUS(seen.children[0].second) == 7 ? 0 : 10 + WEXITSTATUS(seen.children[0].second);
    });
}

TEST(InitProcess, KillsAServiceWithWhatItStarted) {
    RUN_AS_INIT([] {
        LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});
        Seen seen;
        const auto pid = init.start({.name = "service",
                                     .path = "/bin/sh",
                                     .arguments = {"sh", "-c", "sleep 1000 & wait"},
                                     .environment = {"PATH=/bin:/usr/bin"},
                                     .terminal = {}});
        if (!pid) return 1;
        usleep(300000);
        init.signal("service", *pid, SIGTERM);
        return until(init, seen, [&] { return seen.children.size() == 2; }) ? 0 : 2;
    });
}

std::string log_of(const char* part, const char* name) {
    std::string text(64 * 1024, '\0');
    const Descriptor file(open((std::string("/run/log/") + part + "/" + name).c_str(), O_RDONLY));
    const auto got = read(file.get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

ServiceStart shell(const std::string& name, const std::vector<std::string>& arguments, bool logged) {
    static const std::string path = "/bin/sh", none;
    static const std::vector<std::string> environment{"PATH=/bin:/usr/bin"};
    return {.name = name,
            .path = path,
            .arguments = arguments,
            .environment = environment,
            .terminal = none,
            .logged = logged};
}

TEST(InitProcess, KeepsWhatAServicePrints) {
    RUN_AS_INIT([] {
        LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});
        Seen seen;
        const std::vector<std::string> words{"sh", "-c", "echo one; echo two >&2; printf unfinished"};
        if (!init.start(shell("talks", words, true))) return 1;
        if (!until(init, seen, [&] { return !seen.children.empty(); })) return 2;
        init.note("talks", "process 7 ended with status 0");
        const auto text = log_of("now", "talks");
        const auto one = text.find(" one\n"), two = text.find(" two\n"), rest = text.find(" unfinished\n");
        if (one == std::string::npos || two == std::string::npos || rest == std::string::npos || one > two ||
            two > rest)
            return 3;
        return text.find("-- process 7 ended with status 0 --\n") > rest ? 0 : 4;
    });
}

TEST(InitProcess, AChattyServiceTakesNeitherMemoryNorPid1sTime) {
    RUN_AS_INIT([] {
        LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});
        Seen seen;
        const std::vector<std::string> words{"sh", "-c", "exec yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
        const std::vector<std::string> other{"sh", "-c", "echo heard"};
        const auto chatty = init.start(shell("chatty", words, true));
        if (!chatty || !init.start(shell("quiet", other, true))) return 1;
        const auto deadline = Deadline::after(linux_clock(), Seconds{2});
        int turns = 0;
        for (; !deadline.passed(linux_clock()); ++turns) init.turn(deadline, seen);
        if (turns > 200) return 2;
        if (log_of("now", "chatty").size() > kServiceLogSize || log_of("before", "chatty").size() > kServiceLogSize)
            return 3;
        if (log_of("before", "chatty").empty()) return 4;
        if (log_of("now", "quiet").find(" heard\n") == std::string::npos) return 5;
        init.signal("chatty", *chatty, SIGKILL);
        return until(init, seen, [&] { return seen.children.size() == 2; }) ? 0 : 6;
    });
}

TEST(InitProcess, AServiceOutlivesThatPid1IsExecutedAnew) {
    RUN_AS_INIT([] {
        Seen seen;
        const std::vector<std::string> words{
            "sh", "-c", "while [ ! -e /run/stop ]; do echo tick || exit 9; sleep 0.1; done; echo last"};
        {
            LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});
            if (!init.start(shell("ticks", words, true))) return 1;
            if (!until(init, seen, [&] { return log_of("now", "ticks").find("tick") != std::string::npos; })) return 2;
        }
        usleep(500000);  // nobody listens
        LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});
        if (!seen.children.empty()) return 3;
        close(open("/run/stop", O_CREAT | O_WRONLY, 0600));
        if (!until(init, seen, [&] { return !seen.children.empty(); })) return 4;
        if (seen.children[0].second != 0) return 5;
        return log_of("now", "ticks").find(" last\n") != std::string::npos ? 0 : 6;
    });
}

TEST(InitProcess, FullMemoryLosesLinesOnly) {
    RUN_AS_INIT([] {
        if (mkdir("/run/log", 0700) != 0 || mount("small", "/run/log", "tmpfs", 0, "size=32k") != 0) return 99;
        LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});
        Seen seen;
        const std::vector<std::string> words{
            "sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo $i a line that is long enough; i=$((i+1)); done"};
        for (const char* name : {"a", "b", "c"})
            if (!init.start(shell(name, words, true))) return 1;
        return until(init, seen, [&] { return seen.children.size() == 3; }) && seen.children[0].second == 0 ? 0 : 2;
    });
}

TEST(InitProcess, AProgramThatCannotBeRunIsAnExitStatus) {
    RUN_AS_INIT([] {
        LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});
        Seen seen;
        const auto pid =
            init.start({.name = "x", .path = "/no/such", .arguments = {"x"}, .environment = {}, .terminal = {}});
        if (!pid || !until(init, seen, [&] { return !seen.children.empty(); })) return 1;
        return WEXITSTATUS(seen.children[0].second) == 127 ? 0 : 2;
    });
}

TEST(InitProcess, HearsSignalsAndRequests) {
    RUN_AS_INIT([] {
        LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});
        Seen seen;
        for (const int number : {SIGTERM, SIGUSR2, SIGHUP, SIGINT, SIGPWR, 39}) kill(1, number);
        if (!until(init, seen, [&] { return seen.signals.size() == 6; })) return 1;
        const int fifo = open("/run/initctl", O_WRONLY | O_NONBLOCK);
        if (fifo < 0) return 2;
        const auto bytes = "garbage that is no request" + std::string(358, '.') +
                           init_request_bytes({.command = InitCommand::run_level, .level = '2'}) +
                           init_request_bytes({.command = InitCommand::run_level, .level = 'q'});
        if (write(fifo, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return 3;
        if (!until(init, seen, [&] { return seen.requests.size() == 2; })) return 4;
        return seen.requests[0].level == '2' && seen.requests[1].level == 'q' ? 0 : 5;
    });
}

TEST(InitProcess, RemovesWhatIsInTheFifosPlace) {
    RUN_AS_INIT([] {
        close(open("/run/initctl", O_CREAT | O_WRONLY, 0644));
        LinuxInitProcess init({.cgroups = false, .logs = "/run/log"});
        struct stat found {};
        return stat("/run/initctl", &found) == 0 && S_ISFIFO(found.st_mode) ? 0 : 1;
    });
}

TEST(PivotRoot, LeavesTheOldRootBelowTheNewOne) {
    RUN_AS_INIT([] {
        LinuxMachine machine;
        mkdir("/run/old", 0755);
        close(open("/run/mark", O_CREAT | O_WRONLY, 0644));
        if (!machine.pivot_root("/run", "/run/old")) return 1;
        if (access("/mark", F_OK) != 0) return 2;
        if (access("/old/proc/self", F_OK) != 0) return 3;
        mkdir("/proc", 0755);
        if (mount("/old/proc", "/proc", nullptr, MS_MOVE, nullptr) != 0) return 4;
        if (access("/proc/self", F_OK) != 0) return 5;
        return machine.pivot_root("/old/none", "/old") ? 6 : 0;
    });
}

TEST(CrashGuard, SignalsOfOthersAreNoCrash) {
    RUN_AS_INIT([] {
        guard_against_crashes(1);
        if (fork() == 0) {
            for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) kill(1, number);
            _exit(0);
        }
        usleep(300000);
        return 0;
    });
}

TEST(CrashGuard, ACrashExecutesTheProgramAnewWithItsState) {
    RUN_AS_INIT([] {
        // Its arguments: init @role story state
        const char* script = "/run/program";
        const int fd = open(script, O_CREAT | O_WRONLY, 0755);
        const char text[] =
            "#!/bin/sh\n[ \"$1\" = @role ] && [ \"$3\" = 'L3 Rx=5' ] && case $2 in 3:*) exit 0;; esac\nexit 9\n";
        if (write(fd, text, sizeof text - 1) < 0) return 1;
        close(fd);
        guard_against_crashes(1);
        timespec now{};
        clock_gettime(CLOCK_BOOTTIME, &now);
        const auto story = "2:" + std::to_string(now.tv_sec - 1);
        restart_after_crashes(script, "@role", story.c_str());
        keep_crash_state("older", 5);
        keep_crash_state("L3 Rx=5", 7);
        *static_cast<volatile int*>(nullptr) = 1;
        return 2;
    });
}

TEST(LoginRecords, KeepOneSlotAnEntry) {
    const std::string utmp = "/tmp/utmp-test", wtmp = "/tmp/wtmp-test";
    close(open(wtmp.c_str(), O_CREAT | O_WRONLY, 0644));
    using Kind = LoginRecord::Kind;
    write_login_records({{.kind = Kind::boot},
                         {.kind = Kind::run_level, .level = '3', .before = 'N'},
                         {.kind = Kind::started, .id = {'1'}, .pid = 100},
                         {.kind = Kind::started, .id = {'2'}, .pid = 101},
                         {.kind = Kind::ended, .id = {'1'}, .pid = 100, .status = 256},
                         {.kind = Kind::started, .id = {'1'}, .pid = 102}},
                        utmp.c_str(), wtmp.c_str());
    std::vector<struct utmp> lines(16);
    const int fd = open(utmp.c_str(), O_RDONLY);
    const auto got = read(fd, lines.data(), lines.size() * sizeof(struct utmp));
    close(fd);
    ASSERT_EQ(got, static_cast<ssize_t>(4 * sizeof(struct utmp)));
    EXPECT_EQ(lines[0].ut_type, BOOT_TIME);
    EXPECT_EQ(lines[1].ut_type, RUN_LVL);
    EXPECT_EQ(lines[1].ut_pid, '3' + 256 * 'N');
    EXPECT_EQ(lines[2].ut_type, INIT_PROCESS);
    EXPECT_EQ(lines[2].ut_pid, 102);
    EXPECT_EQ(lines[3].ut_pid, 101);
    struct stat found {};
    ASSERT_EQ(stat(wtmp.c_str(), &found), 0);
    EXPECT_EQ(found.st_size, static_cast<off_t>(6 * sizeof(struct utmp)));
    write_login_records({{.kind = Kind::boot}}, "/no/such/directory/utmp", "/no/such/wtmp");
}

}  // namespace
}  // namespace diskless
