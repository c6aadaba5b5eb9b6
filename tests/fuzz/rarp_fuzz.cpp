#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/net/rarp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto reply = diskless::parse_rarp_reply({reinterpret_cast<const char*>(data), size});
    if (reply && (size < 28 || !diskless::is_host_address(reply->address))) std::abort();
    return 0;
}
