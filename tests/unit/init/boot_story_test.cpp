// Whole boots in microseconds: the real plan, steps and executor on a fake cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/nfs/portmap.hpp"
#include "common/plan/executor.hpp"
#include "init/boot_report_of.hpp"
#include "init/hand_over.hpp"
#include "init/plan.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kUsual =
    "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp "
    "diskless.snapshot=10.9.0.1:/srv/snapshots";

struct Story : FakeCluster {
    Boot boot;
    Executor executor{os, {}, false};

    explicit Story(const std::string& command_line = kUsual) : FakeCluster(command_line) {}

    Result<> run() {
        TRY(executor.run(plan_early(boot)));
        return executor.run(plan_boot(boot));
    }
    StepReport step(std::string_view id) {
        for (auto& report : executor.reports())
            if (report.id == id) return report;
        return {};
    }
    std::string seen(const std::string& path) { return files.text("/sysroot" + path); }
};

std::string why(const Result<>& result) { return result ? "" : result.error().cause + " / " + result.error().remedy; }

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

/// A kernel with modular USB: the hub tells of the NIC long after the driver of its bus was loaded.
TEST(BootStory, ANicThatComesAfterTheDriversWereLoadedGetsItsDriver) {
    for (const bool another_without_cable : {false, true}) {
        Story story;
        story.links.links.clear();
        if (another_without_cable) story.add_link("eno1", *Mac::parse("52:54:00:00:00:01"), std::chrono::hours{2});
        Manifest image;
        image.kernel = story.machine.kernel_release();
        image.modules = {{"usbcore", "/lib/modules/usbcore.ko", {}, {}, "", {}},
                         {"xhci_pci", "/lib/modules/xhci_pci.ko", {"usbcore"}, {"pci:xhci*"}, "", {}},
                         {"r8152", "/lib/modules/r8152.ko", {"usbcore"}, {"usb:v0bda*"}, "", {}}};
        ASSERT_TRUE(story.files.make_directories("/etc/diskless"));
        ASSERT_TRUE(story.files.replace(std::string(kManifestPath), to_text(image)));
        story.devices.aliases = {"pci:xhci0"};
        const auto began = story.clock.now();
        story.devices.later.emplace(began + Milliseconds{250}, "usb:v0bdap8153");
        story.modules.on_load = [&](const std::string& name) {
            if (name != "r8152") return;
            story.add_link("eth0", story.mac);
            story.answer_dhcp(story.links.links.back().link.index);
        };
        const auto result = story.run();
        ASSERT_TRUE(result) << why(result);
        EXPECT_EQ(story.boot.link.name, "eth0");
        EXPECT_THAT(story.modules.names, ElementsAre("usbcore", "xhci_pci", "r8152"));
        EXPECT_LT(story.step("configure-network").ended - began, another_without_cable ? Seconds{6} : Seconds{1});
    }
}

TEST(BootStory, DevicesAreNotLookedAtAgainWhereAnInterfaceIsThere) {
    Story story;
    story.links.links[0].carrier_delay = Seconds{3};  // as long as some switch ports take
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.devices.looks, 2) << "by load-drivers";
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

TEST(BootStory, TheReportNamesTheImagesGeneration) {
    Story story;
    story.files.tree({{"/server/root/.diskless-generation", file("IMAGE=debian\nGENERATION=20261121-002550\n")}});
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.root.generation, "20261121-002550");
}

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

TEST(BootStory, TheInterfaceThatLeadsToTheRootWins) {
    Story story;
    story.links.links.clear();
    story.sockets.packets.clear();
    story.add_link("eth0", *Mac::parse("52:54:00:00:00:01"));
    story.add_link("eth1", story.mac, Seconds{5});
    story.answer_dhcp(story.links.links[1].link.index);
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.link.name, "eth1");
    EXPECT_FALSE(story.links.links[0].link.up) << "the other one is put back";
}

bool has_default_route(const FakeLinks::FakeLink& fake) {
    return std::ranges::any_of(fake.routes, [](const Route& route) { return route.prefix == 0; });
}

