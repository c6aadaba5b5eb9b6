// What is done about a failure: the real loop, plan and steps on a fake cluster.
#include "init/boot_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What does not come back on a node throws here.
struct BecameInit {};
struct Stopped {
    std::string stage, cause;
    unsigned reboot_after;
};

void stop(const EmergencyText& text, unsigned reboot_after) { throw Stopped{text.stage, text.cause, reboot_after}; }

struct Loop : FakeCluster {
    Boot boot;
    Executor executor{os, {}, false};

    explicit Loop(const std::string& words = "")
        : FakeCluster(
              "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp "
              "diskless.snapshot=10.9.0.1:/srv/snapshots " +
              words) {}

    /// The kernel refuses the real init so many times.
    void run(int refused) {
        std::function<void()> tell = [&] {
            executed_at.push_back(clock.now());
            if (refused-- == 0) throw BecameInit{};
            processes.on_execute = tell;
        };
        processes.on_execute = tell;
        boot_on({os, stop}, boot, executor, clock.now(), {});
    }

    std::vector<Nanoseconds> executed_at;
};

TEST(BootLoop, AnInitThatCannotBeExecutedIsSaidAndTriedAgain) {
    Loop loop;
    EXPECT_THROW(loop.run(2), BecameInit);
    EXPECT_TRUE(loop.machine.has_said("boot stopped: execute /sbin/init: the fake goes on"));
    EXPECT_TRUE(loop.machine.has_said("what to do: mend the init of the image, or name another one by init="));
    EXPECT_TRUE(loop.machine.has_said("trying again from there in"));
    ASSERT_EQ(loop.executed_at.size(), 3U);
    for (const std::size_t again : {1U, 2U}) {
        const auto pause = loop.executed_at[again] - loop.executed_at[again - 1];
        EXPECT_GE(pause, Seconds{2});
        EXPECT_LE(pause, Seconds{62});
    }
    EXPECT_EQ(loop.machine.root, "/sysroot");
    EXPECT_EQ(loop.processes.spawned.size(), 1U) << "one agent";
    EXPECT_EQ(
        std::ranges::count_if(loop.mounts.requests, [](const auto& each) { return each.type.starts_with("nfs"); }), 2)
        << "root and snapshot, once";
    EXPECT_THAT(loop.machine.powered, IsEmpty());
}

TEST(BootLoop, AnInitThatCannotBeExecutedRebootsWhereThatIsWanted) {
    Loop loop("diskless.onfail=reboot:7");
    try {
        loop.run(1);
        ADD_FAILURE() << "it came back";
    } catch (const Stopped& stopped) {
        EXPECT_EQ(stopped.stage, "reboot") << "the fake machine goes on";
        EXPECT_EQ(stopped.reboot_after, 10U);
    }
    EXPECT_THAT(loop.machine.powered, ElementsAre(PowerVerb::reboot));
    ASSERT_EQ(loop.executed_at.size(), 1U);
    EXPECT_EQ(loop.clock.now(), loop.executed_at[0] + Seconds{7});
    EXPECT_TRUE(loop.machine.has_said("boot stopped: execute /sbin/init"));
    EXPECT_TRUE(loop.machine.has_said("rebooting in 7 s"));
}

TEST(BootLoop, AnInitThatCannotBeExecutedOpensAShellWhereThatIsWanted) {
    Loop loop("diskless.onfail=shell");
    EXPECT_THROW(loop.run(1), BecameInit) << "when the shell was left";
    ASSERT_EQ(loop.processes.spawned.size(), 2U) << "the agent and the shell";
    EXPECT_EQ(loop.processes.spawned[1].path, "/bin/busybox");
    EXPECT_EQ(loop.processes.spawned[1].console, "/dev/console");
    EXPECT_TRUE(loop.machine.has_said("boot stopped: execute /sbin/init"));
    EXPECT_FALSE(loop.machine.has_said("trying again"));
    EXPECT_THAT(loop.machine.powered, IsEmpty());
}

/// The image's is not there any more when the root has been switched.
TEST(BootLoop, TheShellMayBeTheRoots) {
    Loop loop("diskless.onfail=shell");
    loop.processes.absent = {"/bin/busybox"};
    EXPECT_THROW(loop.run(1), BecameInit);
    ASSERT_EQ(loop.processes.spawned.size(), 2U);
    EXPECT_EQ(loop.processes.spawned[1].path, "/bin/sh");
    EXPECT_FALSE(loop.machine.has_said("no shell"));
}

TEST(BootLoop, WithoutAnyShellItSaysWhereOneComesFrom) {
    Loop loop("diskless.onfail=shell");
    loop.processes.absent = {"/bin/busybox", "/bin/sh"};
    EXPECT_THROW(loop.run(1), BecameInit);
    EXPECT_TRUE(loop.machine.has_said("build the image with --shell"));
}

TEST(BootLoop, AStepThatFailsForGoodIsTriedAgainFromThere) {
    Loop loop("diskless.snapshot=10.9.0.1:/srv/later diskless.snapshot.policy=fail diskless.onfail=reboot:7");
    EXPECT_THROW(loop.run(0), Stopped);
    EXPECT_THAT(loop.executed_at, IsEmpty());
    EXPECT_TRUE(loop.machine.has_said("no snapshot"));
    loop.serve("/srv/later/node1", "/server/snapshots/node1");
    const auto before = loop.mounts.requests.size();
    EXPECT_THROW(loop.run(0), BecameInit);
    EXPECT_GT(loop.mounts.requests.size(), before);
    EXPECT_EQ(std::ranges::count(loop.mounts.requests, "/sysroot", &MountRequest::target), 1);
}

TEST(BootLoop, WithoutTheKernelsFileSystemsThereIsNothingToWaitFor) {
    Loop loop;
    loop.mounts.refuse("/proc", ENOMEM);
    try {
        loop.run(0);
        ADD_FAILURE() << "it came back";
    } catch (const Stopped& stopped) {
        EXPECT_EQ(stopped.stage, "boot");
        EXPECT_THAT(stopped.cause, HasSubstr("/proc"));
        EXPECT_EQ(stopped.reboot_after, 60U);
    }
}

}  // namespace
}  // namespace diskless
