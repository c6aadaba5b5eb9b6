// The snapshot, and the state of the node in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/init/boot_story.hpp"

namespace diskless {
namespace {

using namespace test_boot;
using ::testing::HasSubstr;

TEST(BootStory, WithoutASnapshotTheStateIsVolatileAndTheReportSaysSo) {
    Story story(
        "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp diskless.snapshot=10.9.0.1:/srv/elsewhere");
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.snapshot.state, "volatile");
    const auto step = story.step("mount-snapshot");
    EXPECT_EQ(step.outcome, StepOutcome::degraded);
    EXPECT_THAT(step.cause, HasSubstr("node1"));
    EXPECT_THAT(step.remedy, HasSubstr("mkdir /srv/elsewhere/node1"));
}

TEST(BootStory, WhereNobodyTellsANameTheSnapshotHasTheOneOfTheRootsHosts) {
    Story story("root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp diskless.snapshot=10.9.0.1:/srv/bare");
    story.dhcp_options = test::option(1, Ipv4(255, 255, 255, 0));
    story.files.tree({{"/server/root/etc/hosts", file(story.address.text() + " taimon host1\n")}});
    story.serve("/srv/bare/taimon", "/server/snapshots/node1");
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.snapshot.name, "taimon");
    EXPECT_EQ(story.boot.snapshot.state, "mounted");
}

TEST(BootStory, ASnapshotThatMustBeThereStopsTheBootUntilItIs) {
    Story story(
        "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp diskless.snapshot=10.9.0.1:/srv/elsewhere "
        "diskless.snapshot.policy=fail");
    const auto result = story.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, HasSubstr("no snapshot"));
    story.serve("/srv/elsewhere/node1", "/server/snapshots/node1");
    const auto dhcp_before = story.step("configure-network").ended;
    ASSERT_TRUE(story.executor.run(plan_boot(story.boot))) << "the boot goes on from the step that failed";
    EXPECT_EQ(story.step("configure-network").ended, dhcp_before);
}

TEST(BootStory, AReadOnlySnapshotIsNoSnapshot) {
    Story story;
    auto system = story.files.file_system("/server/snapshots/node1");
    system->read_only = true;
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.snapshot.state, "volatile");
    EXPECT_THAT(story.step("mount-snapshot").remedy, HasSubstr("rw"));
}

TEST(BootStory, RedHatsLayoutIsUsedAsItIs) {
    Story story(
        "root=/dev/ram0 init=disklessrc NFSROOT=10.9.0.1:/diskless/i386/RHEL5-AS ramdisk_size=28753 ETHERNET=eth0 "
        "SNAPSHOT=node003 NISDOMAIN=my_nis_domain");
    story.serve("/diskless/i386/RHEL5-AS/root", "/server/root");
    story.files.tree({{"/server/scn/files", file("# comment\n/etc/motd\n/var/log\n")},
                      {"/server/scn/files.custom", file("/tmp\n")},
                      {"/server/scn/node003/etc/motd", file("node003's own\n")}});
    story.serve("/diskless/i386/RHEL5-AS/snapshot", "/server/scn");
    const auto result = story.run();
    ASSERT_TRUE(result) << why(result);
    EXPECT_EQ(story.boot.snapshot.name, "node003");
    EXPECT_EQ(story.seen("/etc/motd"), "node003's own\n");
    EXPECT_EQ(story.seen("/var/log/messages"), "golden node's own\n") << "seeded from the root at first use";
    EXPECT_EQ(story.files.text("/server/scn/node003/var/log/messages"), "golden node's own\n");
    EXPECT_EQ(story.machine.nis_domain, "my_nis_domain");
}

TEST(BootStory, NfsrootMayNameRedHatsRootItself) {
    Story story("init=disklessrc NFSROOT=10.9.0.1:/d/root SNAPSHOT=node003");
    story.serve("/d/root", "/server/root");
    story.files.tree({{"/server/scn/node003/etc/motd", file("own\n")}, {"/server/scn/files", file("/etc/motd\n")}});
    story.serve("/d/snapshot", "/server/scn");
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.seen("/etc/motd"), "own\n");
}

TEST(BootStory, GoingOnAfterAFailedStateMountsItsMemoryOnce) {
    Story story;
    story.processes.hanging.insert("prepare state");
    ASSERT_FALSE(story.run());
    EXPECT_LT(story.clock.now(), Seconds{1000}) << "no word of what the child does: five minutes for each attempt";
    story.processes.hanging.clear();
    ASSERT_TRUE(story.executor.run(plan_boot(story.boot)));
    EXPECT_EQ(std::ranges::count(story.mounts.requests, "diskless-state", &MountRequest::source), 1);
}

TEST(BootStory, WaitingForASnapshotDoesNotPileMountsUp) {
    Story story("init=disklessrc NFSROOT=10.9.0.1:/d/root SNAPSHOT=node003 diskless.snapshot.policy=fail");
    story.serve("/d/root", "/server/root");
    story.files.tree({{"/server/scn/files", file("/etc/motd\n")}});
    story.serve("/d/snapshot", "/server/scn");
    ASSERT_FALSE(story.run());
    for (const auto& line : story.mounts.lines()) EXPECT_THAT(line, ::testing::Not(HasSubstr("/d/snapshot")));
    story.files.tree({{"/server/scn/node003/etc/motd", file("own\n")}});
    ASSERT_TRUE(story.executor.run(plan_boot(story.boot)));
    EXPECT_EQ(story.seen("/etc/motd"), "own\n");
}

}  // namespace
}  // namespace diskless
