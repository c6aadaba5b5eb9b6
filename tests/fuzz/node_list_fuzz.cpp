// Lists of nodes of any form: what is taken is a plain name, and an address or a hardware address with it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server-helper/model/cluster.hpp"
#include "server-helper/model/node_import.hpp"

using namespace diskless::server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto list = read_node_list(text);
    if (!list) return 0;
    int line = 0;
    for (const auto& node : list->nodes) {
        const bool named = node.name.empty() ? list->leases : is_node_name(node.name);
        const bool in_order = node.line >= line;
        if (!named || !in_order) std::abort();
        line = node.line;
    }
    return 0;
}
