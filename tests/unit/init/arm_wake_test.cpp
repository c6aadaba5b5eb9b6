// Wake-on-LAN on the way down, on fakes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "init/shutdown/take_down.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

struct WayToSleep : FakeCluster {
    ShutdownSituation situation{.verb = PowerVerb::poweroff, .wake_on_lan = WakeOnLan::on, .interface = "eth0"};

    WayToSleep() : FakeCluster("") {}
    FakeLinks::FakeLink& card() {
        for (auto& fake : links.links)
            if (fake.link.name == "eth0") return fake;
        return links.add("eth0", {});
    }
    void run() {
        take_down(os, situation, {.guard = [](Nanoseconds, std::function<void()>) { return true; }, .overlap = false});
    }
};

TEST(ArmWake, BeforeTheMachineIsSwitchedOff) {
    for (const auto verb : {PowerVerb::poweroff, PowerVerb::halt}) {
        WayToSleep down;
        down.situation.verb = verb;
        down.card().wakes = false;
        down.run();
        EXPECT_TRUE(down.card().wakes) << text(verb);
        EXPECT_FALSE(down.machine.has_said("woken"));
    }
}

TEST(ArmWake, NotBeforeAReboot) {
    for (const auto verb : {PowerVerb::reboot, PowerVerb::kexec}) {
        WayToSleep down;
        down.situation.verb = verb;
        down.card().wakes = false;
        down.run();
        EXPECT_FALSE(down.card().wakes) << text(verb);
    }
}

TEST(ArmWake, KeepsWhatNobodySpokeOf) {
    for (const bool before : {false, true}) {
        WayToSleep down;
        down.situation.wake_on_lan = WakeOnLan::keep;
        down.card().wakes = before;
        down.run();
        EXPECT_EQ(down.card().wakes, before);
    }
}

TEST(ArmWake, OffDisarms) {
    WayToSleep down;
    down.situation.wake_on_lan = WakeOnLan::off;
    down.card().wakes = true;
    down.run();
    EXPECT_FALSE(down.card().wakes);
}

TEST(ArmWake, ThoughTheServerIsGone) {
    WayToSleep down;
    down.situation.server_dead = true;
    down.processes.hanging = {"sync"};
    down.card().wakes = false;
    down.run();
    EXPECT_TRUE(down.card().wakes);
}

TEST(ArmWake, ACardThatCannotIsToldAndNoLoss) {
    WayToSleep down;
    down.card().can_wake = false;
    down.run();
    EXPECT_TRUE(down.machine.has_said("eth0 cannot be woken by the network: "));
    EXPECT_TRUE(down.machine.has_said(", continuing"));
    EXPECT_TRUE(down.machine.has_said("nothing lost"));
    EXPECT_FALSE(down.machine.powered.empty());
}

TEST(ArmWake, ADriverThatHangsHoldsNothingUp) {
    WayToSleep down;
    (void)down.card();
    down.processes.hanging = {"set Wake-on-LAN of eth0"};
    const auto began = down.clock.now();
    down.run();
    EXPECT_LT(down.clock.now() - began, Seconds{10});
    EXPECT_TRUE(down.machine.has_said("eth0 cannot be woken by the network: "));
    EXPECT_FALSE(down.machine.powered.empty());
}

}  // namespace
}  // namespace diskless