TEST(BootStory, TwoRoutersDoNotTakeEachOthersRoute) {
    Story story(std::string(kUsual) + " diskless.net.timeout=60");
    story.dhcp_options += test::option(3, Ipv4(10, 9, 0, 254));
    story.add_link("eth1", *Mac::parse("52:54:00:00:00:01"), Seconds{1});
    story.answer_dhcp(story.links.links[1].link.index);
    const auto answer = story.sockets.tcp[story.server];
    const auto up = story.clock.now() + Seconds{10};
    story.sockets.tcp[story.server] = [&, answer](const std::string& call) -> std::optional<std::string> {
        // Only the first one's router knows the way.
        if (story.clock.now() < up || !has_default_route(story.links.links[0])) return std::nullopt;
        return answer(call);
    };
    const auto result = story.run();
    ASSERT_TRUE(result) << why(result);
    EXPECT_EQ(story.boot.link.name, "eth0");
    EXPECT_FALSE(story.links.links[1].link.up);
    EXPECT_TRUE(has_default_route(story.links.links[0]));
}

TEST(BootStory, TheDefaultRouteOutlivesTheOneThatReplacedIt) {
    Story story;
    story.dhcp_options += test::option(3, Ipv4(10, 9, 0, 254));
    story.add_link("eth1", *Mac::parse("52:54:00:00:00:01"));
    story.answer_dhcp(story.links.links[1].link.index);
    const auto answer = story.sockets.tcp[story.server];
    story.sockets.tcp[story.server] = [&, answer](const std::string& call) {
        // Leased, and its route set, while the first one's probe is on its way.
        EXPECT_TRUE(story.links.add_route(story.links.links[1].link.index, {Ipv4(), 0, Ipv4()}));
        return answer(call);
    };
    const auto result = story.run();
    ASSERT_TRUE(result) << why(result);
    const auto winner = std::ranges::find_if(story.links.links, [](const auto& fake) { return fake.link.up; });
    ASSERT_NE(winner, story.links.links.end());
    EXPECT_TRUE(has_default_route(*winner));
}

/// dracut: ip= once for each interface of the node, of which one leads to the root.
TEST(BootStory, AFixedAddressOfANamedInterfaceStays) {
    for (const bool cable : {true, false}) {
        Story story(
            "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=10.9.0.10:::255.255.255.0:node1:eth0:off "
            "ip=10.10.0.10::10.10.0.254:255.255.255.0::eth1:off ip=eth2:dhcp diskless.snapshot=none");
        story.add_link("eth1", *Mac::parse("52:54:00:00:00:01"), cable ? Nanoseconds{0} : std::chrono::hours{2});
        story.add_link("eth2", *Mac::parse("52:54:00:00:00:02"));
        story.sockets.tcp[story.server] = [&, answer = story.sockets.tcp[story.server],
                                           since = story.clock.now() + Seconds{1}](const std::string& call) {
            return story.clock.now() < since || !story.links.links[0].link.carrier ? std::nullopt : answer(call);
        };
        const auto result = story.run();
        ASSERT_TRUE(result) << why(result);
        EXPECT_TRUE(story.links.links[1].link.up) << cable;
        EXPECT_EQ(story.links.links[1].addresses.size(), 1U) << cable;
        EXPECT_FALSE(story.links.links[2].link.up) << "no word of an address of its own";
    }
}

TEST(BootStory, ANicWithoutFirmwareIsNamed) {
    Story story(std::string(kUsual) + " diskless.net.timeout=30");
    story.links.links[0].refuses_up = ENOENT;
    const auto result = story.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, HasSubstr("eth0: set interface 2 up: No such file or directory"));
    EXPECT_THAT(result.error().cause, HasSubstr("firmware"));
    EXPECT_THAT(result.error().remedy, HasSubstr("--firmware"));
    EXPECT_EQ(story.step("configure-network").notes.size(), 1U) << "said once";
}

