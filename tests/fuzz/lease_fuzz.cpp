// A lease machine in the hands of a server that says anything at any time. Input: a byte of methods, then records of
// {pause, length / 4, bytes}; xid and MAC are put right, so that the words arrive.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/net/bytes.hpp"
#include "common/net/lease_machine.hpp"
#include "common/net/udp_packet.hpp"

using namespace diskless;
using Time = LeaseMachine::Time;

namespace {
void require(bool promise) {
    if (!promise) std::abort();
}

struct Wire {
    LeaseMachine& machine;
    std::string xid = std::string(4, '\0');
    bool had_lease = false;

    void carry(const LeaseActions& actions, Time now) {
        require(actions.packets.size() + actions.rarp_frames.size() <= 2);
        for (const auto& packet : actions.packets) {
            const auto udp = unwrap_udp(packet);
            require(udp && udp->payload.size() >= 300);
            xid = udp->payload.substr(4, 4);
        }
        if (!actions.unicast.empty()) {
            require(actions.unicast_to.is_set());
            xid = actions.unicast.substr(4, 4);
        }
        require(machine.has_lease() == (actions.event == LeaseEvent::gained || actions.event == LeaseEvent::renewed ||
                                        actions.event == LeaseEvent::moved ||
                                        (had_lease && actions.event == LeaseEvent::none)));
        had_lease = machine.has_lease();
        require(!had_lease || (machine.lease().address.is_set() && machine.lease().prefix > 0));
        require(had_lease || machine.next_wakeup() < Time::max());
        require(!machine.progress(now).empty());
    }
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in({reinterpret_cast<const char*>(data), size});
    const auto flags = in.u8();
    LeaseRequest request;
    request.mac = Mac{{2, 0, 0, 0, 0, 1}};
    request.methods = {(flags & 1) != 0, (flags & 2) != 0, (flags & 7) == 0 || (flags & 4) != 0};
    request.prefer_root_path = flags & 8;
    Time now{};
    LeaseMachine machine(request, now);
    Wire wire{machine};
    while (in.left() > 0) {
        const auto pause = in.u8();
        // A server may also talk before anything is due.
        if (pause & 1) now = std::max(now, machine.next_wakeup() == Time::max() ? now : machine.next_wakeup());
        now += std::chrono::milliseconds(pause) * pause;
        const auto actions = machine.on_time(now);
        wire.carry(actions, now);
        require(machine.next_wakeup() > now);  // never a busy loop

        std::string words(in.bytes(std::min<std::size_t>(in.u8() * 4U, in.left())));
        if (words.size() >= 34) {
            words.replace(4, 4, wire.xid);
            words.replace(28, 6, std::string_view("\x02\0\0\0\0\x01", 6));
        }
        wire.carry(machine.on_datagram(words, now), now);
        wire.carry(machine.on_packet(words, now), now);
        if (words.size() >= 24) words.replace(18, 6, std::string_view("\x02\0\0\0\0\x01", 6));
        wire.carry(machine.on_rarp(words, now), now);
    }
    return 0;
}
