#include "common/nfs/rpc.hpp"

#include <fmt/core.h>
namespace diskless {

namespace {
constexpr std::uint32_t kLastFragment = 0x80000000;
constexpr std::uint32_t kCall = 0, kReply = 1, kRpcVersion = 2, kNullProcedure = 0, kNoAuth = 0;
constexpr std::uint32_t kAccepted = 0, kDenied = 1, kRpcMismatch = 0, kAuthError = 1;
constexpr std::size_t kLargestRecord = 4096;     // a NULL reply is 24 bytes, 400 more with the largest verifier
constexpr std::uint32_t kLargestVerifier = 400;  // RFC 5531 section 8.2

/// The fragments of the first record, put together.
Result<std::string> first_record(std::string_view bytes) {
    std::string record;
    ByteReader in(bytes);
    for (;;) {
        const auto mark = in.u32();
        const std::size_t size = mark & ~kLastFragment;
        if (in.ok() && size + record.size() > kLargestRecord) return fail("RPC reply is too long for an empty call");
        record += in.bytes(size);
        if (!in.ok()) return fail("RPC reply is not complete", {}, EAGAIN);
        if (mark & kLastFragment) return record;
    }
}

Result<RpcReply> accepted_reply(ByteReader& in) {
    static constexpr RpcStatus kStatus[] = {RpcStatus::success,           RpcStatus::program_unavailable,
                                            RpcStatus::version_mismatch,  RpcStatus::procedure_unavailable,
                                            RpcStatus::garbage_arguments, RpcStatus::system_error};
    in.u32();  // verifier flavor
    const auto verifier = in.u32();
    if (verifier > kLargestVerifier) return fail("RPC reply has a verifier that is too long");
    in.bytes((verifier + 3) & ~3U);
    const auto status = in.u32();
    if (!in.ok()) return fail("RPC reply is cut short");
    if (status >= std::size(kStatus)) return fail(fmt::format("RPC reply has the unknown status {}", status));
    RpcReply reply;
    reply.status = kStatus[status];
    if (reply.status == RpcStatus::version_mismatch) {
        reply.lowest = in.u32();
        reply.highest = in.u32();
        if (!in.ok() || reply.lowest > reply.highest) return fail("RPC reply names no sensible range of versions");
    }
    return reply;
}

Result<RpcReply> denied_reply(ByteReader& in) {
    RpcReply reply;
    const auto why = in.u32();
    if (why == kRpcMismatch) {
        reply.status = RpcStatus::rpc_mismatch;
        reply.lowest = in.u32();
        reply.highest = in.u32();
    } else if (why == kAuthError) {
        reply.status = RpcStatus::not_authorised;
        reply.auth_reason = in.u32();
    } else if (in.ok()) {
        return fail(fmt::format("RPC reply is denied for the unknown reason {}", why));
    }
    if (!in.ok()) return fail("RPC reply is cut short");
    return reply;
}
}  // namespace

void add_rpc_call(ByteWriter& out, std::uint32_t xid, std::uint32_t program, std::uint32_t version,
                  std::uint32_t procedure) {
    for (const auto word : {xid, kCall, kRpcVersion, program, version, procedure}) out.u32(word);
    for (int credential_and_verifier = 0; credential_and_verifier < 2; ++credential_and_verifier) {
        out.u32(kNoAuth);
        out.u32(0);  // length
    }
}

std::string build_rpc_null_call(std::uint32_t xid, std::uint32_t program, std::uint32_t version) {
    constexpr std::uint32_t kSize = 40;
    ByteWriter out;
    out.u32(kLastFragment | kSize);
    add_rpc_call(out, xid, program, version, kNullProcedure);
    return out.take();
}

Result<RpcReply> read_rpc_reply(ByteReader& in, std::uint32_t xid) {
    const auto answered = in.u32(), direction = in.u32(), outcome = in.u32();
    if (!in.ok()) return fail("RPC reply is cut short");
    if (direction != kReply) return fail("RPC message is not a reply");
    if (answered != xid) return fail("RPC reply is to another call");
    if (outcome == kAccepted) return accepted_reply(in);
    if (outcome == kDenied) return denied_reply(in);
    return fail(fmt::format("RPC reply has the unknown outcome {}", outcome));
}

Result<RpcReply> parse_rpc_reply(std::string_view bytes, std::uint32_t xid) {
    const auto record = TRY(first_record(bytes));
    ByteReader in(record);
    return read_rpc_reply(in, xid);
}

std::string describe(const RpcReply& reply) {
    switch (reply.status) {
        case RpcStatus::success:
            return "NFS server answers";
        case RpcStatus::program_unavailable:
            return "no NFS service behind this port";
        case RpcStatus::version_mismatch:
            if (reply.lowest == reply.highest) return fmt::format("server has NFS version {} only", reply.lowest);
            return fmt::format("server has NFS versions {} to {} only", reply.lowest, reply.highest);
        case RpcStatus::procedure_unavailable:
        case RpcStatus::garbage_arguments:
            return "server does not understand an empty NFS call";
        case RpcStatus::system_error:
            return "NFS server answers with an internal error";
        case RpcStatus::rpc_mismatch:
            return fmt::format("server speaks RPC versions {} to {} only", reply.lowest, reply.highest);
        case RpcStatus::not_authorised:
            return fmt::format("server denies the call (reason {})", reply.auth_reason);
    }
    return "unknown";
}

}  // namespace diskless
