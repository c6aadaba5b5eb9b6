#include "init/hand_over.hpp"

namespace diskless {

namespace {

/// The agent stays in the initramfs' own file system, which the switch hides but does not remove: it needs no byte of
/// the root, and begins when the real init has: each is there sooner. "@": systemd's root storage daemons, which are
/// not killed at shutdown.
Result<> start_agent(Os& os, Boot& boot) {
    if (boot.agent_started) return {};
    TRY(os.processes.spawn(
        {.path = kProgram, .arguments = {"@diskless-agent"}, .environment = {}, .console = {}, .when_replaced = true}));
    boot.agent_started = true;
    return {};
}

/// The image's files are memory: modules and the shell have served.
void free_initramfs(Os& os) {
    for (const char* path : {"/lib", "/usr", "/bin", "/sbin", "/etc", "/init"}) (void)os.files.remove_tree(path);
}

}  // namespace

Error hand_over(Os& os, Boot& boot, BootReport report, const std::vector<std::string>& environment) {
    std::vector<std::string> arguments{boot.init};
    if (boot.init == kProgram) arguments = {"init", kSupervise, "", ""};
    arguments.insert(arguments.end(), boot.config.init_arguments.begin(), boot.config.init_arguments.end());

    report.handed_over = os.clock.now();
    if (auto kept = os.files.replace(kReportFile, to_json(report)); !kept) return kept.error();
    if (!boot.root_switched) {
        free_initramfs(os);  // after the switch the same names are the root's
        if (auto started = start_agent(os, boot); !started)
            os.machine.say(4, "no agent: " + started.error().cause + ", continuing");
        if (auto switched = os.machine.switch_root(kNewRoot); !switched) return switched.error();
        boot.root_switched = true;
    }
    return os.processes.execute(boot.init, arguments, environment);
}

}  // namespace diskless
