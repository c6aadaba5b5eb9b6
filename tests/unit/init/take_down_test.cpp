// The way down on fakes: bounded, in order, and it says what it leaves behind.
#include "init/shutdown/take_down.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::ElementsAre;

constexpr const char* kUser = " (worker (x)) S 1 1 1 0 -1 4194560 0";
constexpr const char* kStuck = " (nfs reader) D 1 1 1 0 -1 4194560 0";
constexpr const char* kOfRoot = "Name:\tx\nUid:\t0\t0\t0\t0\n";
constexpr const char* kOfUser = "Name:\tx\nUid:\t1000\t1000\t1000\t1000\n";
constexpr const char* kKernel = " (kthreadd) S 0 0 0 0 -1 2129984 0";

struct Down : FakeCluster {
    std::function<void()> guard;
    Nanoseconds guard_wait{0}, began{0};
    bool has_threads = true;
    ShutdownSituation situation;

    Down() : FakeCluster("") {
        files.tree({{"/proc/1/stat", file("1 (systemd) S 0 1 1 0 -1 4194560 0")},
                    {"/proc/2/stat", file("2" + std::string(kKernel))},
                    {"/proc/meminfo", file("MemFree: 5 kB\nDirty: 12 kB\nWriteback: 4 kB\n")}});
        situation.timeout = Seconds{20};
    }
    void process(const std::string& pid, const char* stat, const char* status = kOfRoot) {
        files.tree({{"/proc/" + pid + "/stat", file(pid + stat)}, {"/proc/" + pid + "/status", file(status)}});
    }
    void run() {
        began = clock.now();
        take_down(os, situation,
                  {.guard =
                       [this](Nanoseconds wait, std::function<void()> end) {
                           guard_wait = wait;
                           guard = std::move(end);
                           return has_threads;
                       },
                   .overlap = false});
    }
    Nanoseconds took() const { return clock.now() - began; }
};

TEST(IsUserProcess, IsToldByTheKernelsOwnFlags) {
    EXPECT_TRUE(is_user_process("5" + std::string(kUser)));
    EXPECT_TRUE(is_user_process("5" + std::string(kStuck)));
    EXPECT_FALSE(is_user_process("2" + std::string(kKernel)));
    EXPECT_FALSE(is_user_process("5 (gone) Z 1 1 1 0 -1 4194560 0"));
    for (const char* bad : {"", "5", "5 (", "5 (x)", "5 (x) S 1"}) EXPECT_FALSE(is_user_process(bad)) << bad;
}

TEST(UnwrittenBytes, AreDirtyWritebackAndUnstable) {
    EXPECT_EQ(unwritten_bytes("Dirty: 12 kB\nWriteback:  4 kB\nNFS_Unstable: 1 kB\nMemFree: 9 kB\n"), 17U * 1024);
    EXPECT_EQ(unwritten_bytes("Dirty:\nDirty: many kB\n"), 0U);
}

std::vector<std::string> paths(const std::vector<Release>& releases) {
    std::vector<std::string> all;
    for (const auto& release : releases) all.push_back(release.path);
    return all;
}

TEST(ReleaseOrder, IsDeepestFirstAndOnlyBelow) {
    const std::vector<MountEntry> table{{.target = "/oldroot"},
                                        {.target = "/oldroots"},
                                        {.target = "/oldroot/var"},
                                        {.target = "/proc"},
                                        {.target = "/oldroot/run/diskless/snapshot"},
                                        {.target = "/oldroot/var/log"}};
    EXPECT_THAT(paths(release_order(table, {}, true)),
                ElementsAre("/oldroot/run/diskless/snapshot", "/oldroot/var/log", "/oldroot/var", "/oldroot"));
    EXPECT_THAT(paths(release_order(table, {}, false)), ElementsAre("/oldroot/var/log", "/oldroot/var"))
        << "snapshot and root are needed for the record";
}

