// Node sets: what is expanded is folded and expanded again to the same names.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "server-helper/model/node_set.hpp"

using namespace diskless::server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 200) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto members = [](std::string_view group) -> diskless::Result<std::vector<std::string>> {
        if (group == "none") return std::vector<std::string>{};
        return std::vector<std::string>{std::string(group) + "1", std::string(group) + "2"};
    };
    const auto names = expand_node_set(text, members);
    if (!names) return 0;
    const std::set<std::string> wanted(names->begin(), names->end());
    if (wanted.size() != names->size() || names->size() > 1'000'000) std::abort();  // each once
    if (names->empty() || names->size() > 2000) return 0;
    const auto plain = [](const std::string& name) {
        return std::all_of(name.begin(), name.end(),
                           [](unsigned char c) { return c < 0x80 && (isalnum(c) || c == '-'); });
    };
    if (!std::all_of(wanted.begin(), wanted.end(), plain)) return 0;  // not the name of a node
    const auto again = expand_node_set(fold_node_set(*names));
    if (!again || std::set<std::string>(again->begin(), again->end()) != wanted) std::abort();
    return 0;
}
