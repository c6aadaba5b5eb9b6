#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/net/arp.hpp"
#include "common/net/rarp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view frame(reinterpret_cast<const char*>(data), size);
    const auto reply = diskless::parse_rarp_reply(frame);
    if (reply && (size < 28 || !diskless::is_host_address(reply->address))) std::abort();
    const diskless::Mac mine{{2, 0, 0, 0, 0, 1}};
    const auto other = diskless::arp_conflict(frame, mine, diskless::Ipv4(10, 9, 0, 11));
    if (other && (size < 28 || *other == mine)) std::abort();
    return 0;
}
