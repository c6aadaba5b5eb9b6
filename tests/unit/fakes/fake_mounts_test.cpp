#include "tests/fakes/fake_mounts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diskless {
namespace {

using ::testing::ElementsAre;

TEST(FakeMounts, RefusesWhatTheKernelWouldRefuse) {
    FakeFiles files;
    FakeMounts mounts(files);
    files.tree({{"/d", directory()}, {"/f", file("x")}});
    EXPECT_EQ(mounts.bind("/f", "/absent", false).error().code, ENOENT);
    EXPECT_EQ(mounts.bind("/f", "/d", false).error().code, ENOTDIR);
    EXPECT_EQ(mounts.unmount("/d").error().code, EINVAL);
    EXPECT_EQ(mounts.mount({"10.9.0.1:/none", "/d", "nfs", "ro"}).error().code, ENOENT);
    EXPECT_EQ(mounts.mount({"x", "/d", "btrfs", ""}).error().code, ENODEV);
}

TEST(FakeMounts, ABindShowsItsSourceAndObeysReadOnly) {
    FakeFiles files;
    FakeMounts mounts(files);
    files.tree({{"/a/f", file("a")}, {"/b/hidden", file("b")}});
    ASSERT_TRUE(mounts.bind("/a", "/b", true));
    EXPECT_EQ(files.text("/b/f"), "a");
    EXPECT_FALSE(files.exists("/b/hidden"));
    EXPECT_EQ(files.write("/b/f", "x").error().code, EROFS);
    EXPECT_TRUE(files.write("/a/f", "x"));
    EXPECT_EQ(files.text("/b/f"), "x");
    ASSERT_TRUE(mounts.unmount("/b"));
    EXPECT_EQ(files.text("/b/hidden"), "b");
}

TEST(FakeMounts, AMountIsSeenThroughItsOwnPathOnly) {
    FakeFiles files;
    FakeMounts mounts(files);
    files.tree({{"/snap/log", directory()}, {"/root/var", directory()}});
    ASSERT_TRUE(mounts.bind("/snap", "/root/var", false));
    ASSERT_TRUE(mounts.mount({"tmpfs", "/root/var/log", "tmpfs", ""}));
    ASSERT_TRUE(files.write("/root/var/log/x", ""));
    EXPECT_FALSE(files.exists("/snap/log/x"));
    EXPECT_EQ(mounts.unmount("/root/var").error().code, EBUSY);
    EXPECT_EQ(files.rename("/root/var/log/x", "/snap/x").error().code, EXDEV);
    EXPECT_TRUE(mounts.unmount("/root/var", Unmount::lazy));
    EXPECT_TRUE(mounts.lines().empty());
}

TEST(FakeMounts, ServesWhatWasProvidedAndMovesWithItsChildren) {
    FakeFiles files;
    FakeMounts mounts(files);
    files.tree({{"/exports/root/etc/hostname", file("n1")}, {"/sysroot", directory()}, {"/new", directory()}});
    mounts.provide("10.9.0.1:/srv/root", "/exports/root");
    ASSERT_TRUE(mounts.mount({"10.9.0.1:/srv/root", "/sysroot", "nfs4", "ro,hard"}));
    ASSERT_TRUE(mounts.mount({"tmpfs", "/sysroot/etc", "tmpfs", ""}));
    EXPECT_EQ(files.write("/sysroot/x", "").error().code, EROFS);
    ASSERT_TRUE(mounts.move("/sysroot", "/new"));
    EXPECT_THAT(mounts.lines(), ElementsAre("/new <- 10.9.0.1:/srv/root ro", "/new/etc <- tmpfs"));
    ASSERT_TRUE(mounts.unmount("/new/etc"));
    EXPECT_EQ(files.text("/new/etc/hostname"), "n1");
}

TEST(FakeFiles, FailsAndDiesWhereItIsTold) {
    FakeFiles files;
    files.tree({{"/d/a", file("1")}, {"/d/b", file("2")}});
    files.kill_at(3);
    EXPECT_THROW((void)files.copy("/d", "/e", CopyWhat::everything), FakeKilled);
    EXPECT_EQ(files.text("/e/a"), "1") << "half of the tree is there";
    EXPECT_EQ(files.text("/e/b"), "<absent>");
    files.kill_at(0);
    const auto full = files.file_system("/full");
    full->room = 10;
    EXPECT_EQ(files.write("/full/x", "more than ten bytes").error().code, ENOSPC);
}

}  // namespace
}  // namespace diskless
