#include "common/nfs/portmap.hpp"

#include "common/nfs/rpc.hpp"

namespace diskless {

namespace {
constexpr std::uint32_t kPortmapProgram = 100000, kPortmapVersion = 2, kGetPort = 3;
}

std::string build_getport_call(std::uint32_t xid, std::uint32_t program, std::uint32_t version,
                               std::uint32_t protocol) {
    ByteWriter out;
    add_rpc_call(out, xid, kPortmapProgram, kPortmapVersion, kGetPort);
    for (const auto word : {program, version, protocol, 0U}) out.u32(word);
    return out.take();
}

Result<std::uint16_t> parse_getport_reply(std::string_view datagram, std::uint32_t xid) {
    ByteReader in(datagram);
    const auto reply = TRY(read_rpc_reply(in, xid));
    const auto port = in.u32();
    if (reply.status != RpcStatus::success || !in.ok() || port > 0xFFFF)
        return fail("the port mapper's reply names no port");
    return static_cast<std::uint16_t>(port);
}

}  // namespace diskless
