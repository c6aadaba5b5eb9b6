#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "common/os/clock_linux.hpp"
#include "common/os/links_linux.hpp"
#include "tests/netns/veth.hpp"

namespace diskless {
namespace {

using testing::HasSubstr;

Deadline within_seconds(int seconds) { return Deadline::after(linux_clock(), Seconds{seconds}); }

class LinksTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(veth_.problem(), ""); }

    Link find(const std::string& name) {
        const auto all = links_.list();
        EXPECT_TRUE(all) << all.error().cause;
        if (all)
            for (const auto& link : *all)
                if (link.name == name) return link;
        return {};
    }
    /// Waits for events until the link fulfils the condition; false after 5 s.
    template <class Condition>
    bool becomes(const std::string& name, Condition condition) {
        const auto deadline = within_seconds(5);
        while (!condition(find(name)))
            if (!links_.wait_for_change(deadline)) return false;
        return true;
    }

    /// nv0 is up and has 10.77.0.5/24.
    Link addressed() {
        auto link = find("nv0");
        EXPECT_TRUE(links_.set_up(link.index));
        EXPECT_TRUE(links_.add_address(link.index, Ipv4(10, 77, 0, 5), 24, Seconds{0}));
        return link;
    }

    LinuxLinks links_;
    VethPair veth_{"nv0", "nv1"};
};

TEST_F(LinksTest, ListsWhatALinkIs) {
    const auto link = find("nv0");
    EXPECT_GT(link.index, 0);
    EXPECT_TRUE(link.is_ethernet());
    EXPECT_TRUE(link.mac.is_set());
    EXPECT_FALSE(link.up);
    EXPECT_FALSE(link.carrier);
    EXPECT_EQ(link.mtu, 1500U);
    EXPECT_EQ(link.driver, "");

    const auto loopback = find("lo");
    EXPECT_EQ(loopback.hardware_type, 772);
    EXPECT_FALSE(loopback.mac.is_set());
}

TEST_F(LinksTest, WhatCannotWakeTheMachineSaysSo) {
    const auto armed = links_.set_wake_on_lan("nv0", true);
    ASSERT_FALSE(armed);
    EXPECT_EQ(armed.error().code, EOPNOTSUPP);
    EXPECT_THAT(armed.error().cause, HasSubstr("arm Wake-on-LAN of nv0: its driver cannot wake the machine"));
    EXPECT_TRUE(links_.set_wake_on_lan("nv0", false)) << "it does not wake anything";
    const auto absent = links_.set_wake_on_lan("nv7", true);
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, ENODEV);
    EXPECT_FALSE(links_.set_wake_on_lan("nv7", false));
}

TEST_F(LinksTest, CarrierComesWithThePeerAndGoesWithIt) {
    const auto near = find("nv0"), far = find("nv1");
    ASSERT_TRUE(links_.set_up(near.index));
    EXPECT_TRUE(find("nv0").up);
    EXPECT_FALSE(find("nv0").carrier);
    ASSERT_TRUE(links_.set_up(far.index));
    EXPECT_TRUE(becomes("nv0", [](const Link& link) { return link.carrier; }));
    ASSERT_TRUE(links_.set_down(far.index));
    EXPECT_TRUE(becomes("nv0", [](const Link& link) { return !link.carrier; }));
}

TEST_F(LinksTest, NoChangeIsLostBetweenListAndWait) {
    const auto link = find("nv0");
    ASSERT_TRUE(links_.set_up(link.index));
    EXPECT_TRUE(links_.wait_for_change(within_seconds(5)));
}

TEST_F(LinksTest, WaitEndsAtTheDeadlineWhenNothingHappens) {
    find("nv0");
    while (links_.wait_for_change(Deadline::after(linux_clock(), Milliseconds{50}))) {
    }
    const auto start = linux_clock().now();
    EXPECT_FALSE(links_.wait_for_change(Deadline::after(linux_clock(), Milliseconds{50})));
    EXPECT_GE(linux_clock().now() - start, Milliseconds{50});
}

TEST_F(LinksTest, RenamesAndSetsTheMtu) {
    const auto link = find("nv0");
    ASSERT_TRUE(links_.rename(link.index, "boot0"));
    ASSERT_TRUE(links_.set_mtu(link.index, 1400));
    EXPECT_EQ(find("boot0").mtu, 1400U);
    EXPECT_FALSE(links_.rename(link.index, "a-name-that-is-too-long"));
    const auto taken = links_.rename(link.index, "nv1");
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, EEXIST);
}

