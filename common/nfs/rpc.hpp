// ONC RPC version 2 (RFC 5531) as far as a question without credentials goes; whole for "is there an NFS server?", a
// NULL call and its reply over TCP with record marking (RFC 5531 section 11).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/net/bytes.hpp"

namespace diskless {

constexpr std::uint32_t kNfsProgram = 100003;
constexpr std::uint16_t kNfsPort = 2049;

/// The words of a call without credentials; the procedure's arguments go behind them.
void add_rpc_call(ByteWriter& out, std::uint32_t xid, std::uint32_t program, std::uint32_t version,
                  std::uint32_t procedure);

/// A call of procedure 0 without credentials, record mark included.
std::string build_rpc_null_call(std::uint32_t xid, std::uint32_t program, std::uint32_t version);

enum class RpcStatus {
    success,
    program_unavailable,
    version_mismatch,  // lowest and highest tell what there is
    procedure_unavailable,
    garbage_arguments,
    system_error,
    rpc_mismatch,    // the server speaks another RPC version
    not_authorised,  // auth_reason says why (RFC 5531 auth_stat)
};

struct RpcReply {
    RpcStatus status = RpcStatus::success;
    std::uint32_t lowest = 0, highest = 0;  // program versions, or RPC versions after rpc_mismatch
    std::uint32_t auth_reason = 0;
};

/// Reads the head of a reply, without record marks; the procedure's results follow in `in`. An error means that this is
/// no answer to the call `xid`.
Result<RpcReply> read_rpc_reply(ByteReader& in, std::uint32_t xid);

/// Reads a reply from the first bytes that a TCP connection gave, its record marks included. An error with code EAGAIN
/// means that the record is not complete yet; others mean that this is no answer to the call `xid`.
Result<RpcReply> parse_rpc_reply(std::string_view bytes, std::uint32_t xid);

/// "NFS server answers", "NFS versions 3 to 4 only", "no NFS service behind this port", …
std::string describe(const RpcReply& reply);

}  // namespace diskless
