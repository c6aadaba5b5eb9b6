#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/processes_linux.hpp"

namespace diskless {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Deadline in(Milliseconds time) { return Deadline::after(linux_clock(), time); }
/// From now on: a run of all tests takes longer than one may.
Deadline soon() { return in(Seconds{60}); }

TEST(InChild, ReturnsWhatTheWorkReturned) {
    LinuxProcesses processes;
    EXPECT_EQ(processes.in_child("work", soon(), [] { return Result<std::string>("done"); }), "done");
    EXPECT_EQ(processes.in_child("work", soon(), [] { return Result<std::string>(""); }), "");
    const auto failed = processes.in_child(
        "work", soon(), []() -> Result<std::string> { return fail("stat /x: gone", "put it back", ESTALE); });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), (Error{"stat /x: gone", "put it back", ESTALE}));
}

TEST(InChild, RunsInAnotherProcess) {
    LinuxProcesses processes;
    int touched = 0;
    const auto pid = processes.in_child("work", soon(), [&]() -> Result<std::string> {
        touched = 1;
        return std::to_string(getpid());
    });
    EXPECT_NE(pid, std::to_string(getpid()));
    EXPECT_EQ(touched, 0);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "no zombie is left";
}

TEST(InChild, HandsBackMuchMoreThanAPipeHolds) {
    LinuxProcesses processes;
    const std::string large(5 << 20, 'x');
    const auto result = processes.in_child("work", soon(), [&] { return Result<std::string>(large); });
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_TRUE(*result == large);
}