TEST_F(LinksTest, AddsAddressesOnceWithTheirBroadcast) {
    const auto link = find("nv0");
    ASSERT_TRUE(links_.set_up(link.index));
    const Ipv4 address(10, 77, 0, 5);
    ASSERT_TRUE(links_.add_address(link.index, address, 24, Seconds{0}));
    EXPECT_THAT(shown("ip -4 addr show nv0"), HasSubstr("inet 10.77.0.5/24 brd 10.77.0.255 scope global nv0"));
    EXPECT_THAT(shown("ip -4 addr show nv0"), HasSubstr("valid_lft forever preferred_lft forever"));
    const auto again = links_.add_address(link.index, address, 24, Seconds{3600});
    ASSERT_TRUE(again) << again.error().cause;
    EXPECT_THAT(shown("ip -4 addr show nv0"), testing::ContainsRegex("valid_lft 3(600|59.)sec"));
    ASSERT_TRUE(links_.add_address(link.index, Ipv4(10, 77, 0, 6), 24, Seconds{0})) << "a secondary one";
    ASSERT_TRUE(links_.remove_addresses(link.index));
    EXPECT_EQ(shown("ip -4 addr show nv0"), "");
}

TEST_F(LinksTest, AddsAndReplacesRoutes) {
    const auto link = addressed();
    ASSERT_TRUE(links_.add_route(link.index, {Ipv4{}, 0, Ipv4(10, 77, 0, 1)}));
    ASSERT_TRUE(links_.add_route(link.index, {Ipv4{}, 0, Ipv4(10, 77, 0, 2)}));
    ASSERT_TRUE(links_.add_route(link.index, {Ipv4(10, 78, 0, 9), 16, Ipv4{}})) << "host bits do not matter";
    const auto routes = shown("ip route");
    EXPECT_THAT(routes, HasSubstr("default via 10.77.0.2 dev nv0"));
    EXPECT_THAT(routes, Not(HasSubstr("10.77.0.1 ")));
    EXPECT_THAT(routes, HasSubstr("10.78.0.0/16 dev nv0 scope link"));

    const auto unreachable = links_.add_route(link.index, {Ipv4(10, 79, 0, 0), 16, Ipv4(192, 168, 9, 1)});
    ASSERT_FALSE(unreachable);
    EXPECT_EQ(unreachable.error().code, ENETUNREACH);
    EXPECT_THAT(unreachable.error().cause, HasSubstr("add route 10.79.0.0/16 via 192.168.9.1"));
    EXPECT_NE(unreachable.error().remedy, "");

    EXPECT_TRUE(links_.remove_route(link.index, {Ipv4{}, 0, Ipv4(10, 77, 0, 1)})) << "absent is fine";
    EXPECT_THAT(shown("ip route"), HasSubstr("default via 10.77.0.2 dev nv0"));
    shown("ip route replace default via 10.77.0.2 dev nv0 proto dhcp metric 100");
    EXPECT_TRUE(links_.remove_route(link.index, {Ipv4{}, 0, Ipv4(10, 77, 0, 2)}));
    EXPECT_TRUE(links_.remove_route(link.index, {Ipv4{}, 0, Ipv4(10, 77, 0, 2)})) << "whoever made it";
    EXPECT_TRUE(links_.remove_route(link.index, {Ipv4(10, 78, 0, 9), 16, Ipv4{}}));
    EXPECT_EQ(shown("ip route | grep -v 'proto kernel'"), "");
}

TEST_F(LinksTest, RoutesOutliveTheNetworkOfTheirRouter) {
    const auto link = addressed();
    ASSERT_TRUE(links_.add_route(link.index, {Ipv4{}, 0, Ipv4(10, 77, 0, 1)}));
    ASSERT_TRUE(links_.add_address(link.index, Ipv4(10, 78, 0, 5), 24, Seconds{0}));
    ASSERT_TRUE(links_.remove_address(link.index, Ipv4(10, 77, 0, 5), 24));
    EXPECT_THAT(shown("ip route"), HasSubstr("default via 10.77.0.1 dev nv0"))
        << "as FakeLinks has it: what a lease had must be taken away";
    ASSERT_TRUE(links_.remove_address(link.index, Ipv4(10, 78, 0, 5), 24));
    EXPECT_EQ(shown("ip route show dev nv0"), "") << "with the last address all go";
}

