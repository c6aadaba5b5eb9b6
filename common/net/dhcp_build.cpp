#include <algorithm>

#include "common/net/bytes.hpp"
#include "common/net/dhcp_codes.hpp"
#include "common/net/dhcp_packet.hpp"

namespace diskless {

namespace {
constexpr std::uint8_t kEthernet = 1;
constexpr std::uint16_t kBroadcastFlag = 0x8000;
constexpr std::size_t kSmallest = 300;
constexpr std::uint16_t kLargestReply = 1500;  // with IP and UDP headers: one Ethernet frame

// Classless routes stand before the router: RFC 3442 demands that order of clients.
constexpr std::uint8_t kWanted[] = {
    dhcp::subnet_mask, dhcp::classless_routes, dhcp::router,      dhcp::dns,         dhcp::log_server, dhcp::hostname,
    dhcp::domain,      dhcp::root_path,        dhcp::mtu,         dhcp::nis_domain,  dhcp::ntp,        dhcp::lease_time,
    dhcp::server_id,   dhcp::renew_time,       dhcp::rebind_time, dhcp::tftp_server, dhcp::boot_file};

void add_bytes(ByteWriter& out, dhcp::Code code, std::string_view value) {
    if (value.empty()) return;
    value = value.substr(0, 255);
    out.u8(code);
    out.u8(static_cast<std::uint8_t>(value.size()));
    out.bytes(value);
}

void add_address(ByteWriter& out, dhcp::Code code, Ipv4 address) {
    if (!address.is_set()) return;
    out.u8(code);
    out.u8(4);
    out.ipv4(address);
}

template <class Bytes>
std::string_view as_text(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(std::data(bytes)), std::size(bytes)};
}

void add_dhcp_options(ByteWriter& out, const DhcpQuery& query) {
    out.u8(dhcp::message_type);
    out.u8(1);
    out.u8(static_cast<std::uint8_t>(query.type));
    add_bytes(out, dhcp::client_id, as_text(query.client_id));
    add_address(out, dhcp::requested_address, query.requested_address);
    add_address(out, dhcp::server_id, query.server_id);
    if (query.type == DhcpType::release || query.type == DhcpType::decline) return;  // RFC 2131 table 5
    out.u8(dhcp::max_message_size);
    out.u8(2);
    out.u16(kLargestReply);
    add_bytes(out, dhcp::vendor_class, query.vendor_class);
    add_bytes(out, dhcp::hostname, query.hostname);
    add_bytes(out, dhcp::parameter_list, as_text(kWanted));
}
}  // namespace

std::string build_dhcp(const DhcpQuery& query) {
    ByteWriter out;
    out.u8(dhcp::kBootRequest);
    out.u8(kEthernet);
    out.u8(6);
    out.u8(0);  // hops
    out.u32(query.xid);
    out.u16(query.secs);
    out.u16(query.broadcast ? kBroadcastFlag : 0);
    out.ipv4(query.client_address);
    out.ipv4({});  // yiaddr
    out.ipv4({});  // siaddr
    out.ipv4({});  // giaddr
    out.mac(query.mac);
    out.zeros(10);
    out.zeros(dhcp::kSnameSize + dhcp::kFileSize);
    out.u32(dhcp::kMagicCookie);
    if (query.type != DhcpType::bootp) add_dhcp_options(out, query);
    out.u8(dhcp::end);
    out.pad_to(kSmallest);
    return out.take();
}

std::vector<std::uint8_t> default_client_id(const Mac& mac) {
    std::vector<std::uint8_t> id{kEthernet};
    id.insert(id.end(), mac.bytes.begin(), mac.bytes.end());
    return id;
}

std::string default_vendor_class() { return "diskless:" DISKLESS_VERSION; }

}  // namespace diskless
