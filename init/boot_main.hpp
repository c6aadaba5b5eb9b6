// The boot role: PID 1 from the kernel's first instruction in user space to the real init.
#pragma once

#include <string>
#include <vector>

#include "common/os/os.hpp"

namespace diskless {

/// Boots the node. Does not return: it becomes the real init, or waits, or reboots, as the command line says.
[[noreturn]] void boot_main(Os& os, const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment);

}  // namespace diskless