/// What was moved into the root stands before the root in the table, and is in its way all the same.
TEST(ReleaseOrder, HasChildrenBeforeTheirParents) {
    const std::vector<MountEntry> table{{.target = "/oldroot/run"}, {.target = "/oldroot/run/diskless"},
                                        {.target = "/oldroot"},     {.target = "/oldroot/tmp"},
                                        {.target = "/oldroot/tmp"}, {.target = "/oldroot/run/diskless/state"}};
    EXPECT_THAT(paths(release_order(table, {}, true)),
                ElementsAre("/oldroot/run/diskless/state", "/oldroot/run/diskless", "/oldroot/tmp", "/oldroot/tmp",
                            "/oldroot/run", "/oldroot"));
}

/// An overlay lets go of what it covers, which may take as long as an NFS mount: not in a row with memory.
TEST(ReleaseOrder, AnOverlayMayStandOnAServer) {
    const std::vector<MountEntry> table{{.source = "s:/root", .target = "/oldroot/run/diskless/root", .type = "nfs"},
                                        {.source = "overlay", .target = "/oldroot", .type = "overlay"},
                                        {.source = "tmpfs", .target = "/oldroot/tmp", .type = "tmpfs"}};
    const auto order = release_order(table, {}, true);
    EXPECT_THAT(paths(order), ElementsAre("/oldroot/run/diskless/root", "/oldroot/tmp", "/oldroot"));
    EXPECT_TRUE(order[0].matters);
    EXPECT_FALSE(order[1].matters);
    EXPECT_TRUE(order[2].matters);
}

TEST(ReleaseOrder, WhatHoldsTheRootInAFileIsKeptForItAndThenDetached) {
    const std::vector<MountEntry> table{{.target = "/oldroot/run/diskless/image", .type = "nfs"},
                                        {.source = "/dev/loop0", .target = "/oldroot", .type = "squashfs"},
                                        {.target = "/oldroot/var/log", .type = "nfs"}};
    EXPECT_THAT(paths(release_order(table, {}, false)), ElementsAre("/oldroot/var/log"));
    const auto order = release_order(table, {}, true);
    EXPECT_THAT(paths(order), ElementsAre("/oldroot/run/diskless/image", "/oldroot/var/log", "/oldroot"));
    EXPECT_EQ(order[0].how, Unmount::lazy) << "it is busy as long as the root is";
    EXPECT_EQ(order[2].how, Unmount::normal);
}

TEST(ReleaseOrder, BesideALivingInitIsWhatInitSees) {
    const std::vector<MountEntry> table{{.source = "s:/root", .target = "/", .type = "nfs4"},
                                        {.source = "tmpfs", .target = "/run", .type = "tmpfs"},
                                        {.source = "proc", .target = "/proc", .type = "proc"},
                                        {.source = "s:/home", .target = "/home", .type = "nfs4"},
                                        {.source = "tmpfs", .target = "/home/tmp", .type = "tmpfs"},
                                        {.source = "/dev/sda1", .target = "/runner", .type = "ext4"},
                                        {.source = "/dev/vda1", .target = "/run/diskless/swap/2", .type = "vfat"},
                                        {.source = "s:/srv", .target = "/run/user/1/srv", .type = "nfs"}};
    ShutdownSituation situation;
    situation.after_pivot = false;
    const auto order = release_order(table, situation, true);
    EXPECT_THAT(paths(order), ElementsAre("/proc/1/root/run/user/1/srv", "/proc/1/root/run/diskless/swap/2",
                                          "/proc/1/root/home/tmp", "/proc/1/root/runner", "/proc/1/root/home"))
        << "a disk stays marked as in use when it is left mounted, also below /run";
    EXPECT_FALSE(order[2].matters) << "memory";
    EXPECT_TRUE(order[3].matters) << "a disk";
    EXPECT_TRUE(order[4].matters);
    EXPECT_EQ(order[4].shown, "/home");
}

