// swap-off. What is in swap must fit into memory: a kernel that runs out of it here kills whom it can, and panics when
// nobody is left. A partition may stay on until the end.
#include <fmt/core.h>

#include "common/base/text.hpp"
#include "init/child_work.hpp"
#include "init/shutdown/shutdown_plan.hpp"

namespace diskless {

namespace {

constexpr std::uint64_t kSpare = 8192;  // kB that the rest of the way down needs

}  // namespace

std::vector<Swap> swaps_to_stop(std::string_view proc_swaps) {
    std::vector<Swap> swaps;
    bool heading = true;
    for (const auto line : lines(proc_swaps)) {
        const auto fields = words(line);
        if (!heading && !fields.empty() && !fields[0].starts_with("/dev/zram"))
            swaps.push_back({unescape_octal(fields[0]),
                             fields.size() > 3 ? parse_number<std::uint64_t>(fields[3]).value_or(0) : 0});
        heading = false;
    }
    return swaps;
}

std::uint64_t memory_available(std::string_view meminfo) {
    for (const auto line : lines(meminfo))
        if (const auto fields = words(line); fields.size() > 1 && fields[0] == "MemAvailable:")
            return parse_number<std::uint64_t>(fields[1]).value_or(kUnknownMemory);
    return kUnknownMemory;
}

Result<> stop_swap(StepContext& context, WayDown& down) {
    Os& os = context.os;
    const auto swaps = swaps_to_stop(os.files.read("/proc/swaps").value_or(std::string()));
    if (down.server_dead) return {};  // bringing pages back may need memory, and memory the server
    for (const auto& swap : swaps) {
        const auto& path = swap.path;  // clang 14 hands no structured binding to a lambda
        const auto used = swap.used;
        const auto meminfo = os.files.read("/proc/meminfo").value_or(std::string());
        if (used + kSpare > memory_available(meminfo)) {
            context.degrade(
                {fmt::format("swap on {} stays on: {} kB of it are in use, more than memory has room for", path, used),
                 "", 0});
            continue;
        }
        const auto stopped =
            do_in_child(os.processes, "swap off " + path, down.leaving(7), [&] { return os.machine.swap_off(path); });
        if (!stopped) context.degrade(stopped.error());
    }
    return {};
}

}  // namespace diskless
