// The network side of many nodes in one process: each asks by DHCP, calls the NFS server's NULL procedure, then mounts
// its root and its snapshot with libnfs and reads what a boot reads. Questions, retries and backoff are the node
// program's own (common/net, common/nfs, common/plan); sockets are real.
//
//   storm INTERFACE SERVER NODES JITTER SECONDS     JITTER 1: as the node does; 0: all ask again at the same moments
//
// Node n has the hardware address 52:54:00:0a:HH:LL. The addresses that it will be given are on the interface already.
// Prints one line of JSON when all have come up or the seconds are over.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <net/if.h>
#include <nfsc/libnfs.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/net/lease_machine.hpp"
#include "common/net/udp_packet.hpp"
#include "common/nfs/rpc.hpp"
#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/sockets_linux.hpp"
#include "common/plan/step.hpp"

namespace diskless {
namespace {

using Time = std::chrono::nanoseconds;
// As init/network/network_search.cpp has them.
constexpr Time kProbeDeadline = std::chrono::seconds{3};
constexpr Retry kProbeRetry{0, Milliseconds{250}, Milliseconds{5000}};

constexpr int kLookUps = 20;                 // of what a boot looks at before the hand-over
constexpr std::uint64_t kRead = 1 << 20;     // bytes of the root's init and its libraries
constexpr std::size_t kHeaders = 20 + 8;     // IP and UDP
constexpr std::size_t kHardwareAddress = 28; // in a BOOTP message

Time now() { return linux_clock().now(); }

/// Without jitter: the next of the moments at which every node would ask again if nothing were drawn.
Time in_step(Time wanted, Time began) {
    Time at = began;
    for (int n = 0; at < wanted; ++n)
        at += std::chrono::milliseconds{100} + std::min<Time>(std::chrono::seconds{4}, std::chrono::milliseconds{300} * (1 << std::min(n, 10)));
    return at;
}

struct Node {
    enum class Stage { lease, probe, mounts, up };
    Stage stage = Stage::lease;
    std::unique_ptr<LeaseMachine> machine;
    Descriptor probe;
    std::string sent, got;
    Time probe_at{}, probe_until{};
    bool connecting = false;
    std::uint32_t xid = 0;
    nfs_context* nfs = nullptr;
    nfsfh* file = nullptr;
    int step = 0;
    unsigned asked = 0, probes = 0, mounts = 0;
    Time leased{}, answered{}, up{};
    std::uint64_t seed = 1;
    Ipv4 server;
};

std::uint64_t draw(Node& node) { return node.seed = node.seed * 6364136223846793005ULL + 1442695040888963407ULL, node.seed >> 11; }

void begin_probe(Node& node) {
    ++node.probes;
    node.got.clear();
    node.probe = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in from{}, to{};
    from.sin_family = to.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(node.machine->lease().address.value);
    to.sin_addr.s_addr = htonl(node.server.value);
    to.sin_port = htons(kNfsPort);
    (void)::bind(node.probe.get(), reinterpret_cast<sockaddr*>(&from), sizeof from);
    (void)::connect(node.probe.get(), reinterpret_cast<sockaddr*>(&to), sizeof to);
    node.connecting = true;
    node.xid = static_cast<std::uint32_t>(draw(node));
    node.probe_until = now() + kProbeDeadline;
}

void probe_failed(Node& node) {
    node.probe = Descriptor();
    node.probe_at = now() + backoff_delay(kProbeRetry, static_cast<int>(node.probes) - 1, draw(node));
}

void begin_mount(Node& node, const char* path);

/// One call of the node has been answered: the next.
void answered(int status, nfs_context* nfs, void* data, void* own) {
    auto& node = *static_cast<Node*>(own);
    if (status < 0) {  // as the node's mount step: again from the mount on
        node.step = -1;
        node.probe_at = now() + backoff_delay(kProbeRetry, static_cast<int>(node.mounts) - 1, draw(node));
        return;
    }
    const int step = ++node.step;
    if (step <= kLookUps) {
        nfs_lstat64_async(nfs, step % 2 == 0 ? "/sbin/init" : "/etc/statetab", answered, own);
    } else if (step == kLookUps + 1) {
        nfs_open_async(nfs, "/sbin/init", O_RDONLY, answered, own);
    } else if (step == kLookUps + 2) {
        node.file = static_cast<nfsfh*>(data);
        nfs_pread_async(nfs, node.file, 0, kRead, answered, own);
    } else if (step == kLookUps + 3) {
        nfs_close_async(nfs, node.file, answered, own);
    } else {
        node.stage = Node::Stage::up;
        node.up = now();
    }
}

void begin_mount(Node& node, const char* path) {
    ++node.mounts;
    node.step = 0;
    if (node.nfs != nullptr) nfs_destroy_context(node.nfs);
    node.nfs = nfs_init_context();
    nfs_set_uid(node.nfs, 0);
    if (nfs_mount_async(node.nfs, node.server.text().c_str(), path, answered, &node) != 0) {
        node.step = -1;
        node.probe_at = now() + std::chrono::seconds{1};
    }
}

void on_probe(Node& node) {
    if (node.connecting) {
        node.connecting = false;
        const auto call = build_rpc_null_call(node.xid, kNfsProgram, 3);
        if (::send(node.probe.get(), call.data(), call.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(call.size())) probe_failed(node);
        return;
    }
    char bytes[4096];
    const auto got = ::recv(node.probe.get(), bytes, sizeof bytes, 0);
    if (got <= 0) return probe_failed(node);
    node.got.append(bytes, static_cast<std::size_t>(got));
    const auto reply = parse_rpc_reply(node.got, node.xid);
    if (!reply && reply.error().code == EAGAIN) return;
    if (!reply) return probe_failed(node);
    node.probe = Descriptor();
    node.answered = now();
    node.stage = Node::Stage::mounts;
    begin_mount(node, "/srv/root");
}

class Storm {
  public:
    Storm(Channel& packets, Ipv4 server, unsigned count, bool jitter)
        : packets_(packets), nodes_(count), jitter_(jitter), began_(now()) {
        for (unsigned n = 0; n < count; ++n) {
            auto& node = nodes_[n];
            LeaseRequest request;
            request.mac = *Mac::parse(fmt::format("52:54:00:0a:{:02x}:{:02x}", n >> 8, n & 255));
            request.seed = node.seed = n + 1;
            node.server = server;
            node.machine = std::make_unique<LeaseMachine>(request, began_);
            by_mac_[std::string(reinterpret_cast<const char*>(request.mac.bytes.data()), 6)] = &node;
        }
    }

    bool run(Time until) {
        while (now() < until && up() < nodes_.size()) turn(until);
        return up() == nodes_.size();
    }
    std::string told() const;

  private:
    std::size_t up() const {
        return static_cast<std::size_t>(std::count_if(nodes_.begin(), nodes_.end(), [](auto& node) { return node.stage == Node::Stage::up; }));
    }
    void act(Node& node, const LeaseActions& actions) {
        for (const auto& packet : actions.packets) ++node.asked, (void)packets_.send(packet);
        if (actions.event != LeaseEvent::gained) return;
        node.leased = now();
        node.stage = Node::Stage::probe;
        begin_probe(node);
    }
    void turn(Time until);
    Time due(Time wanted) const { return jitter_ ? wanted : in_step(wanted, began_); }

    Channel& packets_;
    std::vector<Node> nodes_;
    std::map<std::string, Node*> by_mac_;
    const bool jitter_;
    const Time began_;
};

void Storm::turn(Time until) {
    std::vector<pollfd> waited;
    std::vector<Node*> whose;
    auto next = std::min(until, now() + Time{std::chrono::milliseconds{200}});
    for (auto& node : nodes_) {
        if (node.stage == Node::Stage::lease) {
            if (due(node.machine->next_wakeup()) <= now()) act(node, node.machine->on_time(now()));
            if (node.stage == Node::Stage::lease) next = std::min(next, due(node.machine->next_wakeup()));
        }
        if (node.stage == Node::Stage::probe) {
            if (!node.probe && due(node.probe_at) <= now()) begin_probe(node);
            if (node.probe && node.probe_until <= now()) probe_failed(node);
            if (node.probe) waited.push_back({node.probe.get(), static_cast<short>(node.connecting ? POLLOUT : POLLIN), 0}), whose.push_back(&node);
        }
        if (node.stage == Node::Stage::mounts) {
            if (node.step < 0 && node.probe_at <= now()) begin_mount(node, "/srv/root");
            if (node.step >= 0) waited.push_back({nfs_get_fd(node.nfs), static_cast<short>(nfs_which_events(node.nfs)), 0}), whose.push_back(&node);
        }
        if (node.stage == Node::Stage::up && node.nfs != nullptr) nfs_destroy_context(std::exchange(node.nfs, nullptr));
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next - now()).count();
    (void)::poll(waited.data(), waited.size(), static_cast<int>(std::clamp<long long>(left, 0, 5)));
    for (std::size_t i = 0; i < waited.size(); ++i) {
        if (waited[i].revents == 0) continue;
        auto& node = *whose[i];
        if (node.stage == Node::Stage::probe)
            on_probe(node);
        else if (node.stage == Node::Stage::mounts && nfs_service(node.nfs, waited[i].revents) < 0 && node.stage == Node::Stage::mounts && node.step >= 0) {
            node.step = -1;
            node.probe_at = now() + backoff_delay(kProbeRetry, static_cast<int>(node.mounts) - 1, draw(node));
        }
    }
    while (const auto packet = packets_.receive()) {
        if (packet->size() < kHeaders + kHardwareAddress + 6) continue;
        const auto found = by_mac_.find(packet->substr(kHeaders + kHardwareAddress, 6));
        if (found != by_mac_.end() && found->second->stage == Node::Stage::lease)
            act(*found->second, found->second->machine->on_packet(*packet, now()));
    }
}

std::string Storm::told() const {
    const auto list = [&](auto value) {
        std::string text;
        for (const auto& node : nodes_) text += fmt::format("{}{}", text.empty() ? "" : ",", value(node));
        return "[" + text + "]";
    };
    const auto since = [&](Time time) { return time == Time{} ? -1.0 : std::chrono::duration<double>(time - began_).count(); };
    return fmt::format(R"({{"leased":{},"answered":{},"up":{},"asked":{},"probes":{},"mounts":{}}})", list([&](auto& n) { return since(n.leased); }),
                       list([&](auto& n) { return since(n.answered); }), list([&](auto& n) { return since(n.up); }),
                       list([](auto& n) { return n.asked; }), list([](auto& n) { return n.probes; }), list([](auto& n) { return n.mounts; }));
}

int run(int count, char** arguments) {
    if (count != 6) return 2;
    const auto server = Ipv4::parse(arguments[2]);
    LinuxSockets sockets;
    auto packets = sockets.open_packets(static_cast<int>(::if_nametoindex(arguments[1])), 68);
    if (!packets || !server) return fmt::print(stderr, "{}\n", packets ? "no address" : packets.error().cause), 1;
    const rlimit files{65536, 65536};
    (void)::setrlimit(RLIMIT_NOFILE, &files);
    // root would bind every connection to a port below 1024, of which one address has too few
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 1;
    Storm storm(**packets, *server, static_cast<unsigned>(std::stoul(arguments[3])), arguments[4][0] == '1');
    const bool all = storm.run(now() + Time(std::chrono::seconds(std::stoul(arguments[5]))));
    fmt::print("{}\n", storm.told());
    return all ? 0 : 3;
}

}  // namespace
}  // namespace diskless

int main(int count, char** arguments) { return diskless::run(count, arguments); }