TEST(InChild, KillsWorkThatTakesTooLong) {
    LinuxProcesses processes;
    const auto start = linux_clock().now();
    const auto result = processes.in_child("stat /srv", in(Milliseconds{50}), []() -> Result<std::string> {
        for (;;) pause();
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ETIMEDOUT);
    EXPECT_THAT(result.error().cause, HasSubstr("stat /srv"));
    EXPECT_GE(linux_clock().now() - start, Milliseconds{50});
    EXPECT_LT(linux_clock().now() - start, Seconds{10});
    EXPECT_EQ(processes.abandoned(), 0U);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(InChild, KillsWhatTheWorkStartedToo) {
    LinuxProcesses processes;
    Descriptor read_end, write_end;
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
    const auto result = processes.in_child("work", in(Milliseconds{50}), []() -> Result<std::string> {
        fork();
        for (;;) pause();
    });
    EXPECT_FALSE(result);
    write_end.reset();
    // The end of the pipe comes when the last process that holds it is gone.
    pollfd end{read_end.get(), POLLIN, 0};
    EXPECT_EQ(poll_until(&end, 1, in(Seconds{10})), 1);
    EXPECT_NE(end.revents & POLLHUP, 0);
}

TEST(InWatchedChild, IsLookedAtAndKilledWhenItsWatchSaysSo) {
    LinuxProcesses processes;
    int looks = 0;
    const auto stopped = processes.in_watched_child(
        "work", soon(), {Milliseconds{20}, [&](int) { return ++looks < 3; }}, []() -> Result<std::string> {
            pause();
            return "never";
        });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ETIMEDOUT);
    EXPECT_EQ(looks, 3);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "no zombie is left";

    EXPECT_EQ(processes.in_watched_child("work", soon(), {Milliseconds{1}, [](int) { return true; }},
                                         [] { return Result<std::string>("done"); }),
              "done");
}

TEST(InChild, SaysHowTheChildDied) {
    LinuxProcesses processes;
    const auto killed = processes.in_child("work", soon(), []() -> Result<std::string> {
        raise(SIGKILL);
        return "never";
    });
    ASSERT_FALSE(killed);
    EXPECT_THAT(killed.error().cause, HasSubstr("work: killed by signal 9 (Killed)"));

    const auto left = processes.in_child("work", soon(), []() -> Result<std::string> { _exit(3); });
    ASSERT_FALSE(left);
    EXPECT_THAT(left.error().cause, HasSubstr("exit status 3"));

    const auto threw =
        processes.in_child("work", soon(), []() -> Result<std::string> { throw std::runtime_error("bad day"); });
    ASSERT_FALSE(threw);
    EXPECT_THAT(threw.error().cause, HasSubstr("bad day"));
}

TEST(InChild, StartsWithPlainSignals) {
    LinuxProcesses processes;
    std::signal(SIGUSR1, SIG_IGN);
    const auto died = processes.in_child("work", soon(), []() -> Result<std::string> {
        raise(SIGUSR1);
        return "ignored";
    });
    std::signal(SIGUSR1, SIG_DFL);
    EXPECT_FALSE(died);
}

TEST(InChild, OverlapsInThreads) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP()
        << "the address sanitizer's own allocator (GCC 12) may be locked for ever in a child of several threads";
#endif
    LinuxProcesses processes;
    std::vector<std::thread> threads;
    std::vector<std::string> results(8);
    for (std::size_t i = 0; i < results.size(); ++i)
        threads.emplace_back([&, i] {
            for (int round = 0; round < 5; ++round) {
                const auto result = processes.in_child("work", soon(), [i]() -> Result<std::string> {
                    return std::string(100'000, static_cast<char>('a' + i));
                });
                results[i] = result ? result->substr(0, 1) : result.error().cause;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_THAT(results, ElementsAre("a", "b", "c", "d", "e", "f", "g", "h"));
}

// A child that hangs in one thread holds the other threads' pipes: they must not wait for it.
TEST(InChild, IsNotHeldUpByAHangingSibling) {
    LinuxProcesses processes;
    std::thread hanging([&] {
        EXPECT_FALSE(processes.in_child("hang", in(Seconds{2}), []() -> Result<std::string> {
            for (;;) pause();
        }));
    });
    for (int round = 0; round < 20; ++round) {
        const auto start = linux_clock().now();
        EXPECT_FALSE(processes.in_child("crash", in(Seconds{30}), []() -> Result<std::string> { _exit(1); }));
        EXPECT_LT(linux_clock().now() - start, Seconds{10});
    }
    hanging.join();
}

TEST(InChild, GoesOnWhenAnotherPartReaps) {
    LinuxProcesses processes;
    std::thread reaper;
    const auto result = processes.in_child("work", in(Seconds{10}), []() -> Result<std::string> { return "kept"; });
    EXPECT_EQ(result, "kept");

    std::signal(SIGCHLD, SIG_IGN);  // the kernel reaps at once, as a supervisor might
    const auto kept = processes.in_child("work", in(Seconds{10}), []() -> Result<std::string> { return "kept"; });
    const auto lost = processes.in_child("work", in(Seconds{10}), []() -> Result<std::string> { _exit(0); });
    std::signal(SIGCHLD, SIG_DFL);
    EXPECT_EQ(kept, "kept");
    ASSERT_FALSE(lost);
    EXPECT_THAT(lost.error().cause, HasSubstr("ended without a result"));
}

TEST(Spawn, RunsAProgramAndWaitsForIt) {
    LinuxProcesses processes;
    const auto pid = processes.spawn({.path = "/bin/sh",
                                      .arguments = {"sh", "-c", "test \"$A$PATH\" = b && exit 7"},
                                      .environment = {"A=b", "PATH="},
                                      .console = {}});
    ASSERT_TRUE(pid) << pid.error().cause;
    const auto status = processes.wait(*pid, in(Seconds{10}));
    ASSERT_TRUE(status) << status.error().cause;
    EXPECT_TRUE(WIFEXITED(*status));
    EXPECT_EQ(WEXITSTATUS(*status), 7);
    EXPECT_THAT(processes.executed(), ElementsAre("/bin/sh"));
    const auto again = processes.wait(*pid, in(Seconds{10}));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ECHILD);
}

TEST(Spawn, WaitLeavesAProgramRunningAtTheDeadline) {
    LinuxProcesses processes;
    const auto pid = processes.spawn({"/bin/sleep", {"sleep", "1000"}, {}, {}});
    ASSERT_TRUE(pid);
    const auto status = processes.wait(*pid, in(Milliseconds{20}));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ETIMEDOUT);
    EXPECT_EQ(getsid(*pid), *pid) << "a session of its own";
    ASSERT_TRUE(processes.signal(*pid, SIGTERM));
    const auto ended = processes.wait(*pid, in(Seconds{10}));
    ASSERT_TRUE(ended);
    EXPECT_EQ(WTERMSIG(*ended), SIGTERM);
    EXPECT_FALSE(processes.signal(*pid, SIGTERM));
}

/// What comes before is not held up by it.
TEST(Spawn, BeginsWhenThisProcessIsAnotherProgram) {
    const std::string path = testing::TempDir() + "spawn-when-replaced-" + std::to_string(getpid());
    const auto add = [&path](const char* line) { std::ofstream(path, std::ios::app) << line << std::flush; };
    const auto pid = fork();
    if (pid == 0) {
        LinuxProcesses processes;
        const auto started = processes.spawn({.path = "/bin/sh",
                                              .arguments = {"sh", "-c", "echo began >>" + path},
                                              .environment = {},
                                              .console = {},
                                              .when_replaced = true});
        linux_clock().sleep(Milliseconds{300});
        add(started ? "before\n" : "not started\n");
        (void)processes.execute("/bin/true", {"true"}, {});
        _exit(1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    std::string text;
    for (int i = 0; i < 500 && text.find("began") == text.npos; ++i) {
        linux_clock().sleep(Milliseconds{10});
        std::ifstream file(path);
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    EXPECT_EQ(text, "before\nbegan\n");
    std::remove(path.c_str());
}

TEST(Spawn, SaysWhatCouldNotBeRun) {
    LinuxProcesses processes;
    const auto absent = processes.spawn({"/no/such/program", {"x"}, {}, {}});
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, ENOENT);
    EXPECT_THAT(absent.error().cause, HasSubstr("/no/such/program"));
    const auto console = processes.spawn({"/bin/true", {"true"}, {}, "/dev/no-such-tty"});
    ASSERT_FALSE(console);
    EXPECT_THAT(console.error().cause, HasSubstr("/dev/no-such-tty"));
    EXPECT_THAT(processes.executed(), ElementsAre());
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "no zombie is left";
}

TEST(Spawn, GivesTheConsoleAsControllingTerminal) {
    const Descriptor master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master || grantpt(master.get()) != 0 || unlockpt(master.get()) != 0) GTEST_SKIP() << "no pseudo terminals";
    LinuxProcesses processes;
    const auto pid = processes.spawn({"/bin/sh", {"sh", "-c", "echo hello > /dev/tty"}, {}, ptsname(master.get())});
    ASSERT_TRUE(pid) << pid.error().cause;
    char text[64] = "";
    pollfd said{master.get(), POLLIN, 0};
    ASSERT_EQ(poll_until(&said, 1, in(Seconds{10})), 1);
    EXPECT_GT(read(master.get(), text, sizeof text - 1), 0);
    EXPECT_STREQ(text, "hello\r\n");
    const auto status = processes.wait(*pid, in(Seconds{10}));
    ASSERT_TRUE(status);
    EXPECT_EQ(*status, 0);
}

TEST(Execute, ReplacesTheProcessOrSaysWhyNot) {
    LinuxProcesses processes;
    const auto error = processes.execute("/no/such/init", {"init"}, {});
    EXPECT_EQ(error.code, ENOENT);
    EXPECT_THAT(error.cause, HasSubstr("/no/such/init"));

    const int pid = fork();
    if (pid == 0) {
        processes.execute("/bin/sh", {"sh", "-c", "exit 5"}, {});
        _exit(1);
    }
    const auto status = processes.wait(pid, in(Seconds{10}));
    ASSERT_TRUE(status);
    EXPECT_EQ(WEXITSTATUS(*status), 5);
}

}  // namespace
}  // namespace diskless
