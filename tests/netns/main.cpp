// Moves the whole test program into namespaces of its own, before any thread starts.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

namespace {

bool write_file(const char* path, const std::string& text) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool done = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    close(fd);
    return done;
}

/// Empty, or what could not be had.
std::string enter_namespaces() {
    const auto user = std::to_string(getuid()), group = std::to_string(getgid());
    const bool root = getuid() == 0;
    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | (root ? 0 : CLONE_NEWUSER)) != 0)
        return std::string("unshare: ") + std::strerror(errno);
    if (!root && !(write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", "0 " + user + " 1") &&
                   write_file("/proc/self/gid_map", "0 " + group + " 1")))
        return std::string("user namespace maps: ") + std::strerror(errno);
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") != 0)
        return std::string("mount: ") + std::strerror(errno);
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (const auto missing = enter_namespaces(); !missing.empty()) {
        std::printf("skipped: no namespaces here: %s\n", missing.c_str());
        return 77;
    }
    return RUN_ALL_TESTS();
}
