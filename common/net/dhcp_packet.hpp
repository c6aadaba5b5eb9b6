// BOOTP (RFC 951, 1542) and DHCP (RFC 2131, 2132) messages: built for a server, parsed from anybody.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/lease.hpp"

namespace diskless {

constexpr std::uint16_t kDhcpServerPort = 67, kDhcpClientPort = 68;

enum class DhcpType : std::uint8_t {
    bootp = 0,  // no option 53: plain BOOTP
    discover = 1,
    offer = 2,
    request = 3,
    decline = 4,
    ack = 5,
    nak = 6,
    release = 7,
    inform = 8,
};

/// What a client says. Empty texts and unset addresses are left out.
struct DhcpQuery {
    DhcpType type = DhcpType::discover;
    std::uint32_t xid = 0;
    std::uint16_t secs = 0;  // seconds since the client began
    bool broadcast = false;  // asks the server to broadcast its answer
    Mac mac;
    Ipv4 client_address;                  // ciaddr: only an address that is in use (renewing)
    Ipv4 requested_address;               // option 50
    Ipv4 server_id;                       // option 54
    std::vector<std::uint8_t> client_id;  // option 61, type byte first
    std::string vendor_class;             // option 60
    std::string hostname;                 // option 12
};

/// The UDP payload; at least 300 bytes, below which some relay agents drop it (RFC 1542 2.1).
std::string build_dhcp(const DhcpQuery& query);

/// Client identifier when none is configured: hardware type 1 and the MAC, as PXE firmware and dhclient send it.
std::vector<std::uint8_t> default_client_id(const Mac& mac);
/// "diskless:<version>"
std::string default_vendor_class();

struct DhcpReply {
    DhcpType type = DhcpType::bootp;
    std::uint32_t xid = 0;
    Mac mac;
    Lease lease;                       // `obtained` and `client_id` are left for the receiver to fill
    std::string message;               // option 56: why a server says no
    std::vector<std::string> ignored;  // what was in the reply but cannot be used, one line each
};

/// Reads a server's message (op 2) from the UDP payload. An error means: not such a message. Options that make no
/// sense are left out and named in `ignored`. Values are complete and safe: texts are UTF-8 without control characters,
/// names are host names, prefix and the three times are usable (RFC 2131 4.4.5 defaults repair them).
Result<DhcpReply> parse_dhcp_reply(std::string_view payload);

/// Letters, digits, "-", "_" in labels between single dots, at most 64 characters; so a safe file name too.
bool is_host_name(std::string_view text);

/// The option areas of one message: the options field, then the file and sname fields when option 52 says so.
class DhcpOptions {
  public:
    /// `options` starts after the magic cookie.
    DhcpOptions(std::string_view options, std::string_view file, std::string_view sname);

    bool has(std::uint8_t code) const;
    /// The value of an option; parts of a split one are put together (RFC 3396). Empty when absent.
    std::string value(std::uint8_t code) const;
    bool file_is_options() const { return overload_ & 1; }
    /// An option reached past the end of its area; it and what followed there is ignored.
    bool cut_short() const { return cut_short_; }

  private:
    std::array<std::string_view, 3> areas_;
    std::uint8_t overload_ = 0;
    bool cut_short_ = false;
};

}  // namespace diskless
