#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>

#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/links_linux.hpp"
#include "common/os/sockets_linux.hpp"
#include "tests/netns/veth.hpp"

namespace diskless {
namespace {

using testing::HasSubstr;

constexpr Ipv4 kLoopback(127, 0, 0, 1);

Deadline in(Milliseconds time) { return Deadline::after(linux_clock(), time); }

/// An IPv4 packet with a UDP header; no checksums, the packet channel does not look at them.
std::string udp_packet(std::uint16_t to_port, const std::string& payload, std::uint16_t fragment = 0,
                       std::uint8_t protocol = 17, unsigned option_words = 0) {
    const auto put16 = [](std::string& to, unsigned value) {
        to += static_cast<char>(value >> 8);
        to += static_cast<char>(value);
    };
    std::string packet(1, static_cast<char>(0x45 + option_words));
    packet += '\0';
    put16(packet, static_cast<unsigned>(28 + 4 * option_words + payload.size()));
    put16(packet, 1);
    put16(packet, fragment);
    packet += '\x40';
    packet += static_cast<char>(protocol);
    put16(packet, 0);
    packet += std::string("\x0a\x4d\0\x01\xff\xff\xff\xff", 8);
    packet += std::string(4 * option_words, '\1');
    put16(packet, 67);
    put16(packet, to_port);
    put16(packet, static_cast<unsigned>(8 + payload.size()));
    put16(packet, 0);
    return packet + payload;
}

class PacketsTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(veth_.problem(), "");
        near_ = up("nv0");
        far_ = up("nv1");
        const auto deadline = in(Seconds{10});
        for (const auto* name : {"nv0", "nv1"})
            while (!find(name).carrier) ASSERT_TRUE(links_.wait_for_change(deadline)) << name;
    }
    Link find(const std::string& name) {
        const auto all = links_.list().value();
        for (const auto& link : all)
            if (link.name == name) return link;
        return {};
    }
    int up(const std::string& name) {
        const int index = find(name).index;
        EXPECT_TRUE(links_.set_up(index));
        return index;
    }
    std::unique_ptr<Channel> packets(int index, std::uint16_t port) {
        auto channel = sockets_.open_packets(index, port);
        EXPECT_TRUE(channel) << channel.error().cause;
        return channel ? std::move(*channel) : nullptr;
    }

    LinuxLinks links_;
    LinuxSockets sockets_;
    VethPair veth_{"nv0", "nv1"};
    int near_ = 0, far_ = 0;
};

TEST_F(PacketsTest, ALinkThatIsLitWhenItIsSetUpSendsAtOnce) {
    ASSERT_TRUE(links_.set_down(near_));
    const auto receiver = packets(far_, 67);
    ASSERT_TRUE(links_.set_up(near_));
    ASSERT_TRUE(find("nv0").carrier) << "the far end was up before";
    const auto sender = packets(near_, 68);
    ASSERT_TRUE(sender->send(udp_packet(67, "early")));
    ASSERT_THAT(sockets_.wait({receiver.get()}, in(Seconds{10})), testing::ElementsAre(true));
    EXPECT_EQ(receiver->receive(), udp_packet(67, "early"));
}

TEST_F(PacketsTest, ReachEveryStationWithoutAnAddress) {
    const auto server = packets(far_, 67), client = packets(near_, 68), other = packets(near_, 69);
    ASSERT_TRUE(client->send(udp_packet(67, "discover")));
    EXPECT_THAT(sockets_.wait({client.get(), server.get()}, in(Seconds{10})), testing::ElementsAre(false, true));
    EXPECT_EQ(server->receive(), udp_packet(67, "discover"));

    ASSERT_TRUE(server->send(udp_packet(68, "offer")));
    EXPECT_THAT(sockets_.wait({client.get(), other.get()}, in(Seconds{10})), testing::ElementsAre(true, false));
    EXPECT_EQ(client->receive(), udp_packet(68, "offer"));
    const auto none = client->receive();
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, EAGAIN);
}

TEST_F(PacketsTest, OnlyWholeUdpOfThePortPasses) {
    const auto server = packets(far_, 67), client = packets(near_, 68);
    ASSERT_TRUE(server->send(udp_packet(69, "other port")));
    ASSERT_TRUE(server->send(udp_packet(68, "tcp", 0, 6)));
    ASSERT_TRUE(server->send(udp_packet(68, "first fragment", 0x2000)));
    ASSERT_TRUE(server->send(udp_packet(68, "later fragment", 0x0010)));
    ASSERT_TRUE(server->send(std::string("\x45\0\0", 3)));
    ASSERT_TRUE(server->send(udp_packet(68, "do not fragment", 0x4000)));
    ASSERT_TRUE(server->send(udp_packet(68, "with options", 0, 17, 3)));
    // Veth keeps the order: what the filter let through before would come first.
    for (const auto& expected : {udp_packet(68, "do not fragment", 0x4000), udp_packet(68, "with options", 0, 17, 3)}) {
        ASSERT_THAT(sockets_.wait({client.get()}, in(Seconds{10})), testing::ElementsAre(true));
        EXPECT_EQ(client->receive(), expected);
    }
    EXPECT_EQ(client->receive().error().code, EAGAIN);
}

TEST_F(PacketsTest, FramesOfOneTypePass) {
    auto server = sockets_.open_frames(far_, 0x8035), client = sockets_.open_frames(near_, 0x8035);
    ASSERT_TRUE(server && client);
    ASSERT_TRUE((*client)->send("reverse request"));
    EXPECT_THAT(sockets_.wait({server->get()}, in(Seconds{10})), testing::ElementsAre(true));
    EXPECT_THAT((*server)->receive().value(), testing::StartsWith("reverse request"));
}

