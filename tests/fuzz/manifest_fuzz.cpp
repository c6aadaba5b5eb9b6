// A manifest that was cut short or tampered with must give an error or a value, never a crash or a hang of PID 1.
#include <cstdint>
#include <cstdlib>

#include "common/base/text.hpp"
#include "common/image/manifest.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace diskless;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto manifest = parse_manifest(text);
    if (!manifest) return 0;
    // What was understood once is understood the same again.
    const auto again = parse_manifest(to_text(*manifest));
    if (!again || !(*again == *manifest)) std::abort();

    std::vector<std::string> names, aliases;
    for (const auto& module : manifest->modules) {
        names.push_back(module.name);
        aliases.insert(aliases.end(), module.aliases.begin(), module.aliases.end());
    }
    if (load_order(*manifest, names).size() > manifest->modules.size()) std::abort();
    modules_for(*manifest, aliases);
    return 0;
}
