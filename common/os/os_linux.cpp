// Files come with files_linux.hpp; without it there is no whole Os, and linux_os() is left out.
#if __has_include("common/os/files_linux.hpp")
#include "common/os/clock_linux.hpp"
#include "common/os/devices_linux.hpp"
#include "common/os/files_linux.hpp"
#include "common/os/links_linux.hpp"
#include "common/os/machine_linux.hpp"
#include "common/os/modules_linux.hpp"
#include "common/os/mounts_linux.hpp"
#include "common/os/os.hpp"
#include "common/os/processes_linux.hpp"
#include "common/os/sockets_linux.hpp"

namespace diskless {

Os& linux_os() {
    static LinuxFiles files;
    static LinuxMounts mounts;
    static LinuxLinks links;
    static LinuxDevices devices;
    static LinuxModules modules;
    static auto& processes = *new LinuxProcesses;  // threads may still use it while the process exits
    static LinuxSockets sockets;
    static LinuxMachine machine;
    static Os os{linux_clock(), files, mounts, links, devices, modules, processes, sockets, machine};
    return os;
}

}  // namespace diskless
#endif