TEST(BootStory, ALeaseWithoutARootBehindItDoesNotWin) {
    Story story("root=/dev/nfs nfsroot=10.9.0.1,10.9.0.2:/srv/images/debian/1 ip=dhcp diskless.snapshot=none");
    story.sockets.tcp.clear();
    story.answer_nfs(Ipv4(10, 9, 0, 2));
    story.mounts.provide("10.9.0.2:/srv/images/debian/1", "/server/root");
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.root.server, "10.9.0.2");
}

struct TwoLinks : Story {
    explicit TwoLinks(const std::string& root) : Story(root + " ip=dhcp diskless.snapshot=none") {
        links.links.clear();
        sockets.packets.clear();
        add_link("eth0", *Mac::parse("52:54:00:00:00:01"));
        add_link("eth1", mac);
        answer_dhcp(links.links[1].link.index);
        sockets.tcp_port[server] = 2050;
    }
};

TEST(BootStory, AServerAtAnotherPortIsAskedThere) {
    for (const char* root : {"root=nfs://10.9.0.1:2050/srv/images/debian/1",
                             "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1,port=2050",
                             "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1,vers=4.2 nfsopts=port=2050"}) {
        TwoLinks story(root);
        ASSERT_TRUE(story.run()) << root;
        EXPECT_EQ(story.boot.link.name, "eth1");
        EXPECT_LT(story.clock.now(), Seconds{5}) << root;
    }
}

TEST(BootStory, AServerWherePortMapperSaysIsAskedThere) {
    TwoLinks story("root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1");
    story.sockets.udp[story.server] = [](const std::string& call) -> std::optional<std::string> {
        ByteWriter out;
        out.bytes(std::string_view(call).substr(0, 4));
        for (const std::uint32_t word : {1U, 0U, 0U, 0U, 0U, 2050U}) out.u32(word);
        return out.take();
    };
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.link.name, "eth1");
    EXPECT_LT(story.clock.now(), Seconds{5});
}

TEST(BootStory, WhatIsNotTcpIsNotAskedByTcp) {
    TwoLinks story("root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1,vers=3,proto=udp");
    story.sockets.tcp.clear();
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.link.name, "eth1");
}

TEST(BootStory, ADhcpServerThatComesUpLateIsWaitedFor) {
    Story story;
    story.answer_dhcp(story.links.links[0].link.index, Seconds{300});
    ASSERT_TRUE(story.run());
    EXPECT_GE(story.clock.now(), Seconds{300});
    EXPECT_LT(story.clock.now(), Seconds{330}) << "the longest pause is 16 s";
}

TEST(BootStory, NoCarrierIsWaitedForAndSaid) {
    Story story;
    story.links.links[0].carrier_delay = Seconds{45};  // a switch that runs spanning tree
    ASSERT_TRUE(story.run());
    EXPECT_GE(story.clock.now(), Seconds{45});
}

TEST(BootStory, AQueueThatOpensMomentsAfterTheCarrierLosesNoQuestion) {
    Story first;
    first.links.links[0].carrier_delay = Seconds{2};
    ASSERT_TRUE(first.run());
    const auto lit = first.step("configure-network").started + Seconds{2};
    Story again;
    again.links.links[0].carrier_delay = Seconds{2};
    again.answer_dhcp(again.links.links[0].link.index, lit + Milliseconds{5});  // as if what came sooner were dropped
    ASSERT_TRUE(again.run());
    EXPECT_LT(again.step("configure-network").ended - lit, Milliseconds{100}) << "nothing is repeated sooner";
}

TEST(BootStory, AnNfsServerThatComesUpLateIsWaitedFor) {
    Story story;
    story.mounts.refuse("/sysroot", ECONNREFUSED);
    Executor executor(story.os,
                      {.retry =
                           [&](const StepReport&, const Error&, Milliseconds) {
                               if (story.clock.now() > Seconds{40}) story.mounts.allow("/sysroot");
                           }},
                      false);
    ASSERT_TRUE(executor.run(plan_early(story.boot)));
    const auto result = executor.run(plan_boot(story.boot));
    ASSERT_TRUE(result) << why(result);
    EXPECT_GT(story.clock.now(), Seconds{40});
}

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

