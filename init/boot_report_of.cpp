#include "init/boot_report_of.hpp"

namespace diskless {

BootReport boot_report_of(const Boot& boot, const std::vector<StepReport>& steps, Os& os, Nanoseconds started) {
    BootReport report;
    report.version = DISKLESS_VERSION;
    report.kernel = os.machine.kernel_release();
    report.command_line = boot.command_line;
    report.image_parameters = boot.manifest.parameters;
    report.started = started;
    report.wall_started = std::chrono::duration_cast<Seconds>(os.clock.wall() - (os.clock.now() - started)).count();
    report.init = boot.init;
    report.steps = steps;
    for (const auto& warning : boot.config.warnings)
        report.warnings.push_back(warning.parameter + ": " + warning.message +
                                  (warning.remedy.empty() ? "" : " (" + warning.remedy + ")"));
    report.executed = os.processes.executed();
    report.interface = boot.link.name;
    report.mac = boot.link.mac.text();
    report.lease = boot.lease;
    report.root = boot.root;
    report.snapshot = boot.snapshot;
    report.time = boot.time;
    report.identity = boot.identity;
    report.state = boot.state;
    report.last_shutdown = boot.last_shutdown;
    return report;
}

BootConfig config_of(const BootReport& report) {
    return parse_boot_config({report.command_line, report.image_parameters, 0});
}

}  // namespace diskless
