#include "common/os/sockets_linux.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/links_linux.hpp"

namespace diskless {

namespace {

constexpr std::size_t kMostBytes = 65536;  // more than any IPv4 datagram

/// Room for the 20 byte hardware addresses of InfiniBand: sockaddr_ll ends after 8, but the kernel takes longer ones.
union LinkAddress {
    sockaddr_ll link;
    std::array<char, offsetof(sockaddr_ll, sll_addr) + 32> room;
};

class LinuxChannel final : public Channel {
  public:
    /// `to` is where each message goes; empty for connected sockets.
    LinuxChannel(Descriptor socket, std::string name, std::string to)
        : socket_(std::move(socket)), name_(std::move(name)), to_(std::move(to)) {}

    int fd() const { return socket_.get(); }

    Result<> send(const std::string& bytes) override {
        const auto* to = to_.empty() ? nullptr : reinterpret_cast<const sockaddr*>(to_.data());
        for (;;) {
            if (sendto(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL, to, static_cast<socklen_t>(to_.size())) >= 0)
                return {};
            if (errno != EINTR) return fail_errno("send to " + name_);
        }
    }

    Result<std::string> receive() override {
        std::string bytes(kMostBytes, '\0');
        for (;;) {
            const auto got = recv(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
            if (got >= 0) {
                bytes.resize(static_cast<std::size_t>(got));
                bytes.shrink_to_fit();
                return bytes;
            }
            if (errno != EINTR) return fail_errno("receive from " + name_);
        }
    }

  private:
    Descriptor socket_;
    std::string name_, to_;
};

sockaddr_in internet_address(Ipv4 address, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    result.sin_addr.s_addr = htonl(address.value);
    return result;
}

template <class Address>
const sockaddr* generic(const Address& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

/// A raw socket of one interface. It is made for no protocol at all and gets its own only after the filter stands:
/// otherwise packets of the time in between would wait in its queue.
Result<std::unique_ptr<Channel>> open_raw(const std::string& what, int link_index, std::uint16_t protocol,
                                          const sock_fprog* filter) {
    Descriptor socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket)
        return fail_errno("open " + what, errno,
                          errno == EAFNOSUPPORT ? "put the module af_packet into the image"
                          : errno == EPERM      ? "this needs root privileges"
                                                : "");
    if (filter != nullptr && setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof *filter) != 0)
        return fail_errno("filter of " + what);

    LinkAddress address{};
    address.link.sll_family = AF_PACKET;
    address.link.sll_protocol = htons(protocol);
    address.link.sll_ifindex = link_index;
    if (bind(socket.get(), generic(address.link), sizeof address.link) != 0) return fail_errno("bind " + what);

    const auto broadcast = TRY_TO("open " + what, broadcast_hardware_address(link_index));
    const auto start = offsetof(sockaddr_ll, sll_addr);
    if (broadcast.size() > address.room.size() - start) return fail_errno("open " + what, EAFNOSUPPORT);
    address.link.sll_halen = static_cast<unsigned char>(broadcast.size());
    std::memcpy(address.room.data() + start, broadcast.data(), broadcast.size());
    const auto length = std::max(sizeof(sockaddr_ll), start + broadcast.size());
    return std::make_unique<LinuxChannel>(std::move(socket), what, std::string(address.room.data(), length));
}

/// Non-blocking connect, waited for until the deadline.
Result<> connect_until(int socket, const sockaddr_in& address, const std::string& what, Deadline deadline) {
    if (connect(socket, generic(address), sizeof address) == 0) return {};
    if (errno != EINPROGRESS && errno != EINTR) return fail_errno(what);
    pollfd waiting{socket, POLLOUT, 0};
    const int ready = poll_until(&waiting, 1, deadline);
    if (ready < 0) return fail_errno(what);
    if (ready == 0) return fail_errno(what, ETIMEDOUT);
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    if (error != 0) return fail_errno(what, error);
    return {};
}

/// send(2) or recv(2) again and again until it does not want to wait any more; what it returned, -1 with errno.
template <class Call>
ssize_t until_done(int socket, short events, Deadline deadline, Call call) {
    for (;;) {
        const ssize_t result = call();
        if (result >= 0 || (errno != EAGAIN && errno != EINTR)) return result;
        pollfd waiting{socket, events, 0};
        const int ready = poll_until(&waiting, 1, deadline);
        if (ready == 0) errno = ETIMEDOUT;
        if (ready <= 0) return -1;
    }
}

}  // namespace

Result<std::unique_ptr<Channel>> LinuxSockets::open_packets(int link_index, std::uint16_t local_port) {
    // SOCK_DGRAM: offset 0 is the IP header. UDP, no fragment (only a first one has ports), destination port.
    std::array<sock_filter, 9> program{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),                   // protocol
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),  // else refuse
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),                   // flags and fragment offset
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 4, 0),      // more fragments, or not the first: refuse
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),                  // X = length of the IP header
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),                   // destination port
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, local_port, 0, 1),   //
        BPF_STMT(BPF_RET | BPF_K, kMostBytes),                   // take
        BPF_STMT(BPF_RET | BPF_K, 0),                            // refuse
    }};
    const sock_fprog filter{program.size(), program.data()};
    return open_raw(fmt::format("packet socket of interface {} for port {}", link_index, local_port), link_index,
                    ETH_P_IP, &filter);
}