TEST(BootStory, AServerOfNfs3AloneStillTellsThatADirectoryIsNotThere) {
    Story story("init=disklessrc NFSROOT=10.9.0.1:/d/root SNAPSHOT=node003");
    story.mounts.refused_types["nfs4"] = EPROTONOSUPPORT;
    story.serve("/d/root", "/server/root");
    const auto result = story.run();
    ASSERT_TRUE(result) << why(result);
    EXPECT_EQ(story.boot.root.path, "/d/root") << "/d/root/root is not there";

    Story wrong("root=/dev/nfs nfsroot=10.9.0.1:/no/such ip=dhcp diskless.snapshot=none");
    wrong.mounts.refused_types["nfs4"] = EPROTONOSUPPORT;
    Executor executor(wrong.os,
                      {.retry =
                           [&](const StepReport&, const Error& error, Milliseconds) {
                               EXPECT_THAT(error.cause, HasSubstr("has no directory /no/such"));
                               wrong.serve("/no/such", "/server/root");
                           }},
                      false);
    ASSERT_TRUE(executor.run(plan_early(wrong.boot)));
    EXPECT_TRUE(executor.run(plan_boot(wrong.boot)));
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

TEST(BootStory, ARootThatMayNotBeLookedAtIsNotCalledOneWithoutInit) {
    Story story;
    bool squashed = true;
    story.files.hook = [&](const FakeCall& call) -> std::optional<Error> {
        const bool asks = call.name == "status" || call.name == "list";
        if (!squashed || !asks || !(call.path == "/sysroot" || call.path.starts_with("/sysroot/"))) return {};
        if (call.path == "/sysroot" && call.name == "status") return {};
        return Error{"look at " + call.path + ": Permission denied", {}, EACCES};
    };
    Executor executor(story.os,
                      {.retry =
                           [&](const StepReport&, const Error& error, Milliseconds) {
                               EXPECT_THAT(error.cause, HasSubstr("does not let this node look at"));
                               EXPECT_THAT(error.remedy, HasSubstr("no_root_squash"));
                               squashed = false;
                           }},
                      false);
    ASSERT_TRUE(executor.run(plan_early(story.boot)));
    EXPECT_TRUE(executor.run(plan_boot(story.boot)));
    EXPECT_FALSE(squashed);
}

TEST(BootStory, NobodyNamesAServer) {
    Story story("root=/dev/nfs nfsroot=/srv/images/debian/1 ip=dhcp diskless.net.timeout=30s");
    story.sockets.packets.clear();
    const auto result = story.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, HasSubstr("eth0"));
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

TEST(BootStory, AMountThatHangsIsKilledAndTriedAgain) {
    Story story;
    story.processes.hanging.insert("mount 10.9.0.1:/srv/images/debian/1");
    int retries = 0;
    Executor executor(story.os,
                      {.retry =
                           [&](const StepReport& step, const Error&, Milliseconds) {
                               EXPECT_EQ(step.id, "mount-root");
                               if (++retries == 3) story.processes.hanging.clear();
                           }},
                      false);
    ASSERT_TRUE(executor.run(plan_early(story.boot)));
    EXPECT_TRUE(executor.run(plan_boot(story.boot)));
    EXPECT_EQ(retries, 3);
}

TEST(BootStory, ARwRootIsTheNodesOwn) {
    Story story(std::string(kUsual) + " rw");
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.boot.root.mode, "rw");
    EXPECT_TRUE(story.files.replace("/sysroot/etc/motd", "mine\n"));
    EXPECT_EQ(story.step("mount-root").outcome, StepOutcome::done) << "a root of its own may be exported rw";
}

TEST(BootStory, AnOldMtabInARootOfTheNodesOwnGivesWayToTheKernelsList) {
    Story story(std::string(kUsual) + " rw");
    story.files.tree({{"/server/root/etc/mtab", file("10.9.0.1:/srv/root / nfs rw 0 0\n")}});
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.files.read_link("/sysroot/etc/mtab").value_or(""), "../proc/self/mounts");
}

