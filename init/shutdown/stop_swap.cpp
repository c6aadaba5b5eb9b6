// swap-off.
#include "common/base/text.hpp"
#include "init/child_work.hpp"
#include "init/shutdown/shutdown_plan.hpp"

namespace diskless {

std::vector<std::string> swaps_to_stop(std::string_view proc_swaps) {
    std::vector<std::string> paths;
    bool heading = true;
    for (const auto line : lines(proc_swaps)) {
        const auto fields = words(line);
        if (!heading && !fields.empty() && !fields[0].starts_with("/dev/zram"))
            paths.push_back(unescape_octal(fields[0]));
        heading = false;
    }
    return paths;
}

Result<> stop_swap(StepContext& context, WayDown& down) {
    Os& os = context.os;
    const auto swaps = swaps_to_stop(os.files.read("/proc/swaps").value_or(std::string()));
    if (down.server_dead) return {};  // bringing pages back may need memory, and memory the server
    for (const auto& path : swaps) {
        const auto stopped =
            do_in_child(os.processes, "swap off " + path, down.leaving(7), [&] { return os.machine.swap_off(path); });
        if (!stopped) context.degrade(stopped.error());
    }
    return {};
}

}  // namespace diskless
