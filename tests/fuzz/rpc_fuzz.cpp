#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/base/text.hpp"
#include "common/nfs/portmap.hpp"
#include "common/nfs/rpc.hpp"

using namespace diskless;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto reply = parse_rpc_reply({reinterpret_cast<const char*>(data), size}, 0x01020304);
    if (reply && (size < 20 || describe(*reply).empty())) std::abort();
    if (parse_getport_reply({reinterpret_cast<const char*>(data), size}, 0x01020304) && size < 28) std::abort();
    return 0;
}
