// A root that is one file of the server's directory: boots on the fake cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/plan/executor.hpp"
#include "init/plan.hpp"
#include "init/steps/look_at_root.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct ImageRoot : FakeCluster {
    Boot boot;
    Executor executor{os, {}, false};

    explicit ImageRoot(const std::string& more = {})
        : FakeCluster(
              "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp "
              "diskless.snapshot=10.9.0.1:/srv/snapshots diskless.image=live/root.squashfs" +
              more) {
        for (const char* type : {"squashfs", "erofs", "overlay"}) mounts.known_types[type] = true;
        // What the file holds is a root like the directory's, with one line to tell them by.
        files.tree({{"/server/packed", directory()}});
        EXPECT_TRUE(files.copy("/server/root", "/server/packed", CopyWhat::everything));
        files.tree({{"/server/packed/etc/motd", file("in the image\n")},
                    {"/server/packed/.diskless-generation", file("GENERATION=7\n")}});
        mounts.provide("/sysroot/live/root.squashfs", "/server/packed");
    }
    /// What the directory has at the image's place.
    void put(std::string content) { files.tree({{"/server/root/live/root.squashfs", file(std::move(content))}}); }
    Result<> run() {
        TRY(executor.run(plan_early(boot)));
        return executor.run(plan_boot(boot));
    }
    const MountRequest* request_for(const std::string& source) {
        const auto found = std::ranges::find(mounts.requests, source, &MountRequest::source);
        return found == mounts.requests.end() ? nullptr : &*found;
    }
};

TEST(ImageRoot, IsWhatTheFileHolds) {
    ImageRoot node;
    node.put("hsqs and more");
    const auto result = node.run();
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_EQ(node.files.text("/sysroot/etc/motd"), "in the image\n");
    EXPECT_EQ(node.files.text("/run/diskless/image/etc/motd"), "welcome\n") << "the directory moved aside";
    EXPECT_EQ(node.boot.root.image, "live/root.squashfs");
    EXPECT_EQ(node.boot.root.generation, "7");
    EXPECT_EQ(node.boot.root.mode, "ro");
    EXPECT_EQ(node.boot.init, "/sbin/init");
    EXPECT_FALSE(node.files.replace("/run/diskless/image/etc/motd", "mine\n"));
    const auto* mounted = node.request_for("/sysroot/live/root.squashfs");
    ASSERT_NE(mounted, nullptr);
    EXPECT_EQ(mounted->type, "squashfs");
    EXPECT_EQ(mounted->options, "ro,loop");
    EXPECT_TRUE(node.files.replace("/sysroot/var/log/mine", "x"));
    EXPECT_EQ(node.files.text("/server/snapshots/node1/var/log/mine"), "x") << "lists are as on any root";
}

TEST(ImageRoot, MayBeErofs) {
    ImageRoot node;
    node.put(std::string(1024, '\0') + "\xe2\xe1\xf5\xe0");
    const auto result = node.run();
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_EQ(node.request_for("/sysroot/live/root.squashfs")->type, "erofs");
}

TEST(ImageRoot, MayLieUnderMemory) {
    ImageRoot node(" diskless.mode=overlay");
    node.put("hsqs");
    const auto result = node.run();
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_EQ(node.boot.root.mode, "overlay");
    EXPECT_EQ(node.boot.root.image, "live/root.squashfs");
    EXPECT_TRUE(node.files.replace("/sysroot/etc/motd", "mine\n"));
    EXPECT_EQ(node.files.text("/run/diskless/root/etc/motd"), "in the image\n");
    EXPECT_EQ(node.files.text("/server/packed/etc/motd"), "in the image\n");
}

TEST(ImageRoot, IsThereBeforeAnythingLooksAtTheRoot) {
    ImageRoot node(" diskless.mode=overlay");
    ASSERT_TRUE(node.executor.run(plan_early(node.boot)));
    for (const auto& step : plan_boot(node.boot)) {
        if (step.id != "mount-image") EXPECT_THAT(step.needs, Not(Contains("mount-root"))) << step.id;
        if (step.id != "mount-overlay") EXPECT_THAT(step.needs, Not(Contains("mount-image"))) << step.id;
    }
}

/// A generation that nobody has made an image of is still a root.
TEST(ImageRoot, WithoutTheFileTheDirectoryIsTheRootAndTheReportSaysSo) {
    ImageRoot node;
    const auto result = node.run();
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_EQ(node.files.text("/sysroot/etc/motd"), "welcome\n");
    EXPECT_EQ(node.boot.root.image, "");
    EXPECT_EQ(node.boot.init, "/sbin/init");
    const auto steps = node.executor.reports();
    const auto step = std::ranges::find(steps, "mount-image", &StepReport::id);
    ASSERT_NE(step, steps.end());
    EXPECT_THAT(step->cause, HasSubstr("no live/root.squashfs in 10.9.0.1:/srv/images/debian/1"));
    EXPECT_THAT(step->remedy, HasSubstr("image pack"));
}

