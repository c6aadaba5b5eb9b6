// The port mapper (RFC 1833, section 3) as far as one question goes: GETPORT, by UDP.
//
// The kernel asks for itself when a mount does not name its ports, over a TCP connection for each question: ten packets
// in place of two.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace diskless {

constexpr std::uint16_t kPortmapPort = 111;
constexpr std::uint32_t kMountProgram = 100005;
constexpr std::uint32_t kTcp = 6, kUdp = 17;  // IP protocol numbers

/// Datagram of the question where `program` is served by `protocol`.
std::string build_getport_call(std::uint32_t xid, std::uint32_t program, std::uint32_t version, std::uint32_t protocol);

/// The port; 0 means that the program is not registered. An error is no answer to the call `xid`, or a refusal.
Result<std::uint16_t> parse_getport_reply(std::string_view datagram, std::uint32_t xid);

}  // namespace diskless
