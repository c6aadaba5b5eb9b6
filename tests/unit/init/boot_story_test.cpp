// Whole boots, their modules, names and clocks.
#include "tests/unit/init/boot_story.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "init/boot_report_of.hpp"

namespace diskless {
namespace {

using namespace test_boot;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(BootStory, ModulesAreLoadedLeanUnlessTold) {
    for (const bool whole : {false, true}) {
        Story story(std::string(kUsual) + (whole ? " diskless.modules=whole" : ""));
        Manifest image;
        image.kernel = story.machine.kernel_release();
        image.groups = {{"nfs3", {"nfsv3"}}};
        image.modules = {{"sunrpc", "/lib/modules/sunrpc.ko", {}, {}, "", {100, {80}}},
                         {"nfsv3", "/lib/modules/nfsv3.ko", {"sunrpc"}, {}, "", {}}};  // nothing to leave out
        ASSERT_TRUE(story.files.make_directories("/etc/diskless"));
        ASSERT_TRUE(story.files.replace(std::string(kManifestPath), to_text(image)));
        const auto result = story.run();
        ASSERT_TRUE(result) << why(result);
        EXPECT_THAT(story.modules.names, ElementsAre("sunrpc", "nfsv3"));
        EXPECT_EQ(story.modules.loaded_lean, whole ? std::vector<std::string>{} : std::vector<std::string>{"sunrpc"});
    }
}

TEST(BootStory, WhatTheImageSaysIsKnownAfterTheHandOver) {
    Story story(std::string(kUsual) + " diskless.root-loss=60");
    Manifest image;
    image.kernel = story.machine.kernel_release();
    image.parameters = "diskless.watchdog=60 diskless.root-loss=300 diskless.shutdown.timeout=45";
    ASSERT_TRUE(story.files.make_directories("/etc/diskless"));
    ASSERT_TRUE(story.files.replace(std::string(kManifestPath), to_text(image)));
    ASSERT_TRUE(story.run());
    const auto report =
        boot_report_from_json(to_json(boot_report_of(story.boot, story.executor.reports(), story.os, Seconds{0})));
    ASSERT_TRUE(report);
    const auto config = config_of(*report);
    EXPECT_EQ(config.watchdog, Seconds{60});
    EXPECT_EQ(config.shutdown_timeout, Seconds{45});
    EXPECT_EQ(config.root_loss, Seconds{60}) << "the command line overrides it";
}

TEST(BootStory, DhcpRootAndSnapshot) {
    Story story;
    const auto result = story.run();
    ASSERT_TRUE(result) << why(result);
    EXPECT_EQ(story.boot.lease.address, story.address);
    EXPECT_EQ(story.boot.root.mode, "ro");
    EXPECT_EQ(story.boot.init, "/sbin/init");
    EXPECT_EQ(story.boot.snapshot.state, "mounted");
    EXPECT_EQ(story.boot.snapshot.name, "node1");
    EXPECT_EQ(story.machine.hostname, "node1");
    EXPECT_EQ(story.seen("/etc/hostname"), "node1\n");
    EXPECT_EQ(story.seen("/etc/machine-id"), "4c4c4544004430108052b4c04f564231\n");
    EXPECT_THAT(story.processes.executed(), IsEmpty()) << "nothing else runs before the switch";
    EXPECT_TRUE(story.files.replace("/sysroot/var/log/mine", "x")) << "logs are the node's own";
    EXPECT_FALSE(story.files.replace("/sysroot/etc/motd", "x")) << "what no list names is the image's";
    EXPECT_EQ(story.files.text("/server/root/etc/hostname"), "golden\n");
}

TEST(BootStory, TheClockIsSetByTheRootsServer) {
    Story story;
    story.sockets.udp[story.server] = [&](const std::string& asked) -> std::optional<std::string> {
        ByteWriter out;  // RFC 4330: leap 0, version 4, mode 4; stratum 2
        out.u8(0x24);
        out.u8(2);
        out.zeros(10);
        out.bytes("LAB.");
        out.zeros(8);
        out.bytes(std::string_view(asked).substr(40, 8));
        const std::uint32_t ntp = 1'800'000'000U + 2'208'988'800U;
        for (int i = 0; i < 2; ++i) {
            out.u32(ntp);
            out.u32(0);
        }
        return out.take();
    };
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.time.source, "sntp 10.9.0.1");
    EXPECT_EQ(std::chrono::duration_cast<Seconds>(story.clock.wall()).count(), 1'800'000'000);
}

TEST(BootStory, ANamedTimeServerIsAskedInsteadOfTheLeases) {
    for (const bool named : {true, false}) {
        Story story(std::string(kUsual) + (named ? " diskless.ntp=10.9.0.7" : ""));
        story.dhcp_options += test::option(42, Ipv4(10, 9, 0, 8));
        std::set<Ipv4> asked;
        for (const auto server : {Ipv4(10, 9, 0, 7), Ipv4(10, 9, 0, 8)})
            story.sockets.udp[server] = [&asked, server](const std::string&) -> std::optional<std::string> {
                asked.insert(server);
                return std::nullopt;
            };
        ASSERT_TRUE(story.run());
        EXPECT_THAT(asked, ElementsAre(named ? Ipv4(10, 9, 0, 7) : Ipv4(10, 9, 0, 8)));
    }
}

TEST(BootStory, AClockThatIsToBeLeftAloneIs) {
    Story story(std::string(kUsual) + " diskless.time=off");
    ASSERT_TRUE(story.clock.set_wall(Seconds{3600}));  // 1970
    story.files.tree({{"/server/snapshots/node1/.diskless/clock", file("1790000000\n")}});
    Manifest image;
    image.kernel = story.machine.kernel_release();
    image.built = 1'700'000'000;
    ASSERT_TRUE(story.files.make_directories("/etc/diskless"));
    ASSERT_TRUE(story.files.replace(std::string(kManifestPath), to_text(image)));
    ASSERT_TRUE(story.run());
    EXPECT_LT(story.clock.wall(), Seconds{7200});
    EXPECT_EQ(story.boot.time.source, "clock");
}

TEST(BootStory, TheMachineIdOfTheCommandLineReplacesTheKeptOne) {
    const std::string own(32, 'a'), told = "0123456789abcdef0123456789abcdef";
    for (const bool tells : {false, true}) {
        Story story(std::string(kUsual) + (tells ? " systemd.machine_id=" + told : ""));
        story.files.tree({{"/server/snapshots/node1/etc/machine-id", file(own + "\n", 0444)}});
        const auto result = story.run();
        ASSERT_TRUE(result) << why(result);
        const auto& id = tells ? told : own;
        EXPECT_EQ(story.boot.identity.machine_id, id);
        EXPECT_EQ(story.seen("/etc/machine-id"), id + "\n");
        EXPECT_EQ(story.files.text("/server/snapshots/node1/etc/machine-id"), id + "\n");
    }
}

TEST(BootStory, WithoutATimeServerTheSnapshotsClockIsTheFloor) {
    Story story;
    ASSERT_TRUE(story.clock.set_wall(Seconds{3600}));  // 1970
    story.files.tree({{"/server/snapshots/node1/.diskless/clock", file("1790000000\n")}});
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.step("set-clock").outcome, StepOutcome::degraded);
    EXPECT_EQ(story.boot.time.source, "snapshot");
    EXPECT_GE(std::chrono::duration_cast<Seconds>(story.clock.wall()).count(), 1'790'000'000);
}

TEST(BootStory, WhatSaysWhoTheNodeIsIsNotReadThroughASymlinkOfTheSnapshot) {
    Story story;
    story.files.tree({{"/server/secret", file("0123456789abcdef0123456789abcdef\n")},
                      {"/server/snapshots/node1/etc/machine-id", symlink("/server/secret")}});
    ASSERT_TRUE(story.run());
    EXPECT_NE(story.boot.identity.machine_id_source, "snapshot");
}

TEST(BootStory, EveryPlanIsSound) {
    for (const char* words :
         {"", "rw", "root=dhcp", "init=disklessrc NFSROOT= SNAPSHOT=a", "diskless.snapshot=none ip=off"}) {
        Boot boot;
        boot.config = parse_boot_config({words, {}, 0});
        auto plan = plan_early(boot);
        for (auto& step : plan_boot(boot)) plan.push_back(std::move(step));
        EXPECT_THAT(problems_of(plan), IsEmpty()) << words;
    }
}

}  // namespace
}  // namespace diskless