TEST(SwapsToStop, AreAllButCompressedMemory) {
    const auto swaps = swaps_to_stop(
        "Filename Type Size Used Priority\n"
        "/dev/zram0 partition 1 0 100\n/dev/sda2 partition 9 7 -2\n/mnt/a\\040b file 1 x -3\n");
    ASSERT_EQ(swaps.size(), 2U);
    EXPECT_EQ(swaps[0].path, "/dev/sda2");
    EXPECT_EQ(swaps[0].used, 7U);
    EXPECT_EQ(swaps[1].path, "/mnt/a b");
    EXPECT_EQ(swaps[1].used, 0U);
    for (const char* nothing : {"", "Filename Type", "\n\n\n"}) EXPECT_TRUE(swaps_to_stop(nothing).empty());
}

TEST(MemoryAvailable, IsAsTheKernelSays) {
    EXPECT_EQ(memory_available("MemTotal: 9 kB\nMemAvailable:  1234 kB\n"), 1234U);
    for (const char* silent : {"", "MemAvailable:", "MemAvailable: x kB"})
        EXPECT_EQ(memory_available(silent), kUnknownMemory);
}

TEST(PlanShutdown, IsSoundInEverySituation) {
    for (const bool dead : {false, true})
        for (const bool pivoted : {false, true}) {
            const auto down = std::make_shared<WayDown>();
            down->situation = {.server_dead = dead, .after_pivot = pivoted};
            EXPECT_TRUE(problems_of(plan_shutdown(down)).empty());
        }
}

TEST(TakeDown, UnmountsEverythingAndEndsTheMachine) {
    Down down;
    down.files.tree({{"/oldroot", directory()}});
    ASSERT_TRUE(down.mounts.mount({"10.9.0.1:/srv/images/debian/1", "/oldroot", "nfs", "ro"}));
    ASSERT_TRUE(down.mounts.mount({"tmpfs", "/oldroot/tmp", "tmpfs", ""}));
    down.run();
    for (const auto& line : down.mounts.lines()) EXPECT_FALSE(line.starts_with("/oldroot")) << line;
    EXPECT_EQ(down.machine.syncs, 1);
    ASSERT_FALSE(down.machine.powered.empty());
    EXPECT_EQ(down.machine.powered[0], PowerVerb::reboot);
    EXPECT_EQ(down.machine.sysrqs, "b") << "the fake refuses reboot(2)";
    EXPECT_EQ(down.took(), Seconds{5}) << "for sysrq; nothing else is waited for";
    EXPECT_EQ(down.guard_wait, Seconds{18}) << "reboot(2) shuts devices down, which takes its time";
}

TEST(TakeDown, OnlyWhatMayHangHasAChildOfItsOwn) {
    Down down;
    down.files.tree({{"/oldroot", directory()}});
    ASSERT_TRUE(down.mounts.mount({"10.9.0.1:/srv/images/debian/1", "/oldroot", "nfs", "ro"}));
    for (const char* memory : {"/oldroot/proc", "/oldroot/sys", "/oldroot/tmp"})
        ASSERT_TRUE(down.mounts.mount({"tmpfs", memory, "tmpfs", ""}));
    ASSERT_TRUE(down.mounts.mount({"10.9.0.1:/srv/images/debian/1", "/oldroot/var", "nfs", "ro"}));
    down.run();
    std::vector<std::string> unmounted;
    for (const auto& name : down.processes.children)
        if (name.starts_with("unmount ")) unmounted.push_back(name);
    EXPECT_THAT(unmounted, ElementsAre("unmount /var", "unmount /tmp", "unmount /"));
    for (const auto& line : down.mounts.lines()) EXPECT_FALSE(line.starts_with("/oldroot")) << line;
}

TEST(TakeDown, AProcessThatNeverDiesHoldsNothingUp) {
    for (const bool pivoted : {false, true}) {
        Down down;
        down.situation.after_pivot = pivoted;
        down.situation.spared = {42};
        down.process("42", kUser);
        down.process("50", kStuck);
        down.run();
        EXPECT_LT(down.took(), Seconds{20});
        std::vector<std::pair<int, int>> signals{{50, 15}, {50, 18}, {50, 9}, {50, 18}};
        if (!pivoted) signals.insert(signals.begin(), {1, SIGTSTP});
        EXPECT_EQ(down.processes.signals, signals) << "an init that lives shall not start anything again";
        EXPECT_TRUE(down.machine.has_said("1 processes did not end (first: 50 (nfs reader)), continuing"));
        EXPECT_FALSE(down.machine.powered.empty());
    }
}