/// mount-root fails then, and mounts anew until somebody has mended it.
TEST(ImageRoot, WhereThereIsNeitherTheErrorTellsWhichFileIsMissing) {
    ImageRoot node;
    ASSERT_TRUE(node.executor.run(plan_early(node.boot)));
    ASSERT_TRUE(node.files.remove("/server/root/sbin/init"));
    ASSERT_TRUE(node.files.make_directories("/sysroot"));
    ASSERT_TRUE(node.mounts.mount({"10.9.0.1:/srv/images/debian/1", "/sysroot", "nfs", "ro"}));
    const auto result = steps::look_at_root(node.os, node.boot, true);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, AllOf(HasSubstr("no live/root.squashfs,"), HasSubstr("nor is it a root")));
    EXPECT_THAT(result.error().remedy, HasSubstr("diskless.image="));
    node.put("hsqs");
    EXPECT_TRUE(steps::look_at_root(node.os, node.boot, true));
}

TEST(ImageRoot, AFileOfAnotherKindIsNamed) {
    ImageRoot node;
    node.put("");
    const auto result = node.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, HasSubstr("live/root.squashfs is neither squashfs nor erofs"));
    EXPECT_EQ(node.files.text("/sysroot/etc/motd"), "welcome\n") << "a rescue shell finds the directory in its place";
}

TEST(ImageRoot, AnImageWithoutAnInitIsNoRootUntilItIsReplaced) {
    ImageRoot node;
    node.put("hsqs");
    ASSERT_TRUE(node.files.remove("/server/packed/sbin/init"));
    const auto result = node.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, HasSubstr("the root has no init"));
    EXPECT_EQ(node.files.text("/sysroot/etc/motd"), "welcome\n") << "the directory is in its place";
    node.files.tree({{"/server/packed/sbin/init", file("init", 0755)}});
    const auto again = node.executor.run(plan_boot(node.boot));
    ASSERT_TRUE(again) << again.error().cause;
    EXPECT_EQ(node.files.text("/sysroot/etc/motd"), "in the image\n");
}

TEST(ImageRoot, AnImageInAnImageIsNamed) {
    ImageRoot node;
    node.put("hsqs");
    ASSERT_TRUE(node.files.remove("/server/packed/sbin/init"));
    node.files.tree({{"/server/packed/LiveOS/rootfs.img", file("ext4")}});
    const auto result = node.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, HasSubstr("live/root.squashfs holds LiveOS/rootfs.img"));
}

TEST(ImageRoot, ItsModulesAreTheDirectorysWhereTheInitramfsHasNone) {
    ImageRoot node;
    node.put("hsqs");
    node.mounts.known_types.erase("squashfs");
    node.files.tree({{"/server/root/lib/modules/" + node.machine.kernel_release() + "/modules.dep",
                      file("kernel/fs/squashfs/squashfs.ko:\nkernel/drivers/block/loop.ko:\n")}});
    node.modules.on_load = [&](const std::string& name) {
        if (name == "squashfs") node.mounts.known_types["squashfs"] = true;
    };
    const auto result = node.run();
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_THAT(node.modules.names, ElementsAre("loop", "squashfs"));
}

TEST(ImageRoot, LoopDevicesMayBeAModuleWhereSquashfsIsNone) {
    ImageRoot node;
    node.put("hsqs");
    node.files.tree({{"/server/root/lib/modules/" + node.machine.kernel_release() + "/modules.dep",
                      file("kernel/drivers/block/loop.ko:\n")}});
    ASSERT_TRUE(node.run());
    EXPECT_THAT(node.modules.names, ElementsAre("loop"));
}

TEST(ImageRoot, AKernelWithoutLoopDevicesIsToldWithWhatHelps) {
    ImageRoot node;
    node.put("hsqs");
    node.mounts.refused_types["squashfs"] = ENOENT;
    const auto result = node.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().remedy, AllOf(HasSubstr("no loop devices"), HasSubstr("--image-root")));
}

TEST(ImageRoot, AKernelWithoutSquashfsIsToldWithWhatHelps) {
    ImageRoot node;
    node.put("hsqs");
    node.mounts.known_types.erase("squashfs");
    const auto result = node.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, HasSubstr("squashfs"));
    EXPECT_THAT(result.error().remedy, HasSubstr("take diskless.image= away"));
}

TEST(ImageRoot, AnAttemptThatGotHalfwayIsTakenUp) {
    ImageRoot node;
    node.put("hsqs");
    node.mounts.refuse_move = EIO;
    ASSERT_FALSE(node.run());
    EXPECT_EQ(node.files.text("/sysroot/etc/motd"), "welcome\n");
    node.mounts.refuse_move = 0;
    const auto result = node.executor.run(plan_boot(node.boot));
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_EQ(node.files.text("/sysroot/etc/motd"), "in the image\n");
    EXPECT_EQ(std::ranges::count(node.mounts.requests, "squashfs", &MountRequest::type), 1);
}

TEST(ImageRoot, FstabSaysNothingOfNfsToInitsThatGoByIt) {
    ImageRoot node;
    node.put("hsqs");
    node.files.tree({{"/server/packed/etc/fstab", file("/dev/sda1 / ext4 defaults 0 1\n")}});
    ASSERT_TRUE(node.run());
    EXPECT_THAT(node.files.text("/sysroot/etc/fstab"), StartsWith("/dev/root / auto ro 0 0\n#"));
}

}  // namespace
}  // namespace diskless
