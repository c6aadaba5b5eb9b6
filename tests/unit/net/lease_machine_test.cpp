#include "common/net/lease_machine.hpp"

#include <gtest/gtest.h>

#include <set>

#include "common/net/rarp.hpp"
#include "tests/unit/net/packets.hpp"

namespace diskless {
namespace {

using namespace std::chrono_literals;
using namespace test;
using Time = LeaseMachine::Time;

const Mac kMac = *Mac::parse("52:54:00:12:34:56");
const Ipv4 kServer(10, 9, 0, 1), kOther(10, 9, 0, 2), kAddress(10, 9, 0, 10);

/// A question as a server reads it.
struct Question {
    DhcpType type = DhcpType::bootp;
    std::uint32_t xid = 0;
    std::uint16_t secs = 0;
    bool broadcast = false;
    Ipv4 client_address, requested, server;
    Mac mac;
    Ipv4 from, to;  // of the IP packet
    std::string client_id, hostname;
};

Ipv4 address_in(const std::string& value) { return ByteReader(value).ipv4(); }

Question read_question(std::string_view payload) {
    Question q;
    ByteReader in(payload);
    in.u32();
    q.xid = in.u32();
    q.secs = in.u16();
    q.broadcast = in.u16() & 0x8000;
    q.client_address = in.ipv4();
    in.bytes(12);
    q.mac = in.mac();
    const DhcpOptions options(payload.substr(240), {}, {});
    if (options.has(53)) q.type = static_cast<DhcpType>(options.value(53)[0]);
    if (options.has(50)) q.requested = address_in(options.value(50));
    if (options.has(54)) q.server = address_in(options.value(54));
    q.client_id = options.value(61);
    q.hostname = options.value(12);
    return q;
}

Question read_packet(const std::string& packet) {
    const auto udp = unwrap_udp(packet);
    EXPECT_TRUE(udp);
    EXPECT_EQ(udp->source_port, 68);
    EXPECT_EQ(udp->destination_port, 67);
    auto q = read_question(udp->payload);
    q.from = udp->source;
    q.to = udp->destination;
    return q;
}

/// One node, one wire, a clock that jumps to whatever is due next.
struct Story {
    LeaseMachine machine;
    Time now;
    LeaseActions last;

    explicit Story(LeaseRequest request = default_request(), Time start = 5s) : machine(request, start), now(start) {}
    Story(LeaseRequest request, Lease lease, Time start) : machine(request, lease), now(start) {}

    static LeaseRequest default_request() {
        LeaseRequest request;
        request.mac = kMac;
        request.seed = 7;
        return request;
    }

