// The agent's lease against a real DHCP server, busybox udhcpd (it gives leases of seconds; dnsmasq's are two minutes
// at least), in a network namespace of the server's own: within one, the kernel would take the short way over lo.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "agent/dhcp_lease_keeper.hpp"
#include "common/base/text.hpp"
#include "common/os/clock_linux.hpp"
#include "common/os/links_linux.hpp"
#include "common/os/sockets_linux.hpp"
#include "tests/fakes/fake_machine.hpp"
#include "tests/netns/veth.hpp"

namespace diskless {
namespace {

using testing::HasSubstr;

constexpr Ipv4 kServer(10, 77, 0, 1);

class LeaseTest : public testing::Test {
  protected:
    void SetUp() override {
        if (shown("busybox --list 2>/dev/null | grep -x udhcpd").empty())
            GTEST_SKIP() << "no busybox with udhcpd, which gives leases of seconds";
        ASSERT_EQ(veth_.problem(), "");
        // "exec": the number is that of what is ended afterwards
        holder_ = std::string(trim(shown("unshare --net sh -c 'exec sleep 120' >/dev/null 2>&1 & echo $!")));
        for (int tries = 0; tries < 200; ++tries) {
            if (shown("readlink /proc/" + holder_ + "/ns/net") != shown("readlink /proc/self/ns/net")) break;
            linux_clock().sleep(Milliseconds{10});
        }
        ASSERT_EQ(shown("ip link set nv1 netns " + holder_ + " 2>&1"), "");
        ASSERT_EQ(over_there("ip addr add 10.77.0.1/24 dev nv1"), "");
        ASSERT_EQ(over_there("ip link set nv1 up"), "");
        serve("10.77.0", "10.77.0.1");
        start_server();

        const auto all = links_.list().value();
        for (const auto& link : all)
            if (link.name == "nv0") link_ = link;
        ASSERT_TRUE(links_.set_up(link_.index));
        ASSERT_TRUE(links_.add_address(link_.index, kBooted, 24, Seconds{0}));
    }
    void TearDown() override {
        stop_server();
        shown("ip link del nv0 2>/dev/null");  // its end is in the other namespace, where nobody looks for it
        if (!holder_.empty()) shown("kill " + holder_ + " 2>/dev/null");
    }

    std::string over_there(const std::string& command) const {
        return shown("nsenter --net=/proc/" + holder_ + "/ns/net " + command + " 2>&1");
    }
    /// What the server gives from its next start on; it knows of no lease then.
    static void serve(const std::string& network, const std::string& router) {
        std::ofstream("/tmp/udhcpd.conf") << "start " << network << ".50\nend " << network
                                          << ".60\ninterface nv1\nmin_lease 2\n"
                                             "lease_file /tmp/udhcpd.leases\npidfile /tmp/udhcpd.pid\n"
                                             "option subnet 255.255.255.0\noption router "
                                          << router << "\noption lease 10\n";
        std::ofstream("/tmp/udhcpd.leases");
    }
    void start_server() {
        server_ = std::string(trim(shown("nsenter --net=/proc/" + holder_ +
                                         "/ns/net busybox udhcpd -f /tmp/udhcpd.conf >/tmp/udhcpd.log 2>&1 & "
                                         "echo $!")));
    }
    void stop_server() {
        if (!server_.empty()) shown("kill -9 " + std::exchange(server_, "") + " 2>/dev/null");
    }

    DhcpLeaseKeeper make_keeper(std::vector<Ipv4> routers = {}) {
        Lease lease;
        lease.source = LeaseSource::dhcp;
        lease.address = kBooted;
        lease.prefix = 24;
        lease.routers = std::move(routers);
        lease.server_id = kServer;
        lease.lease_time = Seconds{4};
        lease.renew_after = Seconds{2};
        lease.rebind_after = Seconds{3};
        lease.obtained = linux_clock().now();
        LeaseRequest request;
        request.mac = link_.mac;
        request.seed = 1;
        const AddressGuard::World world{linux_clock(), links_, machine_};
        const auto routes = [](const Lease& of) {
            return of.routers.empty() ? std::vector<Route>() : std::vector<Route>{{Ipv4(), 0, of.routers.front()}};
        };
        return {world, sockets_, AddressGuard(world, {"nv0", link_.mac}, routes), request, lease};
    }
    /// Turns the agent's loop until the condition holds; false after the time.
    bool work_until(DhcpLeaseKeeper& keeper, Seconds at_most, const std::function<bool()>& condition) {
        const auto deadline = Deadline::after(linux_clock(), at_most);
        while (!condition()) {
            if (deadline.passed(linux_clock())) return false;
            linux_clock().sleep(deadline.sooner_of({keeper.next_due()}).left(linux_clock()));
            keeper.work(linux_clock().now());
        }
        return true;
    }
    std::string said() const {
        std::string all;
        for (const auto& [level, line] : machine_.said) all += line + "\n";
        return all + shown("cat /tmp/udhcpd.log");
    }

