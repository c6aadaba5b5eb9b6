#include "common/net/rarp.hpp"

#include "common/net/arp_frame.hpp"

namespace diskless {

namespace {
constexpr std::uint16_t kRequest = 3, kReply = 4;
}

std::string build_rarp_request(const Mac& mac) {
    return to_bytes({.operation = kRequest, .sender = mac, .target = mac});
}

Result<RarpReply> parse_rarp_reply(std::string_view frame) {
    const auto arp = parse_arp_frame(frame);
    if (!arp) return fail("RARP frame is " + arp.error().cause);
    const RarpReply reply{.target = arp->target, .address = arp->target_address, .server = arp->sender_address};
    if (arp->operation != kReply) return fail("RARP frame is not a reply");
    if (!is_host_address(reply.address)) return fail("RARP reply gives the address " + reply.address.text());
    return reply;
}

Lease lease_of(const RarpReply& reply) {
    Lease lease;
    lease.source = LeaseSource::rarp;
    lease.address = reply.address;
    lease.prefix = classful_prefix(reply.address);
    lease.next_server = reply.server;
    return lease;
}

}  // namespace diskless
