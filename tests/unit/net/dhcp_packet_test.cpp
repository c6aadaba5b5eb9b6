#include "common/net/dhcp_packet.hpp"

#include <gtest/gtest.h>

#include "tests/unit/net/packets.hpp"

namespace diskless {
namespace {

using namespace std::chrono_literals;
using namespace test;

const Mac kMac = *Mac::parse("52:54:00:12:34:56");

/// A reply with these options, which must be readable.
DhcpReply read(const std::string& options, ServerSays says = {}) {
    says.options = type_option(DhcpType::ack) + options;
    auto reply = parse_dhcp_reply(says.payload());
    EXPECT_TRUE(reply) << reply.error().cause;
    return reply.value_or(DhcpReply{});
}

/// Options of a message we built, by code.
DhcpOptions options_of(const std::string& payload) { return {std::string_view(payload).substr(240), {}, {}}; }

TEST(BuildDhcp, DiscoverIsWhatServersExpect) {
    DhcpQuery query;
    query.xid = 0x11223344;
    query.secs = 3;
    query.mac = kMac;
    query.client_id = default_client_id(kMac);
    query.vendor_class = "diskless:1.0";
    query.hostname = "n0010";
    const auto payload = build_dhcp(query);
    EXPECT_GE(payload.size(), 300U);
    EXPECT_EQ(payload.substr(0, 34),
              hex("01 01 06 00 11223344 0003 0000 00000000 00000000 00000000 00000000 525400123456"));
    EXPECT_EQ(payload.substr(236, 7), hex("63825363 350101"));
    const auto options = options_of(payload);
    EXPECT_EQ(options.value(61), hex("01 525400123456"));
    EXPECT_EQ(options.value(60), "diskless:1.0");
    EXPECT_EQ(options.value(12), "n0010");
    EXPECT_EQ(options.value(57), hex("05dc"));
    EXPECT_FALSE(options.has(50));
    EXPECT_FALSE(options.has(54));
    EXPECT_FALSE(options.cut_short());
    const auto wanted = options.value(55);
    EXPECT_LT(wanted.find('\x79'), wanted.find('\x03')) << "RFC 3442: classless routes before the router";
    for (const char code : {1, 3, 6, 7, 12, 15, 17, 26, 40, 42, 51, 54, 58, 59, 66, 67, 121})
        EXPECT_NE(wanted.find(code), std::string::npos) << int{code};
}

TEST(BuildDhcp, RequestNamesServerAndAddress) {
    DhcpQuery query;
    query.type = DhcpType::request;
    query.broadcast = true;
    query.requested_address = Ipv4(10, 9, 0, 10);
    query.server_id = Ipv4(10, 9, 0, 1);
    const auto payload = build_dhcp(query);
    EXPECT_EQ(payload.substr(10, 2), hex("8000"));
    EXPECT_EQ(options_of(payload).value(50), hex("0a09000a"));
    EXPECT_EQ(options_of(payload).value(54), hex("0a090001"));
}

TEST(BuildDhcp, BootpHasNoDhcpOptions) {
    DhcpQuery query;
    query.type = DhcpType::bootp;
    query.client_id = default_client_id(kMac);
    const auto payload = build_dhcp(query);
    EXPECT_EQ(payload.size(), 300U);
    EXPECT_EQ(payload.substr(236, 5), hex("63825363 ff"));
}

TEST(BuildDhcp, OverlongTextsAreCutToWhatAnOptionHolds) {
    DhcpQuery query;
    query.vendor_class = std::string(1000, 'v');
    EXPECT_EQ(options_of(build_dhcp(query)).value(60).size(), 255U);
    EXPECT_FALSE(options_of(build_dhcp(query)).cut_short());
}

TEST(ParseDhcp, ReadsAWholeAck) {
    ServerSays says;
    says.next_server = Ipv4(10, 9, 0, 2);
    says.file = "pxelinux.0";
    const auto reply =
        read(option(1, Ipv4(255, 255, 0, 0)) + option(3, hex("0a090001 0a090002")) + option(6, hex("0a090003")) +
                 option(7, hex("0a090004")) + option(12, "n0010") + option(15, "cluster.example") +
                 option(17, "10.9.0.1:/srv/root") + option(26, hex("2328")) + option(40, "nis.example") +
                 option(42, hex("0a090005")) + seconds_option(51, 3600) + option(54, Ipv4(10, 9, 0, 1)) +
                 seconds_option(58, 1000) + seconds_option(59, 3000),
             says);
    const auto& lease = reply.lease;
    EXPECT_EQ(reply.type, DhcpType::ack);
    EXPECT_EQ(reply.xid, 0x11223344U);
    EXPECT_EQ(reply.mac, kMac);
    EXPECT_EQ(lease.source, LeaseSource::dhcp);
    EXPECT_EQ(lease.address, Ipv4(10, 9, 0, 10));
    EXPECT_EQ(lease.prefix, 16);
    EXPECT_EQ(lease.routers, (std::vector{Ipv4(10, 9, 0, 1), Ipv4(10, 9, 0, 2)}));
    EXPECT_EQ(lease.dns, std::vector{Ipv4(10, 9, 0, 3)});
    EXPECT_EQ(lease.log_servers, std::vector{Ipv4(10, 9, 0, 4)});
    EXPECT_EQ(lease.ntp, std::vector{Ipv4(10, 9, 0, 5)});
    EXPECT_EQ(lease.hostname, "n0010");
    EXPECT_EQ(lease.domain, "cluster.example");
    EXPECT_EQ(lease.nis_domain, "nis.example");
    EXPECT_EQ(lease.root_path, "10.9.0.1:/srv/root");
    EXPECT_EQ(lease.boot_file, "pxelinux.0");
    EXPECT_EQ(lease.next_server, Ipv4(10, 9, 0, 2));
    EXPECT_EQ(lease.server_id, Ipv4(10, 9, 0, 1));
    EXPECT_EQ(lease.mtu, 9000);
    EXPECT_EQ(lease.lease_time, 3600s);
    EXPECT_EQ(lease.renew_after, 1000s);
    EXPECT_EQ(lease.rebind_after, 3000s);
    EXPECT_TRUE(reply.ignored.empty()) << reply.ignored.front();
}

TEST(ParseDhcp, ClasslessRoutesBeatTheRouter) {
    const auto reply =
        read(option(3, hex("0a0900fe")) +
             option(121, hex("18 0a0901 0a090001  00 0a090002  20 0a0a0a0a 00000000  13 ac1fff 0a090003")));
    EXPECT_TRUE(reply.lease.routers.empty());
    EXPECT_EQ(reply.lease.routes, (std::vector<Route>{{Ipv4(10, 9, 1, 0), 24, Ipv4(10, 9, 0, 1)},
                                                      {Ipv4(), 0, Ipv4(10, 9, 0, 2)},
                                                      {Ipv4(10, 10, 10, 10), 32, Ipv4()},
                                                      {Ipv4(172, 31, 224, 0), 19, Ipv4(10, 9, 0, 3)}}));
}

TEST(ParseDhcp, MalformedClasslessRoutesLeaveTheRouter) {
    for (const auto* routes : {"21 0a090101 01 0a090001", "18 0a09", "18 0a0901 0a0900", "ff", "00 0a0900"}) {
        const auto reply = read(option(3, hex("0a0900fe")) + option(121, hex(routes)));
        EXPECT_TRUE(reply.lease.routes.empty()) << routes;
        EXPECT_EQ(reply.lease.routers, std::vector{Ipv4(10, 9, 0, 254)}) << routes;
        EXPECT_EQ(reply.ignored.size(), 1U) << routes;
    }
}

TEST(ParseDhcp, MissingOrSenselessMaskIsClassful) {
    EXPECT_EQ(read("").lease.prefix, 8);
    ServerSays says;
    says.address = Ipv4(192, 168, 7, 7);
    EXPECT_EQ(read("", says).lease.prefix, 24);
    for (const auto mask : {Ipv4(255, 0, 255, 0), Ipv4(0, 0, 0, 0), Ipv4(0, 0, 0, 255)}) {
        const auto reply = read(option(1, mask), says);
        EXPECT_EQ(reply.lease.prefix, 24) << mask.text();
        EXPECT_EQ(reply.ignored.size(), 1U) << mask.text();
    }
    EXPECT_EQ(read(option(1, hex("ffff"))).lease.prefix, 8) << "wrong length";
    EXPECT_EQ(read(option(1, Ipv4(255, 255, 255, 255))).lease.prefix, 32);
}

TEST(ParseDhcp, RepairsTheTimes) {
    struct Case {
        std::uint32_t lease, renew, rebind;
        std::chrono::seconds want_lease, want_renew, want_rebind;
    };
    const Case cases[] = {
        {3600, 0, 0, 3600s, 1800s, 3150s},        // not given
        {3600, 100, 200, 3600s, 100s, 200s},      // as given
        {3600, 200, 100, 3600s, 1800s, 3150s},    // T1 after T2
        {3600, 4000, 5000, 3600s, 1800s, 3150s},  // after the end
        {3600, 3200, 0, 3600s, 1800s, 3150s},     // T1 after the default of T2
        {3600, 0, 900, 3600s, 1800s, 3150s},      // T2 before the default of T1
        {0, 0, 0, 10s, 5s, 8s},
        {1, 1, 1, 10s, 5s, 8s},
        {0xFFFFFFFF, 10, 20, 0s, 0s, 0s},  // for ever
        {0xFFFFFFFE, 0, 0, 4294967294s, 2147483647s, 3758096382s},
    };
    for (const auto& c : cases) {
        const auto reply = read(seconds_option(51, c.lease) + (c.renew ? seconds_option(58, c.renew) : "") +
                                (c.rebind ? seconds_option(59, c.rebind) : ""));
        EXPECT_EQ(reply.lease.lease_time, c.want_lease) << c.lease << ' ' << c.renew << ' ' << c.rebind;
        EXPECT_EQ(reply.lease.renew_after, c.want_renew) << c.lease << ' ' << c.renew << ' ' << c.rebind;
        EXPECT_EQ(reply.lease.rebind_after, c.want_rebind) << c.lease << ' ' << c.renew << ' ' << c.rebind;
        if (reply.lease.lease_time > 0s) {
            EXPECT_GT(reply.lease.renew_after, 0s);
            EXPECT_LT(reply.lease.renew_after, reply.lease.rebind_after);
            EXPECT_LT(reply.lease.rebind_after, reply.lease.lease_time);
        }
    }
    EXPECT_EQ(read("").lease.lease_time, 0s) << "no end named";
}

TEST(ParseDhcp, NamesMustBeHostNames) {
    for (const auto* bad : {"two words", "a/b", "../etc", "..", ".", "-a", "a-", "a..b", "$(reboot)", "a;b", "naïve",
                            "a\nb", "\x1b[2J"}) {
        const auto reply = read(option(12, bad));
        EXPECT_EQ(reply.lease.hostname, "") << bad;
        ASSERT_EQ(reply.ignored.size(), 1U) << bad;
        EXPECT_EQ(reply.ignored[0].find_first_of("\n\x1b"), std::string::npos) << bad;
    }
    EXPECT_EQ(read(option(12, std::string(65, 'a'))).lease.hostname, "");
    EXPECT_EQ(read(option(12, "n0010.cluster.example")).lease.hostname, "n0010.cluster.example");
    EXPECT_EQ(read(option(12, "rack_1-n2")).lease.hostname, "rack_1-n2");
    EXPECT_EQ(read(option(12, std::string_view("n1\0", 3))).lease.hostname, "n1") << "some servers count the NUL";
    EXPECT_EQ(read(option(15, "example.")).lease.domain, "example");
    EXPECT_EQ(read(option(15, "exam ple")).lease.domain, "");
}

TEST(ParseDhcp, PathsMayBeUtf8ButNotControl) {
    EXPECT_EQ(read(option(17, "/srv/größe")).lease.root_path, "/srv/größe");
    for (const auto* bad : {"/srv\n/x", "/srv\x7f", "/srv/\xff", "/srv/\xc2\x9b"}) {
        EXPECT_EQ(read(option(17, bad)).lease.root_path, "");
        EXPECT_EQ(read(option(17, bad)).ignored.size(), 1U);
    }
}

TEST(ParseDhcp, LongOptionsComeInParts) {
    const auto path = "/" + std::string(299, 'x');
    EXPECT_EQ(read(option(17, path.substr(0, 255)) + option(12, "n1") + option(17, path.substr(255))).lease.root_path,
              path);
}

TEST(ParseDhcp, OverloadedFieldsHoldOptions) {
    ServerSays says;
    says.file = option(17, "/srv/ro") + "\xff";
    says.sname = option(17, "ot") + option(12, "n1") + "\xff";
    const auto with = [&](int overload) { return read(option(52, std::string(1, static_cast<char>(overload))), says); };
    EXPECT_EQ(with(1).lease.root_path, "/srv/ro");
    EXPECT_EQ(with(1).lease.boot_file, "");
    EXPECT_EQ(with(2).lease.hostname, "n1");
    EXPECT_EQ(with(3).lease.root_path, "/srv/root") << "file before sname (RFC 3396)";
    EXPECT_EQ(with(0).lease.root_path, "");
    EXPECT_EQ(with(252).lease.root_path, "") << "bits that mean nothing";
}

TEST(ParseDhcp, OverloadWithinAnOverloadedFieldMeansNothing) {
    ServerSays says;
    says.file = option(52, "\x03") + "\xff";
    says.sname = option(12, "n1") + "\xff";
    EXPECT_EQ(read(option(52, "\x01"), says).lease.hostname, "");
}

TEST(ParseDhcp, BootFileOptionBeatsTheField) {
    ServerSays says;
    says.file = "from-field";
    EXPECT_EQ(read(option(67, "from-option"), says).lease.boot_file, "from-option");
    EXPECT_EQ(read("", says).lease.boot_file, "from-field");
    says.file = "bad\nfile";
    EXPECT_EQ(read("", says).lease.boot_file, "");
}

TEST(ParseDhcp, TftpServerOptionStandsInForNextServer) {
    EXPECT_EQ(read(option(66, "10.9.0.7")).lease.next_server, Ipv4(10, 9, 0, 7));
    EXPECT_FALSE(read(option(66, "tftp.example")).lease.next_server.is_set());
    ServerSays says;
    says.next_server = Ipv4(10, 9, 0, 2);
    EXPECT_EQ(read(option(66, "10.9.0.7"), says).lease.next_server, Ipv4(10, 9, 0, 2));
}

TEST(ParseDhcp, SenselessValuesAreLeftOut) {
    EXPECT_EQ(read(option(26, hex("0043"))).lease.mtu, 0);
    EXPECT_EQ(read(option(26, hex("05"))).lease.mtu, 0);
    EXPECT_TRUE(read(option(3, hex("0a0900"))).lease.routers.empty());
    EXPECT_EQ(read(option(3, hex("0a0900"))).ignored.size(), 1U);
    EXPECT_EQ(read(option(6, hex("00000000 0a090003 ffffffff 7f000001 0a090003"))).lease.dns,
              std::vector{Ipv4(10, 9, 0, 3)});
    EXPECT_EQ(read(seconds_option(51, 60) + seconds_option(51, 90)).lease.lease_time, 60s) << "the first of two counts";
    EXPECT_TRUE(read(option(43, hex("ff00ff"))).ignored.empty()) << "vendor options are nobody's business";
}

TEST(ParseDhcp, PaddingAndMissingEndAreFine) {
    EXPECT_EQ(read(std::string(7, '\0') + option(12, "n1") + std::string(3, '\0')).lease.hostname, "n1");
    ServerSays says;
    says.options = type_option(DhcpType::ack) + option(12, "n1");
    auto payload = says.payload();
    payload.resize(240 + says.options.size());
    EXPECT_EQ(parse_dhcp_reply(payload)->lease.hostname, "n1");
    EXPECT_TRUE(parse_dhcp_reply(payload)->ignored.empty());
}

TEST(ParseDhcp, OptionsAfterTheEndDoNotCount) { EXPECT_EQ(read("\xff" + option(12, "n1")).lease.hostname, ""); }

TEST(ParseDhcp, AnOptionThatDoesNotFitIsNamed) {
    ServerSays says;
    says.options = type_option(DhcpType::ack) + option(12, "n1") + "\x11\xc8/srv";
    auto payload = says.payload();
    payload.resize(240 + says.options.size());
    const auto reply = parse_dhcp_reply(payload);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->lease.hostname, "n1");
    EXPECT_EQ(reply->lease.root_path, "");
    EXPECT_EQ(reply->ignored.size(), 1U);
}

TEST(ParseDhcp, WithoutMessageTypeItIsBootp) {
    ServerSays says;
    says.options = option(17, "/srv/root") + seconds_option(51, 60);
    const auto reply = parse_dhcp_reply(says.payload());
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->type, DhcpType::bootp);
    EXPECT_EQ(reply->lease.source, LeaseSource::bootp);
    EXPECT_EQ(reply->lease.root_path, "/srv/root");
    EXPECT_EQ(reply->lease.lease_time, 0s);
    says.cookie = false;
    EXPECT_EQ(parse_dhcp_reply(says.payload())->lease.address, Ipv4(10, 9, 0, 10));
    EXPECT_TRUE(parse_dhcp_reply(says.payload().substr(0, 236))) << "no vendor area at all";
}

