#include "common/nfs/portmap.hpp"

#include "common/net/bytes.hpp"

namespace diskless {

namespace {
constexpr std::uint32_t kCall = 0, kReply = 1, kRpcVersion = 2, kAccepted = 0, kSuccess = 0;
constexpr std::uint32_t kPortmapProgram = 100000, kPortmapVersion = 2, kGetPort = 3;
constexpr std::uint32_t kLargestVerifier = 400;  // RFC 5531 section 8.2
}  // namespace

std::string build_getport_call(std::uint32_t xid, std::uint32_t program, std::uint32_t version,
                               std::uint32_t protocol) {
    ByteWriter out;
    for (const auto word : {xid, kCall, kRpcVersion, kPortmapProgram, kPortmapVersion, kGetPort}) out.u32(word);
    for (int credential_and_verifier = 0; credential_and_verifier < 2; ++credential_and_verifier) out.u64(0);
    for (const auto word : {program, version, protocol, 0U}) out.u32(word);
    return out.take();
}

Result<std::uint16_t> parse_getport_reply(std::string_view datagram, std::uint32_t xid) {
    ByteReader in(datagram);
    const auto answered = in.u32(), direction = in.u32(), outcome = in.u32();
    if (!in.ok() || direction != kReply || answered != xid) return fail("no reply to this call of the port mapper");
    if (outcome != kAccepted) return fail("the port mapper denies the call");
    in.u32();  // verifier flavor
    const auto verifier = in.u32();
    if (verifier > kLargestVerifier) return fail("the port mapper's reply has a verifier that is too long");
    in.bytes((verifier + 3) & ~3U);
    const auto status = in.u32(), port = in.u32();
    if (!in.ok() || status != kSuccess || port > 0xFFFF) return fail("the port mapper's reply names no port");
    return static_cast<std::uint16_t>(port);
}

}  // namespace diskless