TEST_F(PacketsTest, SayWhichInterfaceIsGoneOrDown) {
    const auto absent = sockets_.open_packets(9999, 68);
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, ENODEV);
    EXPECT_THAT(absent.error().cause, HasSubstr("interface 9999"));
    const auto client = packets(near_, 68);
    ASSERT_TRUE(links_.set_down(near_));
    EXPECT_FALSE(client->send(udp_packet(67, "x")));
}

// A listening or dead end on loopback.
class LocalServer {
  public:
    explicit LocalServer(bool listening, int type = SOCK_STREAM) : socket_(socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
        EXPECT_EQ(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
        port = ntohs(address.sin_port);
        if (listening) {
            EXPECT_EQ(listen(socket_.get(), 4), 0);
        }
    }
    Descriptor take() const { return Descriptor(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
    int fd() const { return socket_.get(); }
    std::uint16_t port = 0;

  private:
    Descriptor socket_;
};

class ExchangeTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(shown("ip link set lo up 2>&1"), ""); }
    LinuxSockets sockets_;
};

TEST_F(ExchangeTest, SendsAndReturnsTheAnswer) {
    const LocalServer server(true);
    std::thread serving([&] {
        const auto peer = server.take();
        char request[16];
        EXPECT_EQ(recv(peer.get(), request, sizeof request, 0), 4);
        EXPECT_EQ(send(peer.get(), "pong!", 5, 0), 5);
    });
    EXPECT_EQ(sockets_.tcp_exchange(kLoopback, server.port, "ping", in(Seconds{10})), "pong!");
    serving.join();
}

TEST_F(ExchangeTest, ClosedPortIsRefusedAtOnce) {
    const LocalServer dead(false);
    const auto result = sockets_.tcp_exchange(kLoopback, dead.port, "ping", in(Seconds{10}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ECONNREFUSED);
    EXPECT_THAT(result.error().cause, HasSubstr("127.0.0.1:" + std::to_string(dead.port)));
}

TEST_F(ExchangeTest, SilentServerCostsTheDeadlineOnly) {
    const LocalServer silent(true);  // the kernel accepts, nobody answers
    const auto start = linux_clock().now();
    const auto result = sockets_.tcp_exchange(kLoopback, silent.port, "ping", in(Milliseconds{60}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ETIMEDOUT);
    EXPECT_GE(linux_clock().now() - start, Milliseconds{60});
}

TEST_F(ExchangeTest, BlackHoleCostsTheDeadlineOnly) {
    VethPair wire("nv0", "nv1");
    ASSERT_EQ(shown("ip addr add 10.99.0.1/24 dev nv0 && ip link set nv0 up && ip link set nv1 up && "
                    "ip neigh add 10.99.0.2 lladdr 02:00:00:00:00:02 dev nv0 nud permanent 2>&1"),
              "");
    const auto result = sockets_.tcp_exchange(Ipv4(10, 99, 0, 2), 2049, "ping", in(Milliseconds{60}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ETIMEDOUT);
    EXPECT_THAT(result.error().cause, HasSubstr("connect TCP 10.99.0.2:2049"));
}

TEST_F(ExchangeTest, NoRouteFailsAtOnce) {
    const auto result = sockets_.tcp_exchange(Ipv4(203, 0, 113, 1), 2049, "ping", in(Seconds{10}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ENETUNREACH);
}

TEST_F(ExchangeTest, HangUpIsNoAnswerAndNoSignal) {
    const LocalServer server(true);
    std::thread serving([&] { server.take(); });
    std::signal(SIGPIPE, SIG_DFL);
    const auto result = sockets_.tcp_exchange(kLoopback, server.port, std::string(8 << 20, 'x'), in(Seconds{10}));
    EXPECT_FALSE(result);
    serving.join();
}

TEST_F(ExchangeTest, UdpIsConnected) {
    const LocalServer server(false, SOCK_DGRAM);
    auto channel = sockets_.open_udp(kLoopback, server.port);
    ASSERT_TRUE(channel) << channel.error().cause;
    ASSERT_TRUE((*channel)->send("time?"));
    sockaddr_in from{};
    socklen_t length = sizeof from;
    char request[16];
    ASSERT_EQ(recvfrom(server.fd(), request, sizeof request, 0, reinterpret_cast<sockaddr*>(&from), &length), 5);
    ASSERT_EQ(sendto(server.fd(), "now", 3, 0, reinterpret_cast<sockaddr*>(&from), length), 3);
    EXPECT_THAT(sockets_.wait({channel->get()}, in(Seconds{10})), testing::ElementsAre(true));
    EXPECT_EQ((*channel)->receive(), "now");
    EXPECT_THAT(sockets_.wait({channel->get()}, in(Milliseconds{10})), testing::ElementsAre(false));
}

TEST_F(ExchangeTest, UdpHearsOfAClosedPort) {
    auto port = std::uint16_t{0};
    { port = LocalServer(false, SOCK_DGRAM).port; }
    auto channel = sockets_.open_udp(kLoopback, port);
    ASSERT_TRUE(channel);
    ASSERT_TRUE((*channel)->send("time?"));
    EXPECT_THAT(sockets_.wait({channel->get()}, in(Seconds{10})), testing::ElementsAre(true));
    EXPECT_EQ((*channel)->receive().error().code, ECONNREFUSED);
}

TEST_F(ExchangeTest, WaitForNothingEndsAtTheDeadline) {
    EXPECT_THAT(sockets_.wait({}, in(Milliseconds{10})), testing::IsEmpty());
}

}  // namespace
}  // namespace diskless