TEST(TakeDown, TheAgentStaysToTheEnd) {
    Down down;
    down.process("60", " (diskless-agent) S 1 1 1 0 -1 4194560 0");
    down.process("61", " (diskless-guard) S 1 1 1 0 -1 4194560 0");
    down.run();
    EXPECT_TRUE(down.processes.signals.empty());
    EXPECT_FALSE(down.machine.has_said("did not end"));
}

TEST(TakeDown, TheAgentsNameAloneSparesNobody) {
    Down down;
    down.process("60", " (diskless-agent) S 1 1 1 0 -1 4194560 0", kOfUser);
    down.run();
    EXPECT_THAT(down.processes.signals, ::testing::Contains(std::pair(60, SIGTERM)));
}

TEST(TakeDown, WithoutThreadsItGoesOnStepByStep) {
    Down down;
    down.has_threads = false;
    down.process("50", kUser);
    down.processes.on_signal = [&](int pid, int number) {
        if (number == SIGTERM) down.files.tree({{"/proc/" + std::to_string(pid) + "/stat", file("")}});
    };
    down.run();
    EXPECT_TRUE(down.machine.has_said("no thread is to be had"));
    EXPECT_FALSE(down.machine.powered.empty());
}

TEST(TakeDown, WhatInitStartsAnewIsNotWaitedFor) {
    Down down;
    down.situation.after_pivot = false;
    down.process("50", kUser);
    int next = 51;
    down.processes.on_signal = [&](int pid, int number) {
        if (pid != 1 && number == 9) {
            (void)down.files.remove_tree("/proc/" + std::to_string(pid));
            down.process(std::to_string(next++), kUser);
        }
    };
    down.run();
    EXPECT_FALSE(down.machine.has_said("did not end"));
    EXPECT_EQ(next, 52) << "killed once";
}

TEST(TakeDown, AServerThatIsGoneCostsLittle) {
    Down down;
    down.situation.server_dead = true;
    down.files.tree({{"/oldroot", directory()}});
    ASSERT_TRUE(down.mounts.mount({"10.9.0.1:/srv/images/debian/1", "/oldroot", "nfs", "ro"}));
    down.process("50", kStuck);
    down.processes.hanging = {"sync", "unmount /", "detach what is left", "release the snapshot"};
    down.run();
    EXPECT_TRUE(down.machine.has_said("about 16.0 KiB not written"));
    EXPECT_FALSE(down.machine.powered.empty());
    EXPECT_LT(down.took(), Seconds{10});
    EXPECT_EQ(down.guard_wait, Milliseconds{4500});
    EXPECT_EQ(down.machine.sysrqs.find('u'), std::string::npos) << "there is no local disk";
}

TEST(TakeDown, LocalDisksAreSavedThoughTheServerIsGone) {
    Down down;
    down.situation.server_dead = true;
    down.mounts.provide("/dev/sda1", "/fake/proc");
    down.files.tree({{"/oldroot/scratch", directory()}});
    ASSERT_TRUE(down.mounts.mount({"/dev/sda1", "/oldroot/scratch", "ext4", ""}));
    down.processes.hanging = {"sync"};
    down.run();
    EXPECT_EQ(down.machine.sysrqs.substr(0, 1), "u");
}