TEST_F(LinksTest, ListsAddressesAndHowLongTheyLive) {
    const auto link = find("nv0");
    ASSERT_TRUE(links_.set_up(link.index));
    EXPECT_THAT(links_.addresses(link.index).value(), testing::IsEmpty());
    ASSERT_TRUE(links_.add_address(link.index, Ipv4(10, 77, 0, 5), 24, Seconds{0}));
    ASSERT_TRUE(links_.add_address(link.index, Ipv4(10, 78, 0, 5), 16, Seconds{3600}));
    const auto found = links_.addresses(link.index).value();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0], (LinkAddress{Ipv4(10, 77, 0, 5), 24, Seconds{0}}));
    EXPECT_EQ(found[1].address, Ipv4(10, 78, 0, 5));
    EXPECT_EQ(found[1].prefix, 16);
    EXPECT_GT(found[1].valid_for, Seconds{3590});
    EXPECT_LE(found[1].valid_for, Seconds{3600});
    EXPECT_THAT(links_.addresses(find("nv1").index).value(), testing::IsEmpty());
    EXPECT_THAT(links_.addresses(9999).value(), testing::IsEmpty());
}

TEST_F(LinksTest, RemovesOneAddress) {
    const auto link = addressed();
    ASSERT_TRUE(links_.add_address(link.index, Ipv4(10, 78, 0, 5), 24, Seconds{0}));
    ASSERT_TRUE(links_.remove_address(link.index, Ipv4(10, 77, 0, 5), 24));
    EXPECT_THAT(shown("ip -4 addr show nv0"), Not(HasSubstr("10.77.0.5")));
    EXPECT_THAT(shown("ip -4 addr show nv0"), HasSubstr("10.78.0.5/24"));
    EXPECT_TRUE(links_.remove_address(link.index, Ipv4(10, 77, 0, 5), 24)) << "absent is fine";
    EXPECT_FALSE(links_.remove_address(9999, Ipv4(10, 77, 0, 5), 24));
}

TEST_F(LinksTest, ListsRoutesOfOneInterface) {
    const auto link = find("nv0"), other = find("nv1");
    ASSERT_TRUE(links_.set_up(link.index) && links_.set_up(other.index));
    ASSERT_TRUE(links_.add_address(link.index, Ipv4(10, 77, 0, 5), 24, Seconds{0}));
    ASSERT_TRUE(links_.add_address(other.index, Ipv4(10, 99, 0, 5), 24, Seconds{0}));
    ASSERT_TRUE(links_.add_route(link.index, {Ipv4{}, 0, Ipv4(10, 77, 0, 1)}));
    ASSERT_TRUE(links_.add_route(link.index, {Ipv4(10, 78, 0, 0), 16, Ipv4{}}));
    EXPECT_THAT(
        links_.routes(link.index).value(),
        testing::UnorderedElementsAre(Route{Ipv4{}, 0, Ipv4(10, 77, 0, 1)}, Route{Ipv4(10, 77, 0, 0), 24, Ipv4{}},
                                      Route{Ipv4(10, 78, 0, 0), 16, Ipv4{}}));
}

TEST_F(LinksTest, AbsentInterfacesAreSaidSo) {
    const auto result = links_.set_up(9999);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ENODEV);
    EXPECT_THAT(result.error().cause, HasSubstr("interface 9999"));
    EXPECT_FALSE(links_.add_address(9999, Ipv4(10, 0, 0, 1), 24, Seconds{0}));
    EXPECT_FALSE(links_.add_address(find("nv0").index, Ipv4(10, 0, 0, 1), 33, Seconds{0}));
}

TEST_F(LinksTest, ThreadsDoNotTakeEachOthersNews) {
    const auto link = find("nv0");
    std::atomic<int> ready{0}, woken{0};
    std::vector<std::thread> waiters;
    for (int i = 0; i < 3; ++i)
        waiters.emplace_back([&] {
            EXPECT_TRUE(links_.list());
            ++ready;
            woken += links_.wait_for_change(within_seconds(10)) ? 1 : 0;
        });
    while (ready < 3) std::this_thread::yield();
    EXPECT_TRUE(links_.set_up(link.index));
    for (auto& waiter : waiters) waiter.join();
    EXPECT_EQ(woken, 3);
}

TEST_F(LinksTest, BroadcastHardwareAddress) {
    const auto address = broadcast_hardware_address(find("nv0").index);
    ASSERT_TRUE(address);
    EXPECT_EQ(*address, std::string(6, '\xff'));
    EXPECT_FALSE(broadcast_hardware_address(9999));
}

}  // namespace
}  // namespace diskless