    /// Lets time pass until the machine wants to do something, and does it.
    LeaseActions& next() {
        now = std::max(now, machine.next_wakeup());
        return last = machine.on_time(now);
    }
    /// The same, and the single broadcast it sends.
    Question next_question() {
        next();
        EXPECT_EQ(last.packets.size(), 1U);
        return last.packets.empty() ? Question{} : read_packet(last.packets[0]);
    }
    LeaseActions& hear(const ServerSays& says) {
        const auto payload = says.payload();
        return last = machine.on_packet(wrap_udp({kServer, Ipv4(255, 255, 255, 255), 67, 68, payload}), now);
    }
    ServerSays answer(DhcpType type, std::uint32_t xid, const std::string& options = {}, Ipv4 server = kServer) {
        ServerSays says;
        says.xid = xid;
        says.options = type_option(type) + option(54, server) + option(1, Ipv4(255, 255, 255, 0)) + options;
        return says;
    }
    void obtain(std::uint32_t seconds = 3600) {
        const auto discover = next_question();
        hear(answer(DhcpType::offer, discover.xid));
        hear(answer(DhcpType::ack, discover.xid, seconds_option(51, seconds)));
        ASSERT_EQ(last.event, LeaseEvent::gained);
    }
};

TEST(LeaseMachine, ObtainsALease) {
    Story story;
    const auto discover = story.next_question();
    EXPECT_EQ(story.now, 5s) << "the first question waits for nothing";
    EXPECT_EQ(discover.type, DhcpType::discover);
    EXPECT_EQ(discover.mac, kMac);
    EXPECT_EQ(discover.from, Ipv4());
    EXPECT_EQ(discover.to, Ipv4(255, 255, 255, 255));
    EXPECT_EQ(discover.client_id, hex("01 525400123456"));
    EXPECT_FALSE(discover.broadcast);
    EXPECT_FALSE(discover.requested.is_set());

    story.hear(story.answer(DhcpType::offer, discover.xid));
    ASSERT_EQ(story.last.packets.size(), 1U);
    const auto request = read_packet(story.last.packets[0]);
    EXPECT_EQ(request.type, DhcpType::request);
    EXPECT_EQ(request.xid, discover.xid);
    EXPECT_EQ(request.requested, kAddress);
    EXPECT_EQ(request.server, kServer);
    EXPECT_FALSE(request.client_address.is_set());
    EXPECT_FALSE(story.machine.has_lease());

    story.now += 3ms;
    story.hear(story.answer(DhcpType::ack, discover.xid, seconds_option(51, 3600) + option(12, "bad name")));
    EXPECT_EQ(story.last.event, LeaseEvent::gained);
    EXPECT_EQ(story.last.reason, "DHCP address 10.9.0.10/24 from 10.9.0.1 for 3600 s");
    EXPECT_EQ(story.last.notes.size(), 1U);
    EXPECT_EQ(story.machine.state(), LeaseState::bound);
    EXPECT_EQ(story.machine.lease().obtained, 5s + 3ms);
    EXPECT_EQ(story.machine.lease().client_id, default_client_id(kMac));
}

TEST(LeaseMachine, AsksAgainSoonThenSeldomAndNeverStops) {
    Story story;
    const auto first = story.next_question();
    Time before = story.now, longest{0};
    for (int i = 1; i < 300; ++i) {
        const auto q = story.next_question();
        const auto gap = story.now - before;
        EXPECT_EQ(q.xid, first.xid);
        EXPECT_GE(gap, 100ms);
        EXPECT_LE(gap, i == 1 ? 400ms : 16100ms) << i;
        EXPECT_EQ(q.secs, std::chrono::duration_cast<std::chrono::seconds>(story.now - 5s).count());
        longest = std::max(longest, gap);
        before = story.now;
    }
    EXPECT_GT(longest, 8s);
    EXPECT_GT(story.now, 1000s);
    EXPECT_TRUE(story.machine.progress(story.now).starts_with("no answer to 300 DHCP requests in "))
        << story.machine.progress(story.now);
}

TEST(LeaseMachine, AsksForABroadcastAnswerAfterSilence) {
    Story story;
    std::vector<bool> flags;
    for (int i = 0; i < 6; ++i) flags.push_back(story.next_question().broadcast);
    EXPECT_EQ(flags, (std::vector<bool>{false, false, false, true, false, true}));
}

TEST(LeaseMachine, NothingIsSentEarly) {
    Story story;
    story.next();
    EXPECT_TRUE(story.machine.on_time(story.machine.next_wakeup() - 1ns).packets.empty());
}

TEST(LeaseMachine, NodesSwitchedOnTogetherDoNotStayTogether) {
    std::set<std::int64_t> second, renewals;
    std::set<std::uint32_t> xids;
    for (std::uint8_t i = 0; i < 200; ++i) {
        auto request = Story::default_request();  // same seed: only the MAC differs
        request.mac.bytes[5] = i;
        LeaseMachine machine(request, 0s);
        xids.insert(read_packet(machine.on_time(0s).packets.at(0)).xid);
        second.insert(machine.next_wakeup() / 1ms);
        Lease lease;
        lease.address = kAddress;
        lease.lease_time = 3600s;
        lease.renew_after = 1800s;
        lease.rebind_after = 3150s;
        const auto renewal = LeaseMachine(request, lease).next_wakeup();
        EXPECT_GT(renewal, 1680s);
        EXPECT_LE(renewal, 1800s);
        renewals.insert(renewal / 1s);
    }
    EXPECT_EQ(xids.size(), 200U);
    EXPECT_GT(second.size(), 100U);
    EXPECT_GT(renewals.size(), 60U);
}

TEST(LeaseMachine, LostAcknowledgementsAreAskedForAgain) {
    Story story;
    const auto discover = story.next_question();
    story.hear(story.answer(DhcpType::offer, discover.xid));
    for (int i = 0; i < 4; ++i) {
        const auto again = story.next_question();
        EXPECT_EQ(again.type, DhcpType::request);
        EXPECT_EQ(again.xid, discover.xid);
        EXPECT_EQ(again.secs, discover.secs) << "RFC 2131 4.4.1";
    }
    const auto anew = story.next_question();
    EXPECT_EQ(anew.type, DhcpType::discover) << "the server that offered counts as gone";
    EXPECT_NE(anew.xid, discover.xid);
    EXPECT_LT(story.now, 16s);
    story.hear(story.answer(DhcpType::ack, discover.xid, seconds_option(51, 60)));
    EXPECT_FALSE(story.machine.has_lease()) << "an answer to an old transaction";
}

TEST(LeaseMachine, StrangersAreNotHeard) {
    Story story;
    const auto discover = story.next_question();
    const auto good = story.answer(DhcpType::offer, discover.xid);
    auto wrong_xid = good, wrong_mac = good, no_server = good, request = good;
    wrong_xid.xid ^= 1;
    wrong_mac.mac.bytes[5] ^= 1;
    no_server.options = type_option(DhcpType::offer);
    request.operation = 1;
    const auto ack = story.answer(DhcpType::ack, discover.xid);
    const auto nak = story.answer(DhcpType::nak, discover.xid);
    ServerSays bootp;
    bootp.xid = discover.xid;
    for (const auto& says : {wrong_xid, wrong_mac, no_server, request, ack, nak, bootp}) {
        const auto& actions = story.hear(says);
        EXPECT_TRUE(actions.packets.empty());
        EXPECT_EQ(actions.event, LeaseEvent::none);
        EXPECT_EQ(story.machine.state(), LeaseState::selecting);
    }
    const auto payload = good.payload();
    EXPECT_TRUE(story.machine.on_packet(wrap_udp({kServer, kAddress, 67, 69, payload}), story.now).packets.empty());
    EXPECT_TRUE(story.machine.on_packet("rubbish", story.now).packets.empty());
    EXPECT_FALSE(story.hear(good).packets.empty()) << "the right one still counts";
}

TEST(LeaseMachine, ARefusedRequestStartsOverWithGrowingPauses) {
    Story story;
    Time pause_sum{0};
    std::uint32_t xid = 0;
    for (int i = 0; i < 8; ++i) {
        const auto discover = story.next_question();
        EXPECT_EQ(discover.type, DhcpType::discover);
        EXPECT_NE(discover.xid, xid);
        xid = discover.xid;
        story.hear(story.answer(DhcpType::offer, xid));
        story.hear(story.answer(DhcpType::nak, xid, option(56, "not\nyours")));
        EXPECT_EQ(story.last.event, LeaseEvent::none);
        EXPECT_TRUE(story.last.reason.starts_with("10.9.0.1 offered 10.9.0.10 and then refused it"));
        EXPECT_EQ(story.last.reason.find('\n'), std::string::npos);
        EXPECT_EQ(story.machine.state(), LeaseState::selecting);
        EXPECT_GE(story.machine.next_wakeup() - story.now, 100ms);
        pause_sum += story.machine.next_wakeup() - story.now;
    }
    EXPECT_GT(pause_sum, 10s);
}

TEST(LeaseMachine, OnlyTheServerThatWasAskedMayRefuse) {
    Story story;
    const auto discover = story.next_question();
    story.hear(story.answer(DhcpType::offer, discover.xid));
    story.hear(story.answer(DhcpType::nak, discover.xid, {}, kOther));
    EXPECT_EQ(story.machine.state(), LeaseState::requesting);
    story.hear(story.answer(DhcpType::ack, discover.xid));
    EXPECT_EQ(story.last.event, LeaseEvent::gained);
}

TEST(LeaseMachine, RenewsWithTheServerAtHalfTime) {
    Story story;
    story.obtain();
    const auto bound = story.now;
    story.next();
    EXPECT_EQ(story.machine.state(), LeaseState::renewing);
    EXPECT_GT(story.now - bound, 1680s);
    EXPECT_LE(story.now - bound, 1800s);
    EXPECT_TRUE(story.last.packets.empty());
    EXPECT_EQ(story.last.unicast_to, kServer);
    const auto renewal = read_question(story.last.unicast);
    EXPECT_EQ(renewal.type, DhcpType::request);
    EXPECT_EQ(renewal.client_address, kAddress);
    EXPECT_FALSE(renewal.requested.is_set()) << "RFC 2131 table 5";
    EXPECT_FALSE(renewal.server.is_set()) << "RFC 2131 table 5";
    EXPECT_EQ(renewal.secs, 0);

    const auto payload = story.answer(DhcpType::ack, renewal.xid, seconds_option(51, 3600)).payload();
    EXPECT_EQ(story.machine.on_datagram(payload, story.now).event, LeaseEvent::renewed);
    EXPECT_EQ(story.machine.lease().obtained, story.now);
    EXPECT_EQ(story.machine.on_datagram(payload, story.now).event, LeaseEvent::none) << "both sockets heard it";
    EXPECT_GT(story.machine.next_wakeup(), story.now + 1680s);
}

TEST(LeaseMachine, RenewalsComeAtHalfOfWhatIsLeft) {
    Story story;
    story.obtain(3200);  // T1 1600, T2 2800
    const auto bound = story.now;
    std::vector<Time> times;
    while (story.next().packets.empty()) {
        EXPECT_EQ(story.machine.state(), LeaseState::renewing);
        times.push_back(story.now - bound);
    }
    const auto t2 = story.now - bound;
    for (std::size_t i = 1; i < times.size(); ++i) {
        const auto half = (t2 - times[i - 1]) / 2;
        EXPECT_EQ(times[i] - times[i - 1], std::max<Time>(half, 60s)) << i;
    }
    EXPECT_GE(times.size(), 4U);
    EXPECT_GT(t2, 2700s);
    EXPECT_LE(t2, 2800s);
    EXPECT_EQ(story.machine.state(), LeaseState::rebinding);
}

TEST(LeaseMachine, AnotherServerMayRebind) {
    Story story;
    story.obtain();
    while (story.next().packets.empty()) {
    }
    const auto rebind = read_packet(story.last.packets[0]);
    EXPECT_EQ(rebind.client_address, kAddress);
    EXPECT_EQ(rebind.from, kAddress);
    EXPECT_EQ(rebind.to, Ipv4(255, 255, 255, 255));
    EXPECT_GT(rebind.secs, 0);
    story.hear(story.answer(DhcpType::ack, rebind.xid, seconds_option(51, 3600), kOther));
    EXPECT_EQ(story.last.event, LeaseEvent::renewed);
    EXPECT_EQ(story.machine.lease().server_id, kOther);
    EXPECT_EQ(story.next().unicast_to, kOther);
}

TEST(LeaseMachine, ARenewalWithAnotherAddressIsAMove) {
    Story story;
    story.obtain();
    story.next();
    auto says = story.answer(DhcpType::ack, read_question(story.last.unicast).xid, seconds_option(51, 60));
    says.address = Ipv4(10, 9, 0, 99);
    EXPECT_EQ(story.hear(says).event, LeaseEvent::moved);
    EXPECT_EQ(story.machine.lease().address, says.address);
}

TEST(LeaseMachine, ALeaseThatRanOutIsLostOnceAndAskedForByAddress) {
    Story story;
    story.obtain();
    const auto bound = story.now;
    int sent = 0;
    while (story.next().event == LeaseEvent::none) {
        ASSERT_LT(++sent, 100);
    }
    EXPECT_EQ(story.last.event, LeaseEvent::lost);
    EXPECT_EQ(story.now - bound, 3600s);
    EXPECT_GT(sent, 6);
    EXPECT_FALSE(story.machine.has_lease());
    ASSERT_EQ(story.last.packets.size(), 1U);
    const auto discover = read_packet(story.last.packets[0]);
    EXPECT_EQ(discover.type, DhcpType::discover);
    EXPECT_EQ(discover.requested, kAddress);
    EXPECT_EQ(discover.from, Ipv4());
    EXPECT_EQ(story.next().event, LeaseEvent::none);
    story.hear(story.answer(DhcpType::offer, discover.xid));
    story.hear(story.answer(DhcpType::ack, discover.xid));
    EXPECT_EQ(story.last.event, LeaseEvent::gained);
}

TEST(LeaseMachine, AShortLeaseIsAskedForOftenEnough) {
    Story story;
    story.obtain(120);
    int sent = 0;
    while (story.next().event == LeaseEvent::none) ASSERT_LT(++sent, 100);
    EXPECT_GE(sent, 6);
}

TEST(LeaseMachine, ANodeThatSleptPastTheEndLosesTheLease) {
    Story story;
    story.obtain();
    story.now += 2h;
    EXPECT_EQ(story.next().event, LeaseEvent::lost);
}

TEST(LeaseMachine, ANodeThatSleptPastT2AsksEverybody) {
    Story story;
    story.obtain();
    story.now += 3200s;
    EXPECT_EQ(story.next().packets.size(), 1U);
    EXPECT_EQ(story.machine.state(), LeaseState::rebinding);
}

TEST(LeaseMachine, ANakWhileRenewingLosesTheLease) {
    Story story;
    story.obtain();
    story.next();
    story.hear(story.answer(DhcpType::nak, read_question(story.last.unicast).xid, option(56, "moved")));
    EXPECT_EQ(story.last.event, LeaseEvent::lost);
    EXPECT_EQ(story.last.reason, "10.9.0.1 refuses to renew 10.9.0.10: moved");
    EXPECT_FALSE(story.machine.has_lease());
    EXPECT_EQ(story.next_question().type, DhcpType::discover);
}

TEST(LeaseMachine, NobodyTakesABoundLeaseAway) {
    Story story;
    const auto discover = story.next_question();
    story.hear(story.answer(DhcpType::offer, discover.xid));
    story.hear(story.answer(DhcpType::ack, discover.xid, seconds_option(51, 3600)));
    for (const auto type : {DhcpType::nak, DhcpType::ack, DhcpType::offer}) {
        story.hear(story.answer(type, discover.xid, {}, kOther));
        EXPECT_EQ(story.last.event, LeaseEvent::none);
        EXPECT_EQ(story.machine.lease().server_id, kServer);
    }
}

TEST(LeaseMachine, AnEndlessLeaseIsNeverRenewed) {
    Story story;
    story.obtain(0xFFFFFFFF);
    EXPECT_EQ(story.machine.next_wakeup(), Time::max());
    story.machine.renew_soon(story.now);
    EXPECT_EQ(story.machine.next_wakeup(), Time::max());
}

TEST(LeaseMachine, RenewsSoonWhenTold) {
    Story story;
    story.obtain();
    story.now += 1s;
    story.machine.renew_soon(story.now);
    EXPECT_EQ(story.machine.next_wakeup(), story.now);
    EXPECT_FALSE(story.next().unicast.empty());
}

TEST(LeaseMachine, TakesOverALease) {
    Story first;
    first.obtain();
    auto lease = first.machine.lease();
    lease.client_id = {0, 'x'};
    Story second(Story::default_request(), lease, 100s);
    EXPECT_EQ(second.machine.state(), LeaseState::bound);
    EXPECT_TRUE(second.machine.has_lease());
    second.next();
    EXPECT_EQ(read_question(second.last.unicast).client_id, std::string("\0x", 2))
        << "one client id for the whole boot";
    Story late(Story::default_request(), lease, 5s + 3000s);
    EXPECT_FALSE(late.next().unicast.empty());
    EXPECT_EQ(late.now, 3005s) << "due at once";
    lease.server_id = {};
    EXPECT_EQ(Story(Story::default_request(), lease, 3005s).next().packets.size(), 1U) << "no server known: ask all";
}

TEST(LeaseMachine, WaitsAMomentForAnOfferWithARootPath) {
    auto request = Story::default_request();
    request.prefer_root_path = true;
    const auto root = option(17, "/srv/root");
    {
        Story story(request);
        const auto xid = story.next_question().xid;
        EXPECT_TRUE(story.hear(story.answer(DhcpType::offer, xid)).packets.empty());
        EXPECT_EQ(story.machine.next_wakeup(), story.now + 500ms);
        story.now += 400ms;
        EXPECT_TRUE(story.hear(story.answer(DhcpType::offer, xid, {}, Ipv4(10, 9, 0, 3))).packets.empty());
        EXPECT_EQ(story.machine.next_wakeup(), story.now + 100ms) << "the window does not grow";
        story.hear(story.answer(DhcpType::offer, xid, root, kOther));
        EXPECT_EQ(read_packet(story.last.packets.at(0)).server, kOther);
    }
    {
        Story story(request);
        const auto xid = story.next_question().xid;
        story.hear(story.answer(DhcpType::offer, xid));
        story.hear(story.answer(DhcpType::offer, xid, {}, kOther));
        EXPECT_EQ(story.next_question().server, kServer) << "the first one, when none is better";
    }
    {
        Story story(request);
        const auto xid = story.next_question().xid;
        EXPECT_EQ(story.hear(story.answer(DhcpType::offer, xid, root)).packets.size(), 1U) << "good: no wait";
    }
}

TEST(LeaseMachine, BootpIsBoundByItsReply) {
    auto request = Story::default_request();
    request.methods = {false, true, false};
    Story story(request);
    const auto question = story.next_question();
    EXPECT_EQ(question.type, DhcpType::bootp);
    story.hear(story.answer(DhcpType::offer, question.xid));
    EXPECT_FALSE(story.machine.has_lease());
    ServerSays says;
    says.xid = question.xid;
    says.next_server = kServer;
    story.hear(says);
    EXPECT_EQ(story.last.event, LeaseEvent::gained);
    EXPECT_EQ(story.last.reason, "BOOTP address 10.9.0.10/8 from 10.9.0.1");
    EXPECT_EQ(story.machine.next_wakeup(), Time::max());
}

TEST(LeaseMachine, RarpIsBoundByItsReply) {
    auto request = Story::default_request();
    request.methods = {false, false, true};
    Story story(request);
    story.next();
    EXPECT_TRUE(story.last.packets.empty());
    ASSERT_EQ(story.last.rarp_frames.size(), 1U);
    EXPECT_EQ(story.last.rarp_frames[0], build_rarp_request(kMac));
    EXPECT_EQ(story.next().rarp_frames.size(), 1U) << "and again";
    const auto stranger = hex("0001 0800 06 04 0004 525400aabbcc 0a090001 525400123457 0a09000b");
    EXPECT_EQ(story.machine.on_rarp(stranger, story.now).event, LeaseEvent::none);
    const auto reply = hex("0001 0800 06 04 0004 525400aabbcc 0a090001 525400123456 0a09000a");
    EXPECT_EQ(story.machine.on_rarp(reply, story.now).event, LeaseEvent::gained);
    EXPECT_EQ(story.machine.lease().source, LeaseSource::rarp);
    EXPECT_EQ(story.machine.on_rarp(reply, story.now).event, LeaseEvent::none);
}

TEST(LeaseMachine, AnyTakesWhoeverAnswers) {
    auto request = Story::default_request();
    request.methods = {true, true, true};
    const auto rarp = hex("0001 0800 06 04 0004 525400aabbcc 0a090001 525400123456 0a09000a");
    {
        Story story(request);
        EXPECT_EQ(story.next_question().type, DhcpType::discover);
        EXPECT_EQ(story.last.rarp_frames.size(), 1U);
        EXPECT_EQ(story.machine.on_rarp(rarp, story.now).event, LeaseEvent::gained);
    }
    {
        Story story(request);
        ServerSays bootp;
        bootp.xid = story.next_question().xid;
        EXPECT_EQ(story.hear(bootp).event, LeaseEvent::gained);
        EXPECT_EQ(story.machine.lease().source, LeaseSource::bootp);
    }
    {
        Story story(request);
        story.hear(story.answer(DhcpType::offer, story.next_question().xid));
        EXPECT_EQ(story.machine.on_rarp(rarp, story.now).event, LeaseEvent::none) << "DHCP is under way";
    }
    Story dhcp_only;
    dhcp_only.next();
    EXPECT_TRUE(dhcp_only.last.rarp_frames.empty());
    EXPECT_EQ(dhcp_only.machine.on_rarp(rarp, dhcp_only.now).event, LeaseEvent::none);
}

TEST(LeaseMachine, AWeekOnALossyWire) {
    // Half of all messages are lost in either direction; the lease is never.
    Story story;
    std::uint64_t random = 42;
    const auto lost = [&] { return (random = random * 6364136223846793005 + 1442695040888963407) >> 63 != 0; };
    int gained = 0, renewed = 0;
    while (story.now < 7 * 24h) {
        const auto actions = story.next();
        ASSERT_NE(actions.event, LeaseEvent::lost) << "at " << story.now / 1s;
        if (lost()) continue;
        Question q;
        if (!actions.packets.empty()) q = read_packet(actions.packets[0]);
        if (!actions.unicast.empty()) q = read_question(actions.unicast);
        const auto type = q.type == DhcpType::discover ? DhcpType::offer : DhcpType::ack;
        if (lost()) continue;
        auto heard = story.hear(story.answer(type, q.xid, seconds_option(51, 86400)));
        if (type == DhcpType::offer && !lost()) {
            heard = story.hear(story.answer(DhcpType::ack, q.xid, seconds_option(51, 86400)));
        }
        gained += heard.event == LeaseEvent::gained;
        renewed += heard.event == LeaseEvent::renewed;
    }
    EXPECT_EQ(gained, 1);
    EXPECT_GE(renewed, 7);
}

/// When the node has its lease, from a server that hears half of its messages only; and how often it asked.
struct LossyStart {
    Time leased{};
    int asked = 0;
};
LossyStart start_on_lossy_wire(std::uint8_t node, std::uint64_t random) {
    auto request = Story::default_request();
    request.mac.bytes[5] = node;
    request.seed = random;
    Story story(request, 0s);
    LossyStart start;
    const auto lost = [&] { return (random = random * 6364136223846793005 + 1442695040888963407) >> 63 != 0; };
    while (!story.machine.has_lease()) {
        auto packets = story.next().packets;
        while (!packets.empty()) {
            ++start.asked;
            const auto q = read_packet(packets[0]);
            packets.clear();
            if (lost()) break;
            ServerSays says = story.answer(q.type == DhcpType::discover ? DhcpType::offer : DhcpType::ack, q.xid,
                                           seconds_option(51, 3600));
            says.mac = request.mac;
            packets = story.hear(says).packets;
        }
    }
    start.leased = story.now;
    return start;
}

TEST(LeaseMachine, TheLastOfAThousandHasItsLeaseSoonThoughHalfIsLost) {
    Time last{};
    int asked = 0;
    for (unsigned node = 0; node < 1000; ++node) {
        const auto start = start_on_lossy_wire(static_cast<std::uint8_t>(node), node * 77 + 1);
        last = std::max(last, start.leased);
        asked += start.asked;
    }
    EXPECT_LT(last, 25s) << "of " << asked << " questions";
    EXPECT_LT(asked, 4500) << "four each are what half of all messages lost takes at best";
}

TEST(LeaseMachine, AThousandNodesDoNotFloodADeadServersNetwork) {
    int asked = 0;
    for (unsigned node = 0; node < 1000; ++node) {
        auto request = Story::default_request();
        request.seed = node;
        Story story(request, 0s);
        while (story.next(), story.now < 5min) ++asked;
    }
    EXPECT_LT(asked / 300, 200) << "broadcasts a second";
}

}  // namespace
}  // namespace diskless
