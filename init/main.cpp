// One executable, several roles: which one is decided by the name it was called by, and by being PID 1.
#include <sys/types.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "common/os/files.hpp"
#include "init/boot.hpp"
#include "init/boot_main.hpp"
#include "init/roles.hpp"
#include "init/shutdown/take_down.hpp"
#include "init/supervise_main.hpp"
#include "init/userland.hpp"

namespace {

std::vector<std::string> strings(char** texts) {
    std::vector<std::string> all;
    for (; *texts != nullptr; ++texts) all.emplace_back(*texts);
    return all;
}

}  // namespace

int main(int, char** argv, char** environment) {
    using namespace diskless;
    const auto arguments = strings(argv);
    const auto name = arguments.empty() ? std::string() : base_name(arguments[0]);

    if (name == "@diskless-agent") return agent_role(linux_os());
    if (name == "shutdown" && getpid() == 1) shutdown_main(linux_os(), arguments);
    const auto role = arguments.size() > 1 ? arguments[1] : std::string();
    if (getpid() == 1 && role == kSupervise) supervise_main(linux_os(), arguments, strings(environment));
    if (getpid() == 1) boot_main(linux_os(), arguments, strings(environment));
    if (role == kStartDevices) return start_devices(linux_os());
    if (role == kMountFstab) return mount_fstab(linux_os());
    if (name == "telinit" || (name == "init" && !role.empty())) return telinit_role(linux_os(), arguments);
    if (name == "shutdown") return shutdown_role(linux_os(), arguments, geteuid());
    if (name == "disklessctl" || arguments.size() > 1) return ctl_role(linux_os(), arguments, geteuid());

    std::fputs("diskless-init boots a node as PID 1; for the command line call it as disklessctl (disklessctl help)\n",
               stderr);
    return 2;
}
