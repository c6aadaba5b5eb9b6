#include "agent/dhcp_lease_keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/net/arp.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_links.hpp"
#include "tests/fakes/fake_machine.hpp"
#include "tests/fakes/fake_sockets.hpp"
#include "tests/unit/net/packets.hpp"

namespace diskless {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

const Mac kMac = *Mac::parse("52:54:00:12:34:56");
constexpr Ipv4 kServer(10, 9, 0, 1), kAddress(10, 9, 0, 10), kOther(10, 9, 0, 77);
constexpr Seconds kLease{20};

/// A DHCP server with one node: gives and renews `address`, refuses every other.
struct Server {
    FakeClock& clock;
    Ipv4 address = kAddress;
    bool away = false;
    bool refuses = false;
    Ipv4 router = kServer;
    std::string more_options = {};
    std::vector<Nanoseconds> renewed = {};
    int asked = 0;      // messages of any kind, heard or not
    int discovers = 0;  // heard
    int declined = 0;

    std::optional<std::string> answer(std::string_view payload) {
        ++asked;
        if (away) return std::nullopt;
        const DhcpOptions options(payload.substr(240), {}, {});
        const auto type = static_cast<DhcpType>(options.value(53).at(0));
        if (type == DhcpType::decline) {
            ++declined;
            return std::nullopt;
        }
        ByteReader reader(payload.substr(4));
        test::ServerSays says;
        says.xid = reader.u32();
        reader.bytes(4);
        const auto in_use = reader.ipv4();
        says.mac = kMac;
        auto reply = DhcpType::ack;
        if (type == DhcpType::discover) {
            ++discovers;
            reply = DhcpType::offer;
        } else if (refuses || (in_use.is_set() && in_use != address)) {
            reply = DhcpType::nak;
        } else {
            renewed.push_back(clock.now());
        }
        says.address = reply == DhcpType::nak ? Ipv4() : address;
        says.options = test::type_option(reply) + test::option(54, kServer);
        if (reply != DhcpType::nak)
            says.options += test::seconds_option(51, kLease.count()) + test::option(1, Ipv4(255, 255, 255, 0)) +
                            (router.is_set() ? test::option(3, router) : "") + more_options;
        return says.payload();
    }
};

class DhcpLeaseKeeperTest : public ::testing::Test {
  protected:
    DhcpLeaseKeeperTest() {
        auto& link = links.add("eth0", kMac);
        index = link.link.index;
        EXPECT_TRUE(links.set_up(index));
        EXPECT_TRUE(links.add_address(index, kAddress, 24, Seconds{0}));
        EXPECT_TRUE(links.add_route(index, kDefault));
        clock.advance(Seconds{1});
        sockets.packets[index] = [this](const std::string& packet) -> std::optional<std::string> {
            const auto udp = unwrap_udp(packet);
            ++broadcasts;
            const auto payload = server.answer(udp.value().payload);
            if (!payload) return std::nullopt;
            return wrap_udp({kServer, Ipv4(255, 255, 255, 255), 67, 68, *payload});
        };
        sockets.udp[kServer] = [this](const std::string& payload) { return server.answer(payload); };

        Lease lease;
        lease.source = LeaseSource::dhcp;
        lease.address = kAddress;
        lease.prefix = 24;
        lease.routers = {kServer};
        lease.server_id = kServer;
        lease.lease_time = kLease;
        lease.renew_after = kLease / 2;
        lease.rebind_after = kLease * 7 / 8;
        lease.obtained = clock.now();
        LeaseRequest request;
        request.mac = kMac;
        request.seed = 7;
        const AddressGuard::World world{clock, links, machine};
        keeper.emplace(world, sockets, AddressGuard(world, {"eth0", kMac}, routes_of), request, lease);
    }

    static std::vector<Route> routes_of(const Lease& lease) {
        if (!lease.routes.empty() || lease.routers.empty()) return lease.routes;
        return {{Ipv4(), 0, lease.routers.front()}};
    }

    FakeLinks::FakeLink& link() { return links.links[0]; }
    std::vector<Ipv4> addresses() const {
        std::vector<Ipv4> all;
        for (const auto& [address, prefix] : links.links[0].addresses) all.push_back(address);
        return all;
    }
    /// As the agent's loop does: sleeps until something is due. `always` is looked at after each turn.
    void pass(Nanoseconds span, const std::function<void()>& always = {}) {
        const auto end = clock.now() + span;
        while (keeper->next_due() < end) {
            if (keeper->next_due() > clock.now()) clock.advance(keeper->next_due() - clock.now());
            keeper->work(clock.now());
            ++turns;
            ASSERT_GT(keeper->next_due(), clock.now()) << "would spin";
            if (always) always();
        }
        clock.advance(end - clock.now());
    }
    int times_said(const std::string& words) const {
        int times = 0;
        for (const auto& [level, line] : machine.said) times += line.find(words) != std::string::npos ? 1 : 0;
        return times;
    }

