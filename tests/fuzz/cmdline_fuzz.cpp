// Any bytes are a command line: understood or warned about, printable, and understood in the same way twice.
// The first line is the manifest's parameters when the input has more than one line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "init/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    diskless::ConfigInput input;
    const auto newline = text.find('\n');
    input.command_line = text.substr(newline == std::string_view::npos ? 0 : newline + 1);
    if (newline != std::string_view::npos) input.defaults = text.substr(0, newline);

    const auto config = diskless::parse_boot_config(input);
    const auto described = diskless::describe(config);
    if (described.empty() || described != diskless::describe(diskless::parse_boot_config(input))) std::abort();
    for (const char c : described)
        if (c != '\n' && static_cast<unsigned char>(c) < 0x20) std::abort();  // a terminal would obey it
    for (const auto& interface : config.network.interfaces) {
        if (interface.prefix > 32) std::abort();
        if (interface.method == diskless::AddressMethod::fixed && !interface.address.is_set()) std::abort();
    }
    if (!config.root.from_lease && !config.root.source.path.starts_with('/')) std::abort();
    if (config.snapshot.name.find('/') != std::string::npos) std::abort();
    return 0;
}
