// The interface that leads to the root, its lease, and servers that are late.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/init/boot_story.hpp"

namespace diskless {
namespace {

using namespace test_boot;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

TEST(BootStory, NobodyNamesAServer) {
    Story story("root=/dev/nfs nfsroot=/srv/images/debian/1 ip=dhcp diskless.net.timeout=30s");
    story.sockets.packets.clear();
    const auto result = story.run();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().cause, HasSubstr("eth0"));
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

}  // namespace
}  // namespace diskless
