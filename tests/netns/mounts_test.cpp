#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "common/os/mounts_linux.hpp"

namespace diskless {
namespace {

using testing::HasSubstr;

class MountsTest : public testing::Test {
  protected:
    // Each test has a tmpfs to itself, so that what it leaves behind goes with one lazy unmount.
    void SetUp() override {
        mkdir(kTop, 0755);
        ASSERT_EQ(::mount("none", kTop, "tmpfs", 0, nullptr), 0);
    }
    void TearDown() override { umount2(kTop, MNT_DETACH); }

    static std::string make_directory(const std::string& name) {
        const auto path = std::string(kTop) + "/" + name;
        EXPECT_EQ(mkdir(path.c_str(), 0755), 0) << path;
        return path;
    }
    static bool can_write(const std::string& path) {
        const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd >= 0) close(fd);
        return fd >= 0;
    }
    std::optional<MountEntry> entry_at(const std::string& target) {
        const auto table = mounts_.table();
        EXPECT_TRUE(table) << table.error().cause;
        std::optional<MountEntry> found;
        if (table)
            for (const auto& entry : *table)
                if (entry.target == target) found = entry;
        return found;
    }

    static constexpr const char* kTop = "/tmp/mounts-test";
    LinuxMounts mounts_;
};

TEST_F(MountsTest, MountsWithFlagsAndData) {
    const auto at = make_directory("a");
    const auto done = mounts_.mount({.source = "scratch",
                                     .target = at,
                                     .type = "tmpfs",
                                     .options = "nosuid,size=64k,mode=0750,_netdev,nofail,x-a=b"});
    ASSERT_TRUE(done) << done.error().cause;
    const auto entry = entry_at(at);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->source, "scratch");
    EXPECT_EQ(entry->type, "tmpfs");
    EXPECT_EQ(entry->root, "/");
    EXPECT_THAT(entry->options, HasSubstr("nosuid"));
    EXPECT_THAT(entry->super_options, HasSubstr("size=64k"));
    EXPECT_THAT(entry->super_options, HasSubstr("mode=750"));
    EXPECT_TRUE(mounts_.unmount(at));
    EXPECT_FALSE(entry_at(at));
}

TEST_F(MountsTest, SaysWhatFailedAndWhatToDo) {
    const auto at = make_directory("a");
    const auto no_type = mounts_.mount({.source = "x", .target = at, .type = "no-such-fs", .options = "ro"});
    ASSERT_FALSE(no_type);
    EXPECT_EQ(no_type.error().code, ENODEV);
    EXPECT_THAT(no_type.error().cause, HasSubstr("mount x on " + at));
    EXPECT_THAT(no_type.error().remedy, HasSubstr("no-such-fs"));

    const auto no_target = mounts_.mount({.source = "x", .target = at + "/none", .type = "tmpfs", .options = ""});
    ASSERT_FALSE(no_target);
    EXPECT_EQ(no_target.error().code, ENOENT);

    const auto bad_option =
        mounts_.mount({.source = "x", .target = at, .type = "tmpfs", .options = "no_such_option=1"});
    ASSERT_FALSE(bad_option);
    EXPECT_EQ(bad_option.error().code, EINVAL);

    const auto bad_quotes = mounts_.mount({.source = "x", .target = at, .type = "tmpfs", .options = "a=\"b"});
    ASSERT_FALSE(bad_quotes);
    EXPECT_THAT(bad_quotes.error().cause, HasSubstr("unreadable options"));

    EXPECT_FALSE(mounts_.unmount(at)) << "nothing is mounted there";
    EXPECT_FALSE(mounts_.move(at, at));
}

TEST_F(MountsTest, BindsReadOnlyAndKeepsInheritedFlags) {
    const auto from = make_directory("from"), to = make_directory("to");
    ASSERT_TRUE(mounts_.mount({.source = "t", .target = from, .type = "tmpfs", .options = "nosuid,nodev"}));
    ASSERT_TRUE(can_write(from + "/file"));
    const auto bound = mounts_.bind(from, to, true);
    ASSERT_TRUE(bound) << bound.error().cause;
    EXPECT_FALSE(can_write(to + "/file"));
    EXPECT_EQ(errno, EROFS);
    EXPECT_TRUE(can_write(from + "/file")) << "the source stays writable";
    const auto entry = entry_at(to);
    ASSERT_TRUE(entry);
    EXPECT_THAT(entry->options, testing::StartsWith("ro,nosuid,nodev"));
}

TEST_F(MountsTest, BindsWritableWithMoreFlagsAndSingleFiles) {
    const auto from = make_directory("from"), to = make_directory("to");
    ASSERT_TRUE(mounts_.bind(from, to, false, "nosuid,noexec,noatime"));
    EXPECT_TRUE(can_write(to + "/file"));
    EXPECT_THAT(entry_at(to)->options, testing::AllOf(HasSubstr("rw,nosuid,noexec"), HasSubstr("noatime")));
    EXPECT_EQ(entry_at(to)->root, "/from");

    ASSERT_TRUE(can_write(std::string(kTop) + "/plain"));
    ASSERT_TRUE(mounts_.bind(from + "/file", std::string(kTop) + "/plain", true));
    EXPECT_FALSE(can_write(std::string(kTop) + "/plain"));

    const auto absent = mounts_.bind(from + "/absent", to, true);
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, ENOENT);
    EXPECT_TRUE(can_write(to + "/file")) << "a failed bind leaves the mount below it alone";
}

