#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/os/mounts.hpp"

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto& entry : diskless::parse_mountinfo(text)) {
        // Unescaping never makes a name longer than the text it came from.
        if (entry.target.size() + entry.source.size() + entry.root.size() > size) std::abort();
    }
    return 0;
}
