// What PID 1 reaches when its root is gone.
#include "common/os/anchors.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "common/os/files_linux.hpp"
#include "common/os/machine_linux.hpp"
#include "common/os/mounts_linux.hpp"

namespace diskless {
namespace {

/// In a process with a mount namespace and a /run of its own; its exit status, 99 without namespaces.
template <class Work>
int apart(Work work) {
    const int pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("run", "/run", "tmpfs", 0, nullptr) != 0)
            _exit(99);
        _exit(work());
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

/// The root is an empty directory then, and all that was mounted is detached.
bool lose_root() {
    mkdir("/tmp/empty", 0755);
    if (mount("none", "/tmp/empty", "tmpfs", 0, nullptr) != 0 || mkdir("/tmp/empty/old", 0755) != 0) return false;
    LinuxMachine machine;
    return machine.pivot_root("/tmp/empty", "/tmp/empty/old") && umount2("/old", MNT_DETACH) == 0 &&
           rmdir("/old") == 0 && access("/run", F_OK) != 0 && access("/proc", F_OK) != 0;
}

TEST(Anchors, ReachWhatIsBelowThemWithoutARoot) {
    const int result = apart([] {
        anchor_api_directories();
        LinuxFiles files;
        if (!files.make_directories("/run/diskless")) return 1;
        if (!lose_root()) return 2;

        if (!files.replace("/run/diskless/changes", "new")) return 3;
        if (files.read("/run/diskless/changes").value_or("") != "new") return 4;
        if (!files.write("/run/diskless/changes", "more")) return 5;
        if (!files.make_directories("/run/a/b")) return 6;
        if (!files.rename("/run/diskless/changes", "/run/a/b/c") || !files.exists("/run/a/b/c")) return 7;
        if (files.list("/run").value_or(std::vector<std::string>{}) != std::vector<std::string>{"a", "diskless"})
            return 8;
        if (!files.remove("/run/a/b/c") || files.exists("/run/a/b/c")) return 9;
        if (!files.remove_tree("/run/a") || files.exists("/run/a")) return 10;

        if (!files.read("/proc/self/stat")) return 11;
        if (!files.read_link("/proc/self/exe")) return 12;
        if (!files.is_directory("/proc") || !files.is_directory("/sys/") || !files.exists("/dev/null")) return 13;
        LinuxMounts mounts;
        if (!mounts.table()) return 14;
        return 0;
    });
    EXPECT_EQ(result, 0) << "number of the check that failed";
}

TEST(Anchors, WithoutThemAllIsLost) {
    const int result = apart([] {
        if (!lose_root()) return 1;
        LinuxFiles files;
        return files.exists("/run") || files.exists("/proc/self") ? 2 : 0;
    });
    EXPECT_EQ(result, 0) << "number of the check that failed";
}

TEST(Anchors, FollowWhatIsMountedOverThemWhenTold) {
    const int result = apart([] {
        anchor_api_directories();
        LinuxFiles files;
        if (!files.write("/run/before", "")) return 1;
        if (mount("run", "/run", "tmpfs", 0, nullptr) != 0) return 2;
        if (!files.exists("/run/before")) return 3;
        anchor_api_directories();
        return files.exists("/run/before") ? 4 : 0;
    });
    EXPECT_EQ(result, 0) << "number of the check that failed";
}

TEST(Anchors, AreForWholeNamesOnly) {
    const int result = apart([] {
        for (const char* path : {"/run", "/run/x", "/runner"})
            if (At(path).directory != AT_FDCWD || std::strcmp(At(path).path, path) != 0) return 1;
        anchor_api_directories();
        if (At("/run").directory == AT_FDCWD || std::strcmp(At("/run").path, ".") != 0) return 2;
        if (std::strcmp(At("/run//x/y").path, "x/y") != 0 || std::strcmp(At("/proc/").path, ".") != 0) return 3;
        for (const char* path : {"/runner", "/ru", "/", "run/x", "", "/srv/run/x"})
            if (At(path).directory != AT_FDCWD || std::strcmp(At(path).path, path) != 0) return 4;
        return At("/run/x").directory == At("/run/y").directory && At("/run").directory != At("/dev").directory ? 0 : 5;
    });
    EXPECT_EQ(result, 0) << "number of the check that failed";
}

}  // namespace
}  // namespace diskless
