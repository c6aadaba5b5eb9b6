// Whatever a server says: it is read without harm, and what comes out keeps its promises.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/base/text.hpp"
#include "common/net/dhcp_packet.hpp"
#include "common/net/udp_packet.hpp"

using namespace diskless;

namespace {
void require(bool promise) {
    if (!promise) std::abort();
}

void read(std::string_view payload) {
    const auto reply = parse_dhcp_reply(payload);
    if (!reply) return;
    for (const auto& line : reply->ignored) require(printable(line) == line);
    require(printable(reply->message) == reply->message);
    if (reply->type == DhcpType::nak) return;
    const auto& lease = reply->lease;
    require(is_host_address(lease.address));
    require(lease.prefix >= 1 && lease.prefix <= 32);
    for (const auto& name : {lease.hostname, lease.domain, lease.nis_domain})
        require(name.empty() || is_host_name(name));
    require(printable(lease.root_path) == lease.root_path && printable(lease.boot_file) == lease.boot_file);
    require(lease.routes.empty() || lease.routers.empty());
    require(lease.mtu == 0 || lease.mtu >= 576);
    for (const auto& route : lease.routes)
        require(route.prefix <= 32 && same_network(route.destination, route.destination, route.prefix));
    if (lease.lease_time.count() == 0) return;
    require(lease.renew_after.count() > 0 && lease.renew_after < lease.rebind_after);
    require(lease.rebind_after < lease.lease_time);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    read(bytes);
    if (const auto packet = unwrap_udp(bytes)) {
        require(packet->payload.size() <= size);
        read(packet->payload);
    }
    return 0;
}