    static constexpr Ipv4 kBooted{10, 77, 0, 7};  // the server does not know it
    LinuxLinks links_;
    LinuxSockets sockets_;
    FakeMachine machine_;
    VethPair veth_{"nv0", "nv1"};
    std::string holder_, server_;
    Link link_;
};

TEST_F(LeaseTest, IsRenewedAndSurvivesItsServerAndItsThieves) {
    auto keeper = make_keeper();
    // The server keeps silent about an address it does not know: the lease ends, and another one is found.
    ASSERT_TRUE(work_until(keeper, Seconds{20}, [&] { return keeper.live().lease.address != kBooted; })) << said();
    const auto first = keeper.live().lease;
    EXPECT_THAT(said(), HasSubstr("instead of 10.77.0.7"));
    EXPECT_EQ(links_.addresses(link_.index).value(), (std::vector<LinkAddress>{{first.address, 24, Seconds{0}}}))
        << "the new address is there, the old one is not";
    EXPECT_THAT(shown("ip route"), HasSubstr("default via 10.77.0.1 dev nv0"));

    for (int renewals = 0; renewals < 1; ++renewals) {
        const auto last = keeper.live().lease.obtained;
        ASSERT_TRUE(work_until(keeper, Seconds{8}, [&] { return keeper.live().lease.obtained != last; })) << said();
        EXPECT_EQ(keeper.live().lease.address, first.address);
        EXPECT_LT(keeper.live().lease.obtained - last, Seconds{6}) << "at T1, from the server itself";
        EXPECT_FALSE(keeper.listening());
    }

    shown("ip addr flush dev nv0; ip link set nv0 down");
    ASSERT_TRUE(work_until(keeper, Seconds{5}, [&] {
        return shown("ip route").find("default via 10.77.0.1 dev nv0") != std::string::npos;
    })) << said();
    EXPECT_THAT(said(), HasSubstr("somebody changed nv0, put back what the root needs: it was down, address"));

    stop_server();
    ASSERT_TRUE(work_until(keeper, Seconds{15}, [&] { return keeper.live().problem.has_value(); })) << said();
    EXPECT_EQ(links_.addresses(link_.index).value().size(), 1U) << "kept past its end";
    start_server();
    ASSERT_TRUE(work_until(keeper, Seconds{25}, [&] { return !keeper.live().problem; })) << said();
    EXPECT_EQ(links_.addresses(link_.index).value().size(), 1U);
}

TEST_F(LeaseTest, GoesWithTheNetworkToAnotherRouter) {
    ASSERT_TRUE(links_.add_route(link_.index, {Ipv4(), 0, kServer}));
    stop_server();
    serve("10.78.0", "10.78.0.254");
    ASSERT_EQ(over_there("ip addr add 10.78.0.1/24 dev nv1"), "");
    ASSERT_EQ(over_there("ip addr del 10.77.0.1/24 dev nv1"), "");
    start_server();
    auto keeper = make_keeper({kServer});
    ASSERT_TRUE(work_until(keeper, Seconds{20}, [&] { return keeper.live().lease.address != kBooted; })) << said();
    EXPECT_EQ(shown("ip -o -4 addr show nv0 | grep -c ."), "1\n");
    const auto routes = shown("ip route");
    EXPECT_THAT(routes, HasSubstr("default via 10.78.0.254 dev nv0")) << said();
    EXPECT_THAT(routes, testing::Not(HasSubstr("10.77.0"))) << said();
}

}  // namespace
}  // namespace diskless
