// disklessctl: the node's command line. Commands, options and exit codes are one table (ctl.cpp).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/os/clock.hpp"
#include "common/os/control_socket.hpp"
#include "common/os/files.hpp"
#include "common/os/machine.hpp"
#include "common/os/mounts.hpp"
#include "common/os/output.hpp"
#include "common/os/processes.hpp"

namespace diskless {

/// What `disklessctl plan` was asked: everything may be empty.
struct PlanArguments {
    std::string command_line;   // --cmdline; empty: that of the running kernel
    std::string root;           // --root: a directory that stands for the NFS root
    std::string snapshot;       // --snapshot: a directory that stands for the node's snapshot
    std::string manifest_file;  // --manifest
    bool json = false;
    bool operator==(const PlanArguments&) const = default;
};

/// Everything disklessctl is given. The functions may be empty: then their commands say that they are not there.
struct CtlWorld {
    Output& out;
    Output& err;
    ControlClient& agent;
    Clock& clock;
    Files& files;
    Mounts& mounts;
    Processes& processes;
    std::function<Result<std::string>(const PlanArguments&)> plan;
    /// Takes the machine down from this process, when the agent does not answer: returns only when it failed.
    std::function<Error(PowerVerb, Deadline)> take_down;
    std::uint32_t user = 0;    // effective user id
    bool utf8_locale = false;  // LC_ALL, LC_CTYPE or LANG say UTF-8 (speaks_utf8())
    /// Mounts what is new in the lists; a line for each entry, those that failed begin with "!".
    std::function<Result<std::vector<std::string>>()> reload = {};
    /// Loads the kernel that kexec starts: kernel and initramfs file, command line.
    std::function<Result<>(const std::string&, const std::string&, const std::string&)> load_kernel = {};
    /// Tells the next boot that an init was asked which keeps no record of how it went.
    std::function<void(PowerVerb)> left_to_init = {};
    /// Has our own PID 1 read its inittab again; lines as of `reload`, none where PID 1 is another program.
    std::function<Result<std::vector<std::string>>()> reload_inittab = {};
};

enum ExitCode { kExitDone = 0, kExitFailed = 1, kExitUsage = 2 };

/// `arguments` without argv[0]. Never throws; the exit code of the process.
int disklessctl_run(const std::vector<std::string>& arguments, CtlWorld& world);

/// Does the environment ask for UTF-8? The first of LC_ALL, LC_CTYPE, LANG that is set decides (locale(7)).
bool speaks_utf8(const char* lc_all, const char* lc_ctype, const char* lang);

}  // namespace diskless
