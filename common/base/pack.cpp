#include "common/base/pack.hpp"

#include "common/base/text.hpp"

namespace diskless {

std::string pack(const std::vector<std::string>& strings) {
    std::string packed;
    for (const auto& string : strings) {
        packed += std::to_string(string.size());
        packed += ':';
        packed += string;
    }
    return packed;
}

Result<std::vector<std::string>> unpack(std::string_view packed) {
    std::vector<std::string> strings;
    while (!packed.empty()) {
        const auto colon = packed.find(':');
        const auto size = parse_number<std::size_t>(packed.substr(0, colon));
        if (colon == std::string_view::npos || !size || *size > packed.size() - colon - 1)
            return fail("packed strings are damaged", {}, EINVAL);
        strings.emplace_back(packed.substr(colon + 1, *size));
        packed.remove_prefix(colon + 1 + *size);
    }
    return strings;
}

}  // namespace diskless
