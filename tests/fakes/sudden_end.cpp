#include "tests/fakes/sudden_end.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <set>
#include <utility>

namespace diskless {

namespace {

bool changes_something(const __ptrace_syscall_info& info) {
    if (info.entry.nr == SYS_openat) return (info.entry.args[2] & O_CREAT) != 0;
    static const std::set<std::uint64_t> kCalls = {
        SYS_write,    SYS_pwrite64, SYS_copy_file_range, SYS_sendfile, SYS_ioctl,     SYS_renameat,  SYS_renameat2,
        SYS_unlinkat, SYS_linkat,   SYS_symlinkat,       SYS_mkdirat,  SYS_mknodat,   SYS_fchmod,    SYS_fchmodat,
        SYS_fchown,   SYS_fchownat, SYS_utimensat,       SYS_fsync,    SYS_fsetxattr, SYS_ftruncate, SYS_syncfs,
#ifdef SYS_rename
        SYS_rename,   SYS_unlink,   SYS_symlink,         SYS_link,     SYS_mkdir,     SYS_rmdir,     SYS_chmod,
#endif
    };
    return kCalls.contains(info.entry.nr);
}

}  // namespace

SuddenEnd run_and_kill(const std::function<void()>& work, int at_call) {
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
    if (WIFEXITED(status)) return SuddenEnd::untraceable;
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (;;) {
        ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
        ::waitpid(child, &status, 0);
        if (WIFEXITED(status) || WIFSIGNALED(status)) return SuddenEnd::finished;
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
        if (std::exchange(entering, !entering)) {
            __ptrace_syscall_info info{};
            ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
            if (changes_something(info) && calls++ == at_call) {
                ::kill(child, SIGKILL);
                ::waitpid(child, &status, 0);
                return SuddenEnd::killed;
            }
        }
    }
}

int on_small_disk(const std::string& directory, std::size_t bytes, const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(77);
        if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
        const auto size = "size=" + std::to_string(bytes);
        if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, size.c_str()) != 0) ::_exit(77);
        ::_exit(work());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

}  // namespace diskless
