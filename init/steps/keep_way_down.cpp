// keep-way-down: this program once more in /run, under the names it is called by later: the agent, disklessctl, and the
// shutdown that systemd's initrd interface looks for (bootup(7), /run/initramfs/shutdown). One copy, hard links; and
// /run/initramfs is a directory of /run/diskless, because /run itself may become noexec.
#include <fmt/core.h>

#include "common/report/agent_state.hpp"
#include "init/steps/steps.hpp"
#include "init/systemd_mounts.hpp"

namespace diskless::steps {

namespace {

constexpr const char* kCommands = "/run/diskless/bin";
constexpr const char* kWayDown = "/run/diskless/initramfs";
constexpr const char* kInitramfs = "/run/initramfs";
constexpr const char* kOnPath = "/usr/local/sbin";  // in root's PATH everywhere, and empty in an image out of the box

Result<> link_as(Files& files, const std::string& path) {
    TRY(files.make_directories(parent_path(path)));
    TRY(files.remove(path));
    return files.link(kProgram, path);
}

/// Where this program stays PID 1: the root may have no such commands, or another init's. Its own shutdown(8), which
/// knows PID 1 by /run/initctl, is left alone.
Result<> link_commands_of_init(Os& os, Deadline deadline) {
    for (const char* name : {"/run/diskless/bin/telinit", "/run/diskless/bin/init"}) TRY(link_as(os.files, name));
    const auto has_own = TRY(os.processes.in_child("look for shutdown", deadline, [&os]() -> Result<std::string> {
        const bool has = os.files.exists(join_path(kNewRoot, "sbin/shutdown")) ||
                         os.files.exists(join_path(kNewRoot, "usr/sbin/shutdown"));
        return std::string(has ? "yes" : "no");
    }));
    if (has_own == "yes") return {};
    return link_as(os.files, "/run/diskless/bin/shutdown");
}

/// disklessctl can be typed without its path when the image leaves its local directory empty.
Result<std::string> put_on_path(Os& os) {
    const auto target = join_path(kNewRoot, kOnPath);
    const auto names = os.files.list(target);
    if (!names || !names->empty()) return std::string("no");
    TRY(os.mounts.bind(kCommands, target, true));
    return std::string("yes");
}

/// `systemctl reboot` has no end when a unit hangs on a dead server: the agent is told by a unit that every way down of
/// systemd starts at once, unless it knows, and sees to it that it is over in time. In system.slice: a slice of its
/// own, as instances get, would be in conflict with the way down. By hand it is not to be started: the agent would wait
/// for an end that has not begun.
Result<> tell_systemd(Files& files) {
    const std::string units = kSystemdUnits;
    TRY(files.make_directories(units));
    TRY(files.replace(units + "/diskless-down@.service",
                      fmt::format("[Unit]\nDescription=See to it that the %i is over in time\n"
                                  "DefaultDependencies=no\nRefuseManualStart=yes\nConditionPathExists=!{}\n\n"
                                  "[Service]\nType=oneshot\nRemainAfterExit=yes\nSlice=system.slice\n"
                                  "ExecStart=-/run/diskless/disklessctl %i --begun\n",
                                  kGoingDownFile)));
    for (const char* verb : {"reboot", "poweroff", "halt", "kexec"}) {
        const auto wants = fmt::format("{}/{}.target.wants", units, verb);
        TRY(files.make_directories(wants));
        const auto made =
            files.make_symlink("../diskless-down@.service", fmt::format("{}/diskless-down@{}.service", wants, verb));
        if (!made && made.error().code != EEXIST) return made;
    }
    return {};
}

Result<> run(StepContext& context, const Boot& boot) {
    Os& os = context.os;
    const auto self = TRY(os.files.read_link("/proc/self/exe"));
    TRY(os.files.remove(kProgram));
    TRY(os.files.copy(self, kProgram, CopyWhat::everything));
    TRY(os.files.set_mode(kProgram, 0755));
    for (const char* name :
         {"/run/diskless/disklessctl", "/run/diskless/bin/disklessctl", "/run/diskless/initramfs/shutdown"})
        TRY(link_as(os.files, name));
    TRY(os.files.make_directories(kInitramfs));
    if (!os.files.exists(join_path(kInitramfs, "shutdown"))) TRY(os.mounts.bind(kWayDown, kInitramfs, false));
    if (boot.init_is_systemd)
        if (const auto told = tell_systemd(os.files); !told) context.degrade(told.error());
    if (boot.init == kProgram) TRY(link_commands_of_init(os, context.deadline));
    const auto on_path =
        os.processes.in_child("put disklessctl on the path", context.deadline, [&os] { return put_on_path(os); });
    if (!on_path || *on_path != "yes") context.note("disklessctl is at /run/diskless/disklessctl");
    return {};
}

}  // namespace

Step keep_way_down(Boot& boot) {
    return {.id = "keep-way-down",
            .sentence = "keep this program in memory for the way down",
            .needs = {root_for(boot)},
            .deadline = Milliseconds{10'000},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
