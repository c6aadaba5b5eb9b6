// The way down on fakes: bounded, in order, and it says what it leaves behind.
#include "init/shutdown/take_down.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::ElementsAre;

constexpr const char* kUser = " (worker (x)) S 1 1 1 0 -1 4194560 0";
constexpr const char* kStuck = " (nfs reader) D 1 1 1 0 -1 4194560 0";
constexpr const char* kKernel = " (kthreadd) S 0 0 0 0 -1 2129984 0";

struct Down : FakeCluster {
    std::function<void()> guard;
    Nanoseconds guard_wait{0}, began{0};
    ShutdownSituation situation;

    Down() : FakeCluster("") {
        files.tree({{"/proc/1/stat", file("1 (systemd) S 0 1 1 0 -1 4194560 0")},
                    {"/proc/2/stat", file("2" + std::string(kKernel))},
                    {"/proc/meminfo", file("MemFree: 5 kB\nDirty: 12 kB\nWriteback: 4 kB\n")}});
        situation.timeout = Seconds{20};
    }
    void process(const std::string& pid, const char* stat) {
        files.tree({{"/proc/" + pid + "/stat", file(pid + stat)}});
    }
    void run() {
        began = clock.now();
        take_down(os, situation,
                  {.guard =
                       [this](Nanoseconds wait, std::function<void()> end) {
                           guard_wait = wait;
                           guard = std::move(end);
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

TEST(UnmountOrder, IsLastMountedFirstAndOnlyBelow) {
    const auto order = unmount_order({{.target = "/oldroot"},
                                      {.target = "/oldroots"},
                                      {.target = "/oldroot/var"},
                                      {.target = "/proc"},
                                      {.target = "/oldroot/var/log"}},
                                     "/oldroot");
    std::vector<std::string> targets;
    for (const auto& entry : order) targets.push_back(entry.target);
    EXPECT_THAT(targets, ElementsAre("/oldroot/var/log", "/oldroot/var", "/oldroot"));
}

TEST(PlanShutdown, IsSoundInEverySituation) {
    for (const bool dead : {false, true})
        for (const bool pivoted : {false, true})
            EXPECT_TRUE(problems_of(plan_shutdown({.server_dead = dead, .after_pivot = pivoted})).empty());
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
    EXPECT_EQ(down.guard_wait, Seconds{19});
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
        EXPECT_THAT(down.processes.signals,
                    ElementsAre(std::pair(50, 15), std::pair(50, 18), std::pair(50, 9), std::pair(50, 18)));
        EXPECT_TRUE(down.machine.has_said("1 processes did not end (first: 50), continuing"));
        EXPECT_FALSE(down.machine.powered.empty());
    }
}

TEST(TakeDown, AServerThatIsGoneCostsLittle) {
    Down down;
    down.situation.server_dead = true;
    down.files.tree({{"/oldroot", directory()}});
    ASSERT_TRUE(down.mounts.mount({"10.9.0.1:/srv/images/debian/1", "/oldroot", "nfs", "ro"}));
    down.processes.hanging = {"sync", "unmount /oldroot", "detach /oldroot"};
    down.run();
    EXPECT_TRUE(down.machine.has_said("about 16 kB not written"));
    EXPECT_FALSE(down.machine.powered.empty());
    EXPECT_LT(down.took(), Seconds{10});
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
