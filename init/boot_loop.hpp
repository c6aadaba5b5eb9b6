// The boot from the first step of its plan to the real init, and what is done about a failure on the way.
#pragma once

#include <string>
#include <vector>

#include "common/os/emergency.hpp"
#include "common/plan/executor.hpp"
#include "init/boot.hpp"

namespace diskless {

struct BootWorld {
    Os& os;
    /// That of common/os/emergency.hpp: does not come back.
    void (*emergency_stop)(const EmergencyText& text, unsigned reboot_after_seconds);
};

/// One line a step on the kernel's log: every console shows what its log level lets through.
ExecutorEvents narrate(Os& os, const Boot& boot);

/// Does not come back, but by what it throws without memory: then it is called again, and goes on from where it was.
void boot_on(BootWorld world, Boot& boot, Executor& executor, Nanoseconds started,
             const std::vector<std::string>& environment);

}  // namespace diskless
