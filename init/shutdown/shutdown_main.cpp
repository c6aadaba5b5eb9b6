// /run/initramfs/shutdown: what systemd becomes when it has done its part.
#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/os/resident.hpp"
#include "init/boot_report_of.hpp"
#include "init/server_probe.hpp"
#include "init/shutdown/shutdown_plan.hpp"
#include "init/shutdown/take_down.hpp"

namespace diskless {

namespace {

/// The resident agent lives in the initramfs' own file system, where everything still is as the boot left it; systemd
/// has unmounted most of it here. Empty when there is no agent.
std::string root_of_agent(Os& os) {
    const auto agents = own_processes(os.files, "diskless-agent");
    return agents.empty() ? std::string() : fmt::format("/proc/{}/root", agents.front());
}

}  // namespace

[[noreturn]] void shutdown_main(Os& os, const std::vector<std::string>& arguments) {
    ShutdownSituation situation;
    const std::string verb = arguments.size() > 1 ? arguments[1] : "reboot";
    for (const auto known : {PowerVerb::poweroff, PowerVerb::halt, PowerVerb::kexec})
        if (text(known) == verb) situation.verb = known;
    situation.run_directory = root_of_agent(os) + kRunDirectory;
    NfsService root;
    if (const auto text = os.files.read(join_path(situation.run_directory, base_name(kReportFile)), 4 << 20)) {
        if (const auto report = boot_report_from_json(*text)) {
            const auto config = config_of(*report);
            situation.timeout = config.shutdown_timeout;
            situation.wake_on_lan = config.wake_on_lan;
            situation.interface = report->interface;
            situation.has_snapshot = report->snapshot.state == "mounted";
            situation.server_answers = [&os, service = service_of(report->root)](Deadline deadline) {
                return server_answers(os, service, deadline);
            };
            root = service_of(report->root);
        }
    } else {
        os.machine.say(4, "no boot report: " + text.error().cause + ", continuing");
    }
    situation.timeout /= 2;  // systemd has done the long part
    for (const auto& argument : arguments)
        if (argument.starts_with(kDeadlineArgument))
            if (const auto at = parse_number<long long>(argument.substr(kDeadlineArgument.size())))
                situation.timeout = std::chrono::duration_cast<Milliseconds>(
                    Deadline{std::min<Nanoseconds>(Milliseconds{*at}, os.clock.now() + Seconds{600})}.left(os.clock));
    const auto kept = kept_for_the_end(situation.timeout);
    const auto deadline = Deadline::after(os.clock, situation.timeout);
    (void)end_machine_at(Deadline{deadline.at - kept}, situation.verb, kept);
    situation.server_dead =
        std::ranges::find(arguments, kServerGoneArgument) != arguments.end() || verdict_on(os, root).is_gone(deadline);
    situation.timeout = std::chrono::duration_cast<Milliseconds>(deadline.left(os.clock));
    take_down(os, situation);
    for (;;) os.clock.sleep(Seconds{60});
}

}  // namespace diskless
