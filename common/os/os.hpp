// Everything the node program asks of the kernel, in one bundle that steps are given. Tests hand in fakes that behave.
#pragma once

#include "common/os/clock.hpp"
#include "common/os/devices.hpp"
#include "common/os/files.hpp"
#include "common/os/links.hpp"
#include "common/os/machine.hpp"
#include "common/os/mounts.hpp"
#include "common/os/processes.hpp"
#include "common/os/sockets.hpp"

namespace diskless {

struct Os {
    Clock& clock;
    Files& files;
    Mounts& mounts;
    Links& links;
    Devices& devices;
    Modules& modules;
    Processes& processes;
    Sockets& sockets;
    Machine& machine;
};

/// The real thing. Lives as long as the process.
Os& linux_os();

}  // namespace diskless