/// No table shows them, and the server would keep what it knows of the node until its lease ends.
TEST(TakeDown, WhatTheAgentHoldsOfTheServersIsReleased) {
    Down down;
    for (const char* name : {"snapshot", "location", "root", "image"}) {
        const auto place = std::string("/proc/77/root/run/diskless/") + name;
        down.files.tree({{place, directory()}});
        ASSERT_TRUE(down.mounts.mount({"10.9.0.1:/srv/images/debian/1", place, "nfs", "ro"}));
    }
    down.situation.run_directory = "/proc/77/root/run/diskless";
    down.run();
    const auto table = down.mounts.table();
    ASSERT_TRUE(table);
    for (const auto& each : *table) EXPECT_NE(each.type, "nfs") << each.target;
}

/// A way down with a server that dies in the middle of it.
TEST(TakeDown, AServerThatDiesOnTheWayIsNoticed) {
    Down down;
    int asked = 0;
    down.situation.server_answers = [&](Deadline) {
        ++asked;
        down.clock.advance(Seconds{1});
        return false;
    };
    down.processes.hanging = {"sync"};
    down.run();
    EXPECT_EQ(asked, 2) << "that is enough";
    EXPECT_LT(down.took(), Seconds{7} + Seconds{5}) << "5 s are sysrq's";
    EXPECT_TRUE(down.machine.has_said("16.0 KiB not written"));
}

/// All its threads write what the other nodes had in memory.
TEST(TakeDown, AServerThatIsBusyIsNotTakenForDead) {
    Down down;
    int asked = 0;
    down.situation.server_answers = [&](Deadline until) {
        if (++asked % 2 == 0) return true;
        down.clock.advance(until.left(down.clock));
        return false;
    };
    down.processes.hanging = {"sync"};
    down.run();
    EXPECT_GT(asked, 2);
    EXPECT_FALSE(down.machine.has_said("does not answer any more"));
    EXPECT_GE(down.took(), Seconds{10} + Seconds{5}) << "5 s are sysrq's";
}

TEST(TakeDown, AServerThatAnswersButTakesNothingIsGivenUpInTime) {
    Down down;
    down.situation.timeout = Seconds{60};
    down.situation.server_answers = [](Deadline) { return true; };
    down.processes.hanging = {"sync"};
    down.run();
    EXPECT_GE(down.took(), Seconds{10} + Seconds{5}) << "5 s are sysrq's";
    EXPECT_LT(down.took(), Seconds{25}) << "there would be forty";
    EXPECT_TRUE(down.machine.has_said("still to be written"));
}

TEST(TakeDown, ASlowServerIsWaitedForAsLongAsItTakesSomething) {
    Down down;
    down.situation.timeout = Seconds{60};
    down.situation.server_answers = [](Deadline) { return true; };
    down.processes.hanging = {"sync"};
    int kilobytes = 100'000;
    down.files.hook = [&](const FakeCall& call) -> std::optional<Error> {
        if (call.path != "/proc/meminfo" || call.name != "read") return std::nullopt;
        kilobytes -= 100;
        down.files.tree({{"/proc/meminfo", file("Dirty: " + std::to_string(kilobytes) + " kB\n")}});
        return std::nullopt;
    };
    down.run();
    EXPECT_GT(down.took(), Seconds{35});
    EXPECT_LT(down.took(), Seconds{60});
}

struct WithSnapshot : Down {
    WithSnapshot() {
        files.tree({{"/run/diskless/snapshot/.diskless/running", file()}});
        situation.has_snapshot = true;
    }
    std::string kept(const char* name) { return files.text(std::string("/run/diskless/snapshot/.diskless/") + name); }
    LastShutdown record() { return last_shutdown_from_json(kept("last-shutdown.json")).value_or(LastShutdown{}); }
};