TEST(BootStory, ASharedRootThatNodesMayWriteIsToldAndMountedOnce) {
    Story story;
    ASSERT_TRUE(story.run());
    EXPECT_EQ(story.step("mount-root").outcome, StepOutcome::degraded) << "the fake server lets anybody write";
    EXPECT_THAT(story.step("mount-root").cause, HasSubstr("is exported read-write"));
    EXPECT_EQ(
        std::ranges::count_if(story.mounts.requests, [](const auto& each) { return each.type.starts_with("nfs"); }), 2)
        << "root and snapshot";

    Story strict;
    const auto exported = strict.files.file_system("/server/strict");
    strict.files.tree({{"/server/strict/sbin/init", file("init", 0755)}});
    for (const char* name : {"proc", "sys", "dev", "run"})
        strict.files.tree({{std::string("/server/strict/") + name, directory()}});
    strict.serve("/srv/images/debian/1", "/server/strict");
    exported->forbidden = true;
    const auto result = strict.run();
    ASSERT_TRUE(result) << why(result);
    EXPECT_EQ(strict.step("mount-root").outcome, StepOutcome::done);
}

/// A port mapper that knows mountd and NFS.
std::optional<std::string> map_ports(const std::string& call) {
    ByteReader in(call);
    const auto xid = in.u32();
    in.bytes(36);
    ByteWriter out;
    for (const auto word : {xid, 1U, 0U, 0U, 0U, 0U, in.u32() == kMountProgram ? 20048U : 2049U}) out.u32(word);
    return out.take();
}

TEST(BootStory, WhatSaysWhoTheNodeIsIsNotReadThroughASymlinkOfTheSnapshot) {
    Story story;
    story.files.tree({{"/server/secret", file("0123456789abcdef0123456789abcdef\n")},
                      {"/server/snapshots/node1/etc/machine-id", symlink("/server/secret")}});
    ASSERT_TRUE(story.run());
    EXPECT_NE(story.boot.identity.machine_id_source, "snapshot");
}

TEST(BootStory, ThePortMapperIsAskedOnceForAllMounts) {
    Story story(std::string(kUsual) + " diskless.time=off");
    int calls = 0;
    story.sockets.udp[story.server] = [&calls](const std::string& call) {
        ++calls;
        return map_ports(call);
    };
    ASSERT_TRUE(story.run());
    EXPECT_EQ(calls, 2);
    int mounts = 0;
    for (const auto& request : story.mounts.requests) {
        if (request.type != "nfs") continue;
        ++mounts;
        EXPECT_THAT(request.options, HasSubstr(",mountport=20048"));
        EXPECT_THAT(request.options, HasSubstr(",port=2049"));
    }
    EXPECT_EQ(mounts, 2);

    Story silent(std::string(kUsual) + " diskless.time=off");
    ASSERT_TRUE(silent.run());
    EXPECT_THAT(silent.mounts.requests.back().options, testing::Not(HasSubstr("port=2049")));
}

TEST(BootStory, ALeaseWithAUselessRootPathIsAskedForAgain) {
    Story story("root=dhcp ip=dhcp diskless.snapshot=none");
    const auto index = story.links.links[0].link.index;
    const auto good = story.dhcp_options;
    const auto answer = story.sockets.packets[index];
    story.sockets.packets[index] = [&, answer](const std::string& packet) {
        const bool put_right = story.clock.now() > Seconds{100};
        story.dhcp_options = good + test::option(17, put_right ? "10.9.0.1:/srv/images/debian/1" : "no/directory");
        return answer(packet);
    };
    const auto result = story.run();
    ASSERT_TRUE(result) << why(result);
    EXPECT_GT(story.clock.now(), Seconds{100});
    EXPECT_LT(story.clock.now(), Seconds{140});
    EXPECT_EQ(story.links.links[0].addresses.size(), 1U) << "each new beginning takes the old address away";
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
