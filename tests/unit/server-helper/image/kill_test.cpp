// kill -9 at every system call that changes something: the tree is as before or as after, and the next run works.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <set>

#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

namespace fs = std::filesystem;

bool changes_something(const __ptrace_syscall_info& info) {
    if (info.entry.nr == SYS_openat) return (info.entry.args[2] & O_CREAT) != 0;
    static const std::set<std::uint64_t> calls = {
        SYS_write,  SYS_pwrite64,  SYS_copy_file_range, SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_symlinkat,
        SYS_linkat, SYS_mkdirat,   SYS_fchmod,          SYS_fchmodat, SYS_fchown,    SYS_fchownat, SYS_utimensat,
        SYS_fsync,  SYS_ftruncate, SYS_syncfs,
#ifdef SYS_rename
        SYS_rename, SYS_unlink,    SYS_symlink,         SYS_link,     SYS_mkdir,     SYS_rmdir,    SYS_chmod,
#endif
    };
    return calls.contains(info.entry.nr);
}

enum class Outcome { killed, finished, untraceable };

/// Runs the work in a child that is killed as it enters the call of that number (from 0), before the call is made.
Outcome run_and_kill(const std::function<void()>& work, int at_call) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(77);
        ::raise(SIGSTOP);
        work();
        ::_exit(0);
    }
    int status = 0, calls = 0;
    bool entering = true;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) return Outcome::untraceable;
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (;;) {
        ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
        ::waitpid(child, &status, 0);
        if (WIFEXITED(status) || WIFSIGNALED(status)) return Outcome::finished;
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
        if (std::exchange(entering, !entering)) {
            __ptrace_syscall_info info{};
            ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
            if (changes_something(info) && calls++ == at_call) {
                ::kill(child, SIGKILL);
                ::waitpid(child, &status, 0);
                return Outcome::killed;
            }
        }
    }
}

class KillTest : public TreeTest {
  protected:
    /// Kills the command at every call, each time on a tree made anew by `prepare`; `check` looks at what is left.
    void kill_everywhere(const std::vector<std::string>& command, const std::function<void()>& prepare,
                         const std::function<void()>& check) {
        for (int at = 0;; ++at) {
            SCOPED_TRACE("killed at call " + std::to_string(at));
            prepare();
            const auto outcome = run_and_kill([&] { run(command); }, at);
            if (outcome == Outcome::untraceable) GTEST_SKIP() << "this machine lets no process be traced";
            const auto cluster = load_cluster(base);
            ASSERT_TRUE(cluster) << cluster.error().cause;
            check();
            if (HasFailure()) return;
            ASSERT_EQ(run(command), kDone) << "the next run: " << err;
            if (outcome == Outcome::finished) {
                EXPECT_GT(at, 5) << "the child was killed at hardly any call";
                return;
            }
        }
    }
};

TEST_F(KillTest, NodeListIsOldOrNew) {
    const std::string before = "[node.n1]\nip = \"10.8.0.11\"\n";
    const std::string after = "[node.n1]\nip = \"10.8.0.12\"\n";
    std::set<std::string> seen;
    kill_everywhere(
        {"node", "set", "n1", "ip=10.8.0.12"}, [&] { write("nodes.toml", before); },
        [&] {
            const auto now = read("nodes.toml");
            EXPECT_TRUE(now == before || now == after) << now;
            seen.insert(now);
        });
    EXPECT_EQ(seen.size(), 2u);
}

TEST_F(KillTest, CurrentGenerationIsAlwaysAWholeOne) {
    write("source/etc/a", "1");
    write("source/etc/b", "2");
    std::set<std::string> seen;
    kill_everywhere(
        {"image", "sync", "site"},
        [&] {
            fs::remove_all(path("images/site"));
            write("images/site/image.toml", "kind = \"root\"\nsource = \"" + path("source") + "\"\n");
            write("images/site/1/etc/a", "old");
            write("images/site/1/.diskless-generation", "IMAGE=site\nGENERATION=1\n");
            fs::create_symlink("1", path("images/site/current"));
        },
        [&] {
            const std::string now = fs::read_symlink(path("images/site/current"));
            const auto file = [&](const char* rest) { return read("images/site/" + now + rest); };
            if (now == "1") {
                EXPECT_EQ(file("/etc/a"), "old");
            } else {
                EXPECT_EQ(file("/etc/a"), "1");
                EXPECT_EQ(file("/etc/b"), "2");
                EXPECT_NE(file("/.diskless-generation"), "");
            }
            seen.insert(now == "1" ? "old" : "new");
        });
    EXPECT_EQ(seen.size(), 2u);
}

}  // namespace
}  // namespace diskless::server
