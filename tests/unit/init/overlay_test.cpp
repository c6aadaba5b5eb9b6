// A shared root that can be written everywhere, in memory: boots on the fake cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/plan/executor.hpp"
#include "init/plan.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Overlay : FakeCluster {
    Boot boot;
    Executor executor{os, {}, false};

    explicit Overlay(const std::string& more = {})
        : FakeCluster(
              "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp "
              "diskless.snapshot=10.9.0.1:/srv/snapshots diskless.mode=overlay" +
              more) {
        mounts.known_types[kType] = true;
    }
    Result<> run() {
        TRY(executor.run(plan_early(boot)));
        return executor.run(plan_boot(boot));
    }
    /// Options of what is mounted there.
    std::string options_of(const std::string& target) {
        for (const auto& request : mounts.requests)
            if (request.target == target) return request.options;
        return "not mounted";
    }
    static constexpr const char* kType = "overlay";
};

TEST(OverlayRoot, IsWrittenEverywhereAndTheServersStaysAsItWas) {
    Overlay node;
    const auto result = node.run();
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_EQ(node.boot.root.mode, "overlay");
    EXPECT_TRUE(node.files.replace("/sysroot/etc/motd", "mine\n")) << "no list names it";
    EXPECT_TRUE(node.files.make_directories("/sysroot/opt/new"));
    EXPECT_NE(node.files.text("/server/root/etc/motd"), "mine\n");
    EXPECT_FALSE(node.files.replace("/run/diskless/root/etc/motd", "mine\n")) << "the root stays visible, read-only";
    const auto table = *node.mounts.table();
    const auto beneath = std::ranges::find(table, "/run/diskless/root", &MountEntry::target);
    ASSERT_NE(beneath, table.end());
    EXPECT_THAT(beneath->super_options, HasSubstr("ro,nosuid,nodev"));
    EXPECT_EQ(node.files.text("/sysroot/etc/hostname"), "node1\n");
    EXPECT_TRUE(node.files.replace("/sysroot/var/log/mine", "x"));
    EXPECT_EQ(node.files.text("/server/snapshots/node1/var/log/mine"), "x") << "what is listed is kept on the server";
    EXPECT_THAT(node.options_of("/run/diskless/overlay"), AllOf(HasSubstr("mode=0700"), Not(HasSubstr("size="))));
}

TEST(OverlayRoot, TakesTheMemoryThatItMayTake) {
    Overlay node(" diskless.overlay.size=25%");
    ASSERT_TRUE(node.run());
    EXPECT_THAT(node.options_of("/run/diskless/overlay"), HasSubstr(",size=25%"));
}

TEST(OverlayRoot, IsThereBeforeAnythingLooksAtTheRoot) {
    Overlay node;
    ASSERT_TRUE(node.executor.run(plan_early(node.boot)));
    for (const auto& step : plan_boot(node.boot)) {
        if (step.id == "mount-overlay") continue;
        EXPECT_THAT(step.needs, Not(Contains("mount-root"))) << step.id;
    }
}

TEST(OverlayRoot, TheModuleIsTheRootsWhereTheImageHasNone) {
    Overlay node;
    node.mounts.known_types.erase(Overlay::kType);
    const auto release = node.machine.kernel_release();
    node.files.tree({{"/server/root/lib/modules/" + release + "/modules.dep",
                      file("kernel/fs/overlayfs/overlay.ko.xz: kernel/lib/needed.ko\nkernel/lib/needed.ko:\n")}});
    node.modules.on_load = [&](const std::string& name) {
        if (name == "overlay") node.mounts.known_types[Overlay::kType] = true;
    };
    const auto result = node.run();
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_THAT(node.modules.names, ElementsAre("needed", "overlay"));
}

/// What the kernel says of a compressed module (EINVAL before 5.17) helps nobody.
TEST(OverlayRoot, AModuleThatTheKernelCannotDecompressIsToldWithWhatHelps) {
    Overlay node;
    node.mounts.known_types.erase(Overlay::kType);
    node.files.tree({{"/server/root/lib/modules/" + node.machine.kernel_release() + "/modules.dep",
                      file("kernel/fs/overlayfs/overlay.ko.xz:\n")}});
    node.modules.refuses["overlay"] = EINVAL;
    const auto result = node.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, HasSubstr("overlay.ko.xz"));
    EXPECT_THAT(result.error().remedy, HasSubstr("build the initramfs with --image-root"));
}

TEST(OverlayRoot, WithoutOverlayfsItSaysSoAndLeavesTheRootWhereItIs) {
    Overlay node;
    node.mounts.known_types.erase(Overlay::kType);
    const auto result = node.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, HasSubstr("no file system \"overlay\""));
    EXPECT_THAT(result.error().remedy, HasSubstr("diskless.mode=ro"));
    EXPECT_NE(node.files.text("/sysroot/etc/hostname"), "");
}

TEST(OverlayRoot, OlderKernelsDoWithoutWhatTheyDoNotKnow) {
    Overlay node;
    node.mounts.overlay_refuses = {"redirect_dir"};
    const auto result = node.run();
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_TRUE(node.files.replace("/sysroot/etc/motd", "mine\n"));
}

TEST(OverlayRoot, AnAttemptThatGotHalfwayIsTakenUp) {
    Overlay node;
    node.mounts.refused_types["overlay"] = EIO;
    ASSERT_FALSE(node.run());
    node.mounts.refused_types.clear();
    const auto result = node.executor.run(plan_boot(node.boot));
    ASSERT_TRUE(result) << result.error().cause;
    EXPECT_EQ(
        std::ranges::count_if(node.mounts.requests, [](const auto& each) { return each.source == "diskless-overlay"; }),
        1);
    EXPECT_TRUE(node.files.replace("/sysroot/etc/motd", "mine\n"));
}

/// Programs that put a new file in the place of the old one can do so: no mount is in their way.
TEST(OverlayRoot, WhatTheBootMakesStandsInIt) {
    Overlay node;
    ASSERT_TRUE(node.run());
    const auto table = *node.mounts.table();
    EXPECT_EQ(node.files.text("/sysroot/etc/hostname"), "node1\n");
    EXPECT_TRUE(std::ranges::none_of(table, [](const auto& each) { return each.target == "/sysroot/etc/hostname"; }));
    EXPECT_TRUE(std::ranges::any_of(table, [](const auto& each) { return each.target == "/sysroot/etc/machine-id"; }))
        << "kept in the snapshot";
}

TEST(OverlayRoot, ListedNamesThatTheImageLacksAreMade) {
    Overlay node;
    node.files.tree({{"/server/snapshots/node1/files", file("/opt/new/\n")}});
    ASSERT_TRUE(node.run());
    EXPECT_TRUE(node.files.replace("/sysroot/opt/new/file", "kept\n"));
    EXPECT_EQ(node.files.text("/server/snapshots/node1/opt/new/file"), "kept\n");
    EXPECT_FALSE(node.files.exists("/server/root/opt/new"));
}

TEST(OverlayRoot, FstabSaysWhatTheRootIsToInitsThatGoByIt) {
    Overlay node;
    node.files.tree({{"/server/root/etc/fstab", file("/dev/sda1 / ext4 defaults 0 1\n")}});
    ASSERT_TRUE(node.run());
    ASSERT_FALSE(node.boot.init_is_systemd);
    EXPECT_THAT(node.files.text("/sysroot/etc/fstab"), StartsWith("overlay / overlay rw 0 0\n#"));
}

}  // namespace
}  // namespace diskless