TEST(ParseDhcp, NakNeedsNoAddress) {
    ServerSays says;
    says.address = {};
    says.options = type_option(DhcpType::nak) + option(54, Ipv4(10, 9, 0, 1)) + option(56, "wrong network");
    const auto reply = parse_dhcp_reply(says.payload());
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->type, DhcpType::nak);
    EXPECT_EQ(reply->message, "wrong network");
    EXPECT_EQ(reply->lease.server_id, Ipv4(10, 9, 0, 1));
}

TEST(ParseDhcp, RefusesWhatIsNoReply) {
    ServerSays says;
    const auto whole = says.payload();
    for (std::size_t size = 0; size < 236; ++size) EXPECT_FALSE(parse_dhcp_reply(whole.substr(0, size))) << size;
    says.operation = 1;
    EXPECT_FALSE(parse_dhcp_reply(says.payload()));
    says = {};
    says.options = option(53, "\x09");
    EXPECT_FALSE(parse_dhcp_reply(says.payload()));
    for (const auto address :
         {Ipv4(), Ipv4(127, 0, 0, 1), Ipv4(224, 0, 0, 1), Ipv4(255, 255, 255, 255), Ipv4(0, 1, 2, 3)}) {
        says = {};
        says.address = address;
        EXPECT_FALSE(parse_dhcp_reply(says.payload())) << address.text();
    }
    auto infiniband = whole;
    infiniband[2] = 20;
    EXPECT_FALSE(parse_dhcp_reply(infiniband));
}

TEST(ParseDhcp, SurvivesEveryTruncation) {
    ServerSays says;
    says.options = type_option(DhcpType::ack) + option(121, hex("18 0a0901 0a090001")) + option(17, "/srv/root") +
                   option(52, "\x03") + seconds_option(51, 60);
    says.file = std::string(128, '\x11');
    says.sname = std::string(64, '\xfe');
    const auto whole = says.payload();
    for (std::size_t size = 236; size <= whole.size(); ++size) EXPECT_TRUE(parse_dhcp_reply(whole.substr(0, size)));
}

}  // namespace
}  // namespace diskless