TEST(TakeDown, ACleanEndIsKeptForTheNextBoot) {
    WithSnapshot down;
    down.situation.verb = PowerVerb::poweroff;
    down.run();
    const auto record = down.record();
    EXPECT_EQ(record.outcome, "clean");
    EXPECT_EQ(record.verb, "poweroff");
    EXPECT_EQ(record.wall, 1'700'000'002);
    EXPECT_EQ(down.kept("running"), "<absent>");
    EXPECT_EQ(down.kept("clock"), "1700000002\n");
    EXPECT_TRUE(down.machine.has_said("nothing lost"));
}

TEST(TakeDown, LossesAreKeptForTheNextBoot) {
    WithSnapshot down;
    down.files.tree({{"/oldroot/home", directory()}});
    down.mounts.provide("10.9.0.1:/srv/home", "/fake/proc");
    ASSERT_TRUE(down.mounts.mount({"10.9.0.1:/srv/home", "/oldroot/home", "nfs4", ""}));
    down.process("50", kStuck);
    down.processes.hanging = {"sync", "unmount /home"};
    down.situation.server_answers = [](Deadline) { return true; };
    down.run();
    const auto record = down.record();
    EXPECT_EQ(record.outcome, "losses");
    EXPECT_EQ(record.unwritten_bytes, 16U * 1024);
    EXPECT_THAT(record.losses, ElementsAre("process 50 (nfs reader) did not end", "/home (nfs4) was still in use"));
    EXPECT_EQ(down.kept("running"), "<absent>") << "the record says more";
    EXPECT_TRUE(down.machine.has_said("/home (nfs4) was still in use"));
}

TEST(TakeDown, AFullSnapshotLearnsOfACleanEndOnly) {
    for (const bool clean : {true, false}) {
        WithSnapshot down;
        if (!clean) down.process("50", kStuck);
        down.files.hook = [](const FakeCall& call) -> std::optional<Error> {
            if (call.name == "replace") return fail_errno(call.path, ENOSPC).value();
            return std::nullopt;
        };
        down.run();
        EXPECT_EQ(down.kept("last-shutdown.json"), "<absent>");
        EXPECT_EQ(down.kept("running"), clean ? "<absent>" : "") << "losses that are told nowhere are no clean end";
        EXPECT_TRUE(down.machine.has_said("No space left"));
    }
}

TEST(TakeDown, WithoutAServerTheMarkStays) {
    WithSnapshot down;
    down.situation.server_dead = true;
    down.run();
    EXPECT_EQ(down.kept("running"), "");
    EXPECT_EQ(down.kept("last-shutdown.json"), "<absent>");
}

TEST(TakeDown, SwapThatDoesNotFitIntoMemoryStaysOn) {
    Down down;
    down.files.tree({{"/proc/meminfo", file("MemAvailable: 60000 kB\n")},
                     {"/proc/swaps", file("Filename\n/dev/sda2 partition 90000 55000 -2\n/swap file 9000 100 -3\n")}});
    down.machine.swaps = {"/dev/sda2", "/swap"};
    down.run();
    EXPECT_THAT(down.machine.swaps, ElementsAre("/dev/sda2"));
}

TEST(TakeDown, SwapIsOffBeforeItsFileSystemIsUnmounted) {
    Down down;
    down.files.tree({{"/proc/swaps", file("Filename\n/dev/zram0 x\n/dev/sda2 x\n")}});
    down.machine.swaps = {"/dev/zram0", "/dev/sda2"};
    down.run();
    EXPECT_THAT(down.machine.swaps, ElementsAre("/dev/zram0"));
    down.machine.swaps = {"/dev/sda2"};
    down.processes.hanging = {"swap off /dev/sda2"};
    down.run();
    EXPECT_LT(down.took(), Seconds{25});
}

TEST(TakeDown, TheGuardEndsTheMachineToo) {
    Down down;
    down.run();
    const auto before = down.machine.powered.size();
    down.guard();
    EXPECT_GT(down.machine.powered.size(), before);
    EXPECT_TRUE(down.machine.has_said("time is over"));
}

TEST(TakeDown, APowerOffBySysrqIsGivenTimeBeforeTheReboot) {
    Down down;
    down.situation.verb = PowerVerb::poweroff;
    down.run();
    EXPECT_THAT(down.machine.powered, ElementsAre(PowerVerb::poweroff, PowerVerb::reboot));
    EXPECT_EQ(down.machine.sysrqs, "o");
    EXPECT_GE(down.took(), Seconds{5});
}

}  // namespace
}  // namespace diskless
