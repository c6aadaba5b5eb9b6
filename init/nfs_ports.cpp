#include "init/nfs_ports.hpp"

#include <array>

#include "common/nfs/portmap.hpp"
#include "common/nfs/rpc.hpp"

namespace diskless {

namespace {

constexpr Milliseconds kAskAgain{250};
constexpr Milliseconds kPatience{600};  // a firewall that lets only TCP through costs this much

struct Question {
    std::uint32_t program;
    std::uint16_t* port;
    std::uint32_t xid = 0;
    bool answered = false;
};

}  // namespace

NfsPorts ask_for_ports(Os& os, Ipv4 server, Deadline deadline) {
    NfsPorts ports;
    const auto channel = os.sockets.open_udp(server, kPortmapPort);
    if (!channel) return ports;
    std::array<Question, 2> questions{{{kMountProgram, &ports.mount}, {kNfsProgram, &ports.nfs}}};
    for (auto& question : questions) question.xid = static_cast<std::uint32_t>(os.machine.random());
    const auto until = Deadline::after(os.clock, kPatience).sooner_of(deadline);
    auto ask_at = os.clock.now();
    while (!until.passed(os.clock) && !(questions[0].answered && questions[1].answered)) {
        if (os.clock.now() >= ask_at) {
            for (const auto& question : questions)
                if (!question.answered)
                    (void)(*channel)->send(build_getport_call(question.xid, question.program, 3, kTcp));
            ask_at = os.clock.now() + kAskAgain;
        }
        os.sockets.wait({channel->get()}, until.sooner_of({ask_at}));
        for (;;) {
            const auto datagram = (*channel)->receive();
            if (!datagram && datagram.error().code != EAGAIN) return ports;  // nobody listens there
            if (!datagram) break;
            for (auto& question : questions)
                if (const auto port = parse_getport_reply(*datagram, question.xid)) {
                    *question.port = *port;
                    question.answered = true;
                }
        }
    }
    return ports;
}

}  // namespace diskless