Result<std::unique_ptr<Channel>> LinuxSockets::open_frames(int link_index, std::uint16_t ether_type) {
    return open_raw(fmt::format("frame socket of interface {} for type {:#06x}", link_index, ether_type), link_index,
                    ether_type, nullptr);
}

Result<std::unique_ptr<Channel>> LinuxSockets::open_udp(Ipv4 server, std::uint16_t port, std::uint16_t local_port) {
    const auto name = fmt::format("UDP {}:{}", server.text(), port);
    Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return fail_errno("socket for " + name);
    if (local_port != 0) {
        // A renewal may start while the socket of the one before is still open.
        const int yes = 1;
        setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        const auto local = internet_address(Ipv4{}, local_port);
        if (bind(socket.get(), generic(local), sizeof local) != 0)
            return fail_errno(fmt::format("bind local port {} for {}", local_port, name));
    }
    const auto address = internet_address(server, port);
    if (connect(socket.get(), generic(address), sizeof address) != 0) return fail_errno("connect " + name);
    return std::make_unique<LinuxChannel>(std::move(socket), name, std::string());
}

Result<std::string> LinuxSockets::tcp_exchange(Ipv4 server, std::uint16_t port, const std::string& request,
                                               Deadline deadline) {
    const auto name = fmt::format("TCP {}:{}", server.text(), port);
    const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return fail_errno("socket for " + name);
    TRY(connect_until(socket.get(), internet_address(server, port), "connect " + name, deadline));

    for (std::size_t sent = 0; sent < request.size();) {
        const auto more = until_done(socket.get(), POLLOUT, deadline, [&] {
            return send(socket.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
        });
        if (more < 0) return fail_errno("send to " + name);
        sent += static_cast<std::size_t>(more);
    }
    std::string answer(kMostBytes, '\0');
    const auto got =
        until_done(socket.get(), POLLIN, deadline, [&] { return recv(socket.get(), answer.data(), answer.size(), 0); });
    if (got < 0) return fail_errno("wait for the answer of " + name);
    if (got == 0) return fail(name + " closed the connection without an answer", {}, ECONNRESET);
    answer.resize(static_cast<std::size_t>(got));
    return answer;
}

std::vector<bool> LinuxSockets::wait(const std::vector<Channel*>& channels, Deadline deadline) {
    std::vector<pollfd> waiting;
    for (const auto* channel : channels)
        waiting.push_back({static_cast<const LinuxChannel*>(channel)->fd(), POLLIN, 0});
    std::vector<bool> readable(channels.size());
    if (poll_until(waiting.data(), waiting.size(), deadline) <= 0) return readable;
    // Errors count too: receive() tells which.
    for (std::size_t i = 0; i < waiting.size(); ++i) readable[i] = waiting[i].revents != 0;
    return readable;
}

}  // namespace diskless