TEST_F(MountsTest, MovesAndRemounts) {
    ASSERT_EQ(::mount(nullptr, kTop, nullptr, MS_PRIVATE, nullptr), 0);
    const auto from = make_directory("from"), to = make_directory("to");
    ASSERT_TRUE(mounts_.mount({.source = "t", .target = from, .type = "tmpfs", .options = ""}));
    ASSERT_TRUE(can_write(from + "/file"));
    ASSERT_TRUE(mounts_.move(from, to));
    EXPECT_EQ(access((to + "/file").c_str(), F_OK), 0);
    EXPECT_FALSE(entry_at(from));
    const auto remounted = mounts_.remount(to, "ro");
    ASSERT_TRUE(remounted) << remounted.error().cause;
    EXPECT_FALSE(can_write(to + "/file"));
}

/// What lies beneath an overlay: made read-only where it is, and its other flags stay.
TEST_F(MountsTest, ARemountOfABindChangesThatMountOnly) {
    const auto from = make_directory("from"), to = make_directory("to");
    ASSERT_TRUE(mounts_.mount({.source = "t", .target = from, .type = "tmpfs", .options = "nosuid"}));
    ASSERT_TRUE(mounts_.bind(from, to, false));
    const auto before = entry_at(to)->options;
    ASSERT_EQ(before.substr(0, 2), "rw");
    const auto remounted = mounts_.remount(to, "bind,ro" + before.substr(2));
    ASSERT_TRUE(remounted) << remounted.error().cause;
    EXPECT_FALSE(can_write(to + "/file"));
    EXPECT_TRUE(can_write(from + "/file"));
    EXPECT_EQ(entry_at(to)->options, "ro" + before.substr(2));
}

TEST_F(MountsTest, TellsWhetherAReadOnlyMountWouldLetWriteAndLeavesItReadOnly) {
    const auto at = make_directory("a");
    ASSERT_TRUE(mounts_.mount({.source = "t", .target = at, .type = "tmpfs", .options = "ro,nosuid"}));
    const auto answer = mounts_.would_let_write(at);
    ASSERT_TRUE(answer) << answer.error().cause;
    EXPECT_TRUE(*answer);
    EXPECT_FALSE(can_write(at + "/file"));
    const auto entry = entry_at(at);
    ASSERT_TRUE(entry);
    EXPECT_THAT(entry->options, testing::StartsWith("ro,nosuid"));
    EXPECT_THAT(entry->super_options, testing::StartsWith("ro"));

    const auto absent = mounts_.would_let_write(at + "/absent");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, ENOENT);
}

TEST_F(MountsTest, LazyUnmountTakesABusyMountAway) {
    const auto at = make_directory("a");
    ASSERT_TRUE(mounts_.mount({.source = "t", .target = at, .type = "tmpfs", .options = ""}));
    const int held = open((at + "/file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ASSERT_GE(held, 0);
    const auto busy = mounts_.unmount(at);
    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().code, EBUSY);
    EXPECT_TRUE(mounts_.unmount(at, Unmount::lazy));
    EXPECT_FALSE(entry_at(at));
    close(held);
}

TEST_F(MountsTest, UnmountDoesNotFollowSymlinks) {
    const auto at = make_directory("a");
    ASSERT_TRUE(mounts_.mount({.source = "t", .target = at, .type = "tmpfs", .options = ""}));
    const auto link = std::string(kTop) + "/link";
    ASSERT_EQ(symlink(at.c_str(), link.c_str()), 0);
    EXPECT_FALSE(mounts_.unmount(link, Unmount::lazy));
    EXPECT_TRUE(entry_at(at));
}

TEST_F(MountsTest, OddNamesComeBackAsTheyAre) {
    const auto at = make_directory("a b\tc\\d\ne#\xc3\xb6");
    const auto done = mounts_.mount({.source = "s p", .target = at, .type = "tmpfs", .options = ""});
    ASSERT_TRUE(done) << done.error().cause;
    ASSERT_TRUE(entry_at(at));
    EXPECT_EQ(entry_at(at)->source, "s p");
    EXPECT_TRUE(mounts_.unmount(at));
}

// The node mounts /proc itself by this code: nothing may be read from a /proc or /etc that is not there.
TEST_F(MountsTest, WorksInAnEmptyRoot) {
    make_directory("proc");
    const int pid = fork();
    if (pid == 0) {
        if (chroot(kTop) != 0 || chdir("/") != 0) _exit(2);
        _exit(mounts_.mount({.source = "t", .target = "/proc", .type = "tmpfs", .options = "nosuid"}) &&
                      !mounts_.table() && !mounts_.knows_type("tmpfs")
                  ? 0
                  : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
}

TEST_F(MountsTest, KnowsTheKernelsTypes) {
    EXPECT_TRUE(mounts_.knows_type("tmpfs"));
    EXPECT_FALSE(mounts_.knows_type("no-such-fs"));
    EXPECT_FALSE(mounts_.knows_type(""));
    EXPECT_FALSE(mounts_.knows_type("nodev"));
}

}  // namespace
}  // namespace diskless