    static constexpr Route kDefault{Ipv4(), 0, kServer};
    FakeClock clock;
    FakeLinks links{clock};
    FakeSockets sockets{clock};
    FakeMachine machine;
    Server server{clock};
    int index = 0, broadcasts = 0, turns = 0;
    std::optional<DhcpLeaseKeeper> keeper;
};

TEST_F(DhcpLeaseKeeperTest, HoldsALeaseOf20SecondsFor10Minutes) {
    int open = 0;
    pass(Seconds{600}, [&] {
        const auto live = keeper->live();
        EXPECT_GT(live.lease.obtained + live.lease.lease_time - clock.now(), Seconds{9});
        EXPECT_EQ(live.problem, std::nullopt);
        open += keeper->listening() ? 1 : 0;
    });
    EXPECT_GE(server.renewed.size(), 59U);
    EXPECT_LE(server.renewed.size(), 66U);
    EXPECT_EQ(broadcasts, 0) << "by unicast, to the server that gave it";
    EXPECT_LE(open, 66) << "sockets are open for one answer each";
    EXPECT_LT(turns, 400) << "the agent sleeps";
    EXPECT_THAT(machine.said, IsEmpty()) << "nothing to speak of";
    EXPECT_THAT(addresses(), ElementsAre(kAddress));
}

TEST_F(DhcpLeaseKeeperTest, ServerAwayPastT2IsBackBeforeTheEnd) {
    server.away = true;
    pass(Milliseconds{17'600});
    EXPECT_GT(broadcasts, 0) << "every server is asked after T2";
    EXPECT_EQ(times_said("10.9.0.1 does not renew 10.9.0.10"), 1);
    EXPECT_THAT(keeper->live().waits_for, HasSubstr("unanswered"));
    server.away = false;
    pass(Seconds{20});
    EXPECT_EQ(server.discovers, 0) << "never lost";
    EXPECT_EQ(times_said("renewed again"), 1);
    EXPECT_EQ(keeper->live().waits_for, "");
}

TEST_F(DhcpLeaseKeeperTest, KeepsTheAddressPastTheEndOfTheLease) {
    server.away = true;
    pass(Seconds{300}, [&] { EXPECT_THAT(addresses(), ElementsAre(kAddress)); });
    const auto live = keeper->live();
    ASSERT_TRUE(live.problem);
    EXPECT_THAT(live.problem->cause, HasSubstr("ran out"));
    EXPECT_EQ(live.lease.address, kAddress);
    EXPECT_EQ(times_said("ran out"), 1);
    EXPECT_LT(machine.said.size(), 5U) << ::testing::PrintToString(machine.said);
    EXPECT_LT(server.asked, 80) << "no storm";
    server.away = false;
    pass(Seconds{20});
    EXPECT_EQ(keeper->live().problem, std::nullopt);
    EXPECT_THAT(addresses(), ElementsAre(kAddress));
    EXPECT_EQ(times_said("renewed again"), 1);
}

TEST_F(DhcpLeaseKeeperTest, KeepsTheAddressAfterANakUntilThereIsAnother) {
    server.address = kOther;
    bool had_both = false;
    pass(Seconds{30}, [&] {
        if (keeper->live().problem) {
            EXPECT_THAT(addresses(), ElementsAre(kAddress));
            had_both = true;
        }
    });
    EXPECT_TRUE(had_both) << "there was a time between NAK and the new lease";
    EXPECT_THAT(addresses(), ElementsAre(kOther))
        << "put back: as the second one of its network it left with the first";
    EXPECT_THAT(link().routes, Contains(kDefault));
    EXPECT_EQ(keeper->live().lease.address, kOther);
    EXPECT_EQ(keeper->live().problem, std::nullopt);
    EXPECT_EQ(times_said("10.9.0.1 refuses to renew 10.9.0.10"), 1);
    EXPECT_EQ(times_said("10.9.0.77/24 from 10.9.0.1 for 20 s instead of 10.9.0.10"), 1);
    EXPECT_EQ(times_said("put back"), 0) << "it was our own doing";
    const auto before = server.renewed.size();
    pass(Seconds{60});
    EXPECT_GE(server.renewed.size(), before + 5) << "the new one is renewed as well";
}

TEST_F(DhcpLeaseKeeperTest, AnAddressThatSomebodyHasIsRefused) {
    server.address = kOther;
    const Mac squatter = *Mac::parse("02:00:00:00:00:99");
    int probes = 0;
    bool there = true;
    sockets.frames[index] = [&](const std::string& frame) -> std::optional<std::string> {
        ++probes;
        EXPECT_EQ(frame, build_arp_probe(kMac, kOther));
        if (!there) return std::nullopt;
        ByteWriter out;  // an ARP reply
        out.u16(1);
        out.u16(0x0800);
        out.u8(6);
        out.u8(4);
        out.u16(2);
        out.mac(squatter);
        out.ipv4(kOther);
        out.mac(kMac);
        out.ipv4({});
        return out.take();
    };
    pass(Seconds{60},
         [&] { EXPECT_THAT(addresses(), ElementsAre(kAddress)) << "the old one is better than a stolen"; });
    EXPECT_EQ(times_said("10.9.0.1 gave 10.9.0.77, which 02:00:00:00:00:99 has already: refused"), 1);
    EXPECT_EQ(server.declined, probes);
    EXPECT_GE(server.declined, 2);
    EXPECT_LE(server.declined, 6) << "ten seconds between";
    EXPECT_EQ(keeper->live().lease.address, kAddress);
    EXPECT_TRUE(keeper->live().problem);
    there = false;
    pass(Seconds{30});
    EXPECT_THAT(addresses(), ElementsAre(kOther));
    EXPECT_FALSE(keeper->live().problem);
}

TEST_F(DhcpLeaseKeeperTest, ANewAddressIsLookedForThreeTimesFirst) {
    server.address = kOther;
    std::vector<Nanoseconds> probes;
    sockets.frames[index] = [&](const std::string&) -> std::optional<std::string> {
        probes.push_back(clock.now());
        EXPECT_THAT(addresses(), ElementsAre(kAddress));
        return std::nullopt;
    };
    pass(Seconds{30});
    ASSERT_EQ(probes.size(), DhcpLeaseKeeper::kProbes);
    EXPECT_GE(probes[2] - probes[0], DhcpLeaseKeeper::kProbeEvery * 2);
    EXPECT_THAT(addresses(), ElementsAre(kOther));
    pass(Seconds{60});
    EXPECT_EQ(probes.size(), DhcpLeaseKeeper::kProbes) << "one that is kept is not asked for";
}

TEST_F(DhcpLeaseKeeperTest, AnotherLifeAsksAtOnceForWhatWasLost) {
    keeper->resume({"10.9.0.1 refuses to renew 10.9.0.10", "see the DHCP server", 0});
    EXPECT_TRUE(keeper->live().problem);
    pass(Seconds{2});
    EXPECT_EQ(server.renewed.size(), 1U);
    EXPECT_FALSE(keeper->live().problem);
    EXPECT_EQ(keeper->live().renewals, 1U);
    EXPECT_EQ(keeper->live().carrier, true);
}

TEST_F(DhcpLeaseKeeperTest, WhatAnEarlierLifeLostIsNeitherCountedNorSaidAgain) {
    server.refuses = true;
    pass(Seconds{15});
    ASSERT_TRUE(keeper->live().problem);
    EXPECT_EQ(keeper->live().losses, 1U);
    const auto problem = *keeper->live().problem;
    const auto lease = keeper->live().lease;
    machine.said.clear();
    LeaseRequest request;
    request.mac = kMac;
    const AddressGuard::World world{clock, links, machine};
    keeper.emplace(world, sockets, AddressGuard(world, {"eth0", kMac}, routes_of), request, lease);
    keeper->resume(problem);
    pass(Seconds{15});
    EXPECT_EQ(keeper->live().losses, 0U);
    EXPECT_EQ(times_said("refuses to renew"), 0);
    EXPECT_TRUE(keeper->live().problem);
}

TEST_F(DhcpLeaseKeeperTest, AServerThatOnlyRefusesDoesNotCutTheRoot) {
    server.refuses = true;
    pass(Seconds{120}, [&] { EXPECT_THAT(addresses(), ElementsAre(kAddress)); });
    EXPECT_LT(server.asked, 80) << "no storm";
    EXPECT_TRUE(keeper->live().problem);
}

TEST_F(DhcpLeaseKeeperTest, PutsBackWhatSomebodyTookAndSaysSoOnce) {
    pass(Seconds{1});
    for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(links.remove_addresses(index));
        EXPECT_TRUE(links.add_address(index, Ipv4(192, 168, 1, 5), 24, Seconds{3600})) << "some manager's own";
        pass(Seconds{4});
        EXPECT_THAT(addresses(), Contains(kAddress));
        EXPECT_THAT(link().routes, Contains(kDefault));
    }
    EXPECT_EQ(
        times_said("somebody changed eth0, put back what the root needs: address 10.9.0.10/24, route default via"), 1);
    clock.advance(Seconds{600});
    pass(Seconds{40});
    EXPECT_TRUE(links.set_down(index));
    pass(Seconds{4});
    EXPECT_TRUE(link().link.up);
    EXPECT_THAT(addresses(), Contains(kAddress));
    EXPECT_EQ(times_said("it was down, address 10.9.0.10/24, route default via 10.9.0.1 (21 times so far)"), 1)
        << ::testing::PrintToString(machine.said);
}

TEST_F(DhcpLeaseKeeperTest, AnAddressWithAnEndGetsNone) {
    EXPECT_TRUE(links.add_address(index, kAddress, 24, Seconds{30})) << "another DHCP client found the same";
    pass(Seconds{100});
    EXPECT_THAT(addresses(), ElementsAre(kAddress));
    EXPECT_EQ(links.addresses(index).value().front().valid_for, Seconds{0});
    EXPECT_EQ(times_said("put back"), 0);
}

TEST_F(DhcpLeaseKeeperTest, LeavesADefaultRouteThatSomebodyChose) {
    EXPECT_TRUE(links.add_route(index, {Ipv4(), 0, Ipv4(10, 9, 0, 254)}));
    pass(Seconds{30});
    EXPECT_THAT(link().routes, ElementsAre(Route{Ipv4(), 0, Ipv4(10, 9, 0, 254)}));
}

TEST_F(DhcpLeaseKeeperTest, ARouteWithHostBitsIsPutBackOnce) {
    AddressGuard guard({clock, links, machine}, {"eth0", kMac}, [](const Lease&) {
        return std::vector<Route>{{Ipv4(10, 8, 0, 9), 16, kServer}};
    });
    for (int hour = 0; hour < 3; ++hour) {
        guard.look(keeper->live().lease);
        EXPECT_THAT(link().routes, Contains(Route{Ipv4(10, 8, 0, 0), 16, kServer}));
        clock.advance(Seconds{3600});
    }
    EXPECT_EQ(times_said("put back what the root needs: route 10.8.0.0/16"), 1);
    EXPECT_EQ(times_said("put back"), 1);
}

TEST_F(DhcpLeaseKeeperTest, AsksAtOnceWhenTheCarrierIsBack) {
    pass(Seconds{1});
    link().unplugged = true;
    server.away = true;
    pass(Seconds{4});
    EXPECT_EQ(times_said("lost its carrier"), 1);
    link().unplugged = false;
    server.away = false;
    pass(Milliseconds{3'200});
    EXPECT_EQ(times_said("carrier back"), 1);
    EXPECT_EQ(server.renewed.size(), 1U) << "before T1";
    EXPECT_THAT(addresses(), ElementsAre(kAddress));
}

TEST_F(DhcpLeaseKeeperTest, AsksEverybodyWhenPort68IsTaken) {
    sockets.refused_udp.insert(kServer);
    pass(Seconds{60});
    EXPECT_GE(server.renewed.size(), 5U);
    EXPECT_EQ(broadcasts, static_cast<int>(server.renewed.size()));
    EXPECT_EQ(keeper->live().problem, std::nullopt);
}

TEST_F(DhcpLeaseKeeperTest, SurvivesTheInterfaceGoingAway) {
    pass(Seconds{1});
    const auto kept = link();
    links.links.clear();
    pass(Seconds{60});
    EXPECT_EQ(times_said("interface eth0 is gone, and the root with it"), 1);
    links.links.push_back(kept);
    link().link.index = 9;  // its driver was loaded again
    link().link.name = "eth1";
    link().link.up = false;
    link().addresses.clear();
    sockets.packets[9] = sockets.packets[index];
    pass(Seconds{30});
    EXPECT_THAT(addresses(), ElementsAre(kAddress));
    EXPECT_EQ(keeper->live().problem, std::nullopt);
    EXPECT_THAT(keeper->live().waits_for, IsEmpty());
}

TEST_F(DhcpLeaseKeeperTest, ANewRouterIsTaken) {
    server.more_options = test::option(121, test::hex("08 0a 0a 09 00 fe"));  // 10.0.0.0/8 and its router, on the link
    pass(Seconds{12});
    EXPECT_THAT(link().routes, Contains(Route{Ipv4(10, 0, 0, 0), 8, Ipv4(10, 9, 0, 254)}));
    EXPECT_EQ(times_said("put back"), 0) << "nobody took it";
}

TEST_F(DhcpLeaseKeeperTest, AnotherRouterTakesThePlaceOfTheOldOne) {
    EXPECT_TRUE(links.add_route(index, {Ipv4(10, 8, 0, 0), 16, Ipv4(10, 9, 0, 2)})) << "somebody's own";
    server.router = Ipv4(10, 9, 0, 254);
    pass(Seconds{12});
    EXPECT_THAT(link().routes, UnorderedElementsAre(Route{Ipv4(), 0, Ipv4(10, 9, 0, 254)},
                                                    Route{Ipv4(10, 8, 0, 0), 16, Ipv4(10, 9, 0, 2)}));
    EXPECT_EQ(times_said("eth0: route default via 10.9.0.254 instead of via 10.9.0.1"), 1);
    EXPECT_EQ(times_said("put back"), 0) << "nobody took it";
    pass(Seconds{60});
    EXPECT_EQ(times_said("instead of via"), 1) << "said once";
}

TEST_F(DhcpLeaseKeeperTest, ARouteThatTheServerNoLongerGivesIsGone) {
    server.more_options = test::option(121, test::hex("08 0a 0a 09 00 fe 00 0a 09 00 01"));
    pass(Seconds{12});
    EXPECT_THAT(link().routes, UnorderedElementsAre(kDefault, Route{Ipv4(10, 0, 0, 0), 8, Ipv4(10, 9, 0, 254)}));
    server.more_options.clear();
    pass(Seconds{12});
    EXPECT_THAT(link().routes, ElementsAre(kDefault));
    EXPECT_EQ(times_said("route 10.0.0.0/8 via 10.9.0.254 is gone"), 1);
}

TEST_F(DhcpLeaseKeeperTest, AnAnswerWithoutARouterTakesNoneAway) {
    server.router = Ipv4();
    pass(Seconds{12});
    EXPECT_THAT(link().routes, ElementsAre(kDefault)) << "the root may be behind it";
}

TEST_F(DhcpLeaseKeeperTest, AnotherRouterIsNotTakenWhereSomebodyChoseOne) {
    const Route chosen{Ipv4(), 0, Ipv4(10, 9, 0, 2)};
    EXPECT_TRUE(links.add_route(index, chosen));
    server.router = Ipv4(10, 9, 0, 254);
    pass(Seconds{30});
    EXPECT_THAT(link().routes, ElementsAre(chosen));
}

TEST_F(DhcpLeaseKeeperTest, AnotherNetworkHasItsOwnRouter) {
    server.address = Ipv4(10, 20, 0, 10);
    server.router = Ipv4(10, 20, 0, 1);
    pass(Seconds{30});
    EXPECT_THAT(addresses(), ElementsAre(server.address));
    EXPECT_THAT(link().routes, ElementsAre(Route{Ipv4(), 0, server.router}));
    EXPECT_EQ(times_said("put back"), 0) << "it was our own doing";
}

TEST(FixedLease, IsKeptOnItsInterfaceToo) {
    FakeClock clock;
    FakeLinks links(clock);
    FakeMachine machine;
    const int index = links.add("eth0", kMac).link.index;
    Lease lease;
    lease.source = LeaseSource::bootp;
    lease.address = kAddress;
    lease.prefix = 24;
    FixedLease keeper(lease, AddressGuard({clock, links, machine}, {"eth0", kMac}, {}));
    keeper.work(clock.now());
    EXPECT_EQ(links.addresses(index).value(), (std::vector<LinkAddress>{{kAddress, 24, Seconds{0}}}));
    EXPECT_EQ(keeper.next_due(), clock.now() + AddressGuard::kLookEvery);
    EXPECT_TRUE(links.remove_addresses(index));
    keeper.work(clock.now());
    EXPECT_THAT(links.addresses(index).value(), IsEmpty()) << "not due yet";
    clock.advance(AddressGuard::kLookEvery);
    keeper.work(clock.now());
    EXPECT_THAT(links.addresses(index).value(), Not(IsEmpty()));
}

}  // namespace
}  // namespace diskless
