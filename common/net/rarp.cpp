#include "common/net/rarp.hpp"

#include "common/net/bytes.hpp"

namespace diskless {

namespace {
constexpr std::uint16_t kEthernet = 1, kIpv4 = 0x0800, kRequest = 3, kReply = 4;
}

std::string build_rarp_request(const Mac& mac) {
    ByteWriter out;
    out.u16(kEthernet);
    out.u16(kIpv4);
    out.u8(6);
    out.u8(4);
    out.u16(kRequest);
    out.mac(mac);
    out.ipv4({});
    out.mac(mac);
    out.ipv4({});
    return out.take();
}

Result<RarpReply> parse_rarp_reply(std::string_view frame) {
    ByteReader in(frame);
    const auto hardware = in.u16(), protocol = in.u16();
    const auto hardware_size = in.u8(), protocol_size = in.u8();
    const auto operation = in.u16();
    in.mac();  // server
    RarpReply reply;
    reply.server = in.ipv4();
    reply.target = in.mac();
    reply.address = in.ipv4();
    if (!in.ok()) return fail("RARP frame is cut short");
    if (hardware != kEthernet || protocol != kIpv4 || hardware_size != 6 || protocol_size != 4)
        return fail("RARP frame is not for Ethernet and IPv4");
    if (operation != kReply) return fail("RARP frame is not a reply");
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
