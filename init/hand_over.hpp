// From the initramfs to the root: the last thing the boot does.
#pragma once

#include "init/boot.hpp"

namespace diskless {

/// Starts the agent, carries the API file systems over, switches the root and becomes the real init. Returns only on
/// failure. `report` is kept in /run first.
Error hand_over(Os& os, const Boot& boot, BootReport report, const std::vector<std::string>& environment);

}  // namespace diskless
