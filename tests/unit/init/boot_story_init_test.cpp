// The init of the root: what it finds, and how it gets there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "init/boot_report_of.hpp"
#include "init/hand_over.hpp"
#include "tests/unit/init/boot_story.hpp"

namespace diskless {
namespace {

using namespace test_boot;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(BootStory, HandsOverToTheRealInit) {
    Story story;
    ASSERT_TRUE(story.run());
    const auto error =
        hand_over(story.os, story.boot, boot_report_of(story.boot, story.executor.reports(), story.os, {}), {});
    EXPECT_THAT(error.cause, HasSubstr("/sbin/init")) << "the fake's execute comes back";
    EXPECT_EQ(story.machine.root, "/sysroot");
    ASSERT_EQ(story.processes.spawned.size(), 1U);
    EXPECT_EQ(story.processes.spawned[0].arguments[0], "@diskless-agent") << "systemd spares names that begin so";
    const auto kept = boot_report_from_json(story.files.text(kReportFile));
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->identity.hostname, "node1");
    EXPECT_THAT(kept->executed, IsEmpty());
}

/// Debian's umountfs leaves alone what stands before the root in the table; the agent needs the same where it stays.
TEST(BootStory, WhatWasThereBeforeTheRootStandsBeforeItInTheTable) {
    Story story;
    ASSERT_TRUE(story.run());
    const auto table = *story.mounts.table();
    std::vector<std::string> targets;
    for (const auto& entry : table) targets.push_back(entry.target);
    const auto place = [&](const std::string& target) { return std::ranges::find(targets, target) - targets.begin(); };
    for (const char* shown : {"/sysroot/proc", "/sysroot/sys", "/sysroot/dev", "/sysroot/run", "/sysroot/run/diskless"})
        EXPECT_LT(place(shown), place("/sysroot")) << shown;
    for (const char* kept : {"/proc", "/sys", "/dev", "/run"}) EXPECT_THAT(targets, Contains(kept));
    EXPECT_TRUE(story.files.exists(kProgram));
    EXPECT_TRUE(story.files.exists(std::string("/sysroot") + kProgram));
}

TEST(BootStory, WhatCannotBeMovedIntoTheRootIsShownThereAllTheSame) {
    Story story;
    story.mounts.refuse_move = EINVAL;  // the parent mount is shared
    const auto result = story.run();
    ASSERT_TRUE(result) << why(result);
    EXPECT_TRUE(story.files.exists(kProgram));
    EXPECT_TRUE(story.files.exists("/sysroot/proc/cmdline"));
}

TEST(BootStory, SystemdIsToldToLeaveWhatIsMounted) {
    Story story;
    story.files.tree({{"/server/root/lib/systemd/systemd", file("init", 0755)}});
    ASSERT_TRUE(story.files.remove("/server/root/sbin/init"));
    story.files.tree({{"/server/root/sbin/init", symlink("/lib/systemd/systemd")}});
    const auto result = story.run();
    ASSERT_TRUE(result) << why(result);
    for (const char* unit : {"var-log.mount", "run-diskless-.mount.d/diskless.conf"})
        EXPECT_THAT(story.files.text(std::string("/run/systemd/system/") + unit), HasSubstr("DefaultDependencies=no"))
            << unit;
    EXPECT_FALSE(story.files.exists("/run/systemd/system/proc.mount"));
    EXPECT_FALSE(story.files.exists("/run/systemd/system/home.mount")) << "nothing of ours";

    Story without;
    ASSERT_TRUE(without.run());
    EXPECT_FALSE(without.files.exists("/run/systemd/system")) << "no systemd, nothing for it";
}

TEST(BootStory, ARootWithoutInitIsSaidNotPanickedAbout) {
    Story story;
    ASSERT_TRUE(story.files.remove("/server/root/sbin/init"));
    Executor executor(story.os,
                      {.retry =
                           [&](const StepReport&, const Error& error, Milliseconds) {
                               EXPECT_THAT(error.cause, HasSubstr("no init"));
                               (void)story.files.replace("/server/root/sbin/init", "init", 0755);
                           }},
                      false);
    ASSERT_TRUE(executor.run(plan_early(story.boot)));
    EXPECT_TRUE(executor.run(plan_boot(story.boot))) << "looked for again, and found once it is there";
}

TEST(BootStory, AnInitThatCannotBeRunIsSaidBeforeTheHandOver) {
    struct Case {
        FakeNode init;
        const char* said;
    };
    const Case cases[] = {{symlink("/lib/systemd/systemd"), "leads to /usr/lib/systemd/systemd, which is not there"},
                          {file("init", 0644), "cannot be executed"},
                          {symlink("init"), "loop of symlinks"},
                          {directory(), "is no program"}};
    for (const auto& each : cases) {
        const std::string said = each.said;
        Story story;
        ASSERT_TRUE(story.files.remove("/server/root/sbin/init"));
        story.files.tree({{"/server/root/lib", symlink("usr/lib")},
                          {"/server/root/usr/lib/systemd", directory()},
                          {"/server/root/sbin/init", each.init}});
        int retries = 0;
        Executor executor(story.os,
                          {.retry =
                               [&](const StepReport& step, const Error& error, Milliseconds) {
                                   EXPECT_EQ(step.id, "mount-root");
                                   EXPECT_THAT(error.cause, HasSubstr(said));
                                   EXPECT_THAT(error.remedy, HasSubstr("init="));
                                   ++retries;
                                   EXPECT_TRUE(story.files.remove_tree("/server/root/sbin/init"));
                                   story.files.tree({{"/server/root/sbin/init", symlink("/lib/systemd/systemd")},
                                                     {"/server/root/usr/lib/systemd/systemd", file("init", 0755)}});
                               }},
                          false);
        ASSERT_TRUE(executor.run(plan_early(story.boot)));
        EXPECT_TRUE(executor.run(plan_boot(story.boot))) << said;
        EXPECT_EQ(retries, 1) << said;
        EXPECT_EQ(story.boot.init, "/sbin/init");
        EXPECT_TRUE(story.boot.init_is_systemd);
    }
}

}  // namespace
}  // namespace diskless
