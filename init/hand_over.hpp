// From the initramfs to the root: the last thing the boot does.
#pragma once

#include "init/boot.hpp"

namespace diskless {

/// Keeps the report in /run, starts the agent, switches the root and becomes the real init. Returns only on failure. What
/// it throws without memory may be tried again: `boot` knows what has been done.
Error hand_over(Os& os, Boot& boot, BootReport report, const std::vector<std::string>& environment);

}  // namespace diskless
