// log, reload: what goes on between the node and its agent while it runs.
#include <fmt/core.h>

#include "agent/ctl/commands.hpp"
#include "common/base/text.hpp"
#include "common/os/service_logs.hpp"
#include "common/report/agent_state.hpp"
#include "common/report/words.hpp"

namespace diskless::ctl {

namespace {

/// Names of directory entries that are logs, in one line.
std::string names_of_logs(const Files& files) {
    std::string text;
    if (const auto names = files.list(join_path(kServiceLogs, "now")))
        for (const auto& name : *names) text += (text.empty() ? "" : ", ") + printable(name);
    return text;
}

/// What a service of our own PID 1 has printed: text in memory.
int log_of_service(CtlWorld& world, const std::string& name) {
    if (name.find('/') != std::string::npos || name.starts_with('.'))
        return bad_usage(world, "log", "no id of an inittab entry: " + printable(name));
    std::string text;
    std::optional<Error> problem;
    for (const char* part : {"before", "now"}) {
        const auto content = world.files.read(fmt::format("{}/{}/{}", kServiceLogs, part, name), 4 * kServiceLogSize);
        if (content)
            text += *content;
        else if (content.error().code != ENOENT)
            problem = content.error();
    }
    if (text.empty() && problem)
        return failed(world,
                      {problem->cause, problem->code == EACCES ? "become root, or use sudo" : "", problem->code});
    if (text.empty()) {
        const auto others = names_of_logs(world.files);
        return failed(world, {fmt::format("nothing is kept of an entry {}", printable(name)),
                              others.empty() ? "the output of services is kept where diskless-init is process 1; else "
                                               "see journalctl or /var/log"
                                             : "there is output of: " + others,
                              ENOENT});
    }
    for (const auto line : lines(text)) world.out.write(printable(line) + "\n");
    return kExitDone;
}

}  // namespace

int log(CtlWorld& world, const ParsedOptions& options) {
    if (!options.operands.empty() && options.has("json"))
        return bad_usage(world, "log", "--json is for what the agent said: what a service printed is plain text");
    if (!options.operands.empty()) return log_of_service(world, options.operands[0]);
    auto answer = ask_agent(world, {ControlVerb::log});
    if (!answer) {
        answer.error().remedy = "see the kernel's own log: dmesg | grep diskless";
        return failed(world, answer.error());
    }
    const auto lines = log_from(*answer);
    if (!lines) return failed(world, lines.error());
    if (options.has("json")) {
        world.out.write(to_json_line(*lines) + "\n");
        return kExitDone;
    }
    for (const auto& line : *lines)
        world.out.write(fmt::format("{:>12}  {}{}\n", seconds_text(line.at, 2),
                                    line.level <= 3   ? "ERROR "
                                    : line.level == 4 ? "warning: "
                                                      : "",
                                    printable(line.text)));
    return kExitDone;
}

int reload(CtlWorld& world, const ParsedOptions&) {
    if (world.user != 0) return failed(world, {"reload needs root", "become root, or use sudo", EPERM});
    if (const auto report = boot_report(world); !report) return failed(world, report.error());
    if (!world.reload) return failed(world, {"this program was built without reload", {}, 0});
    bool all_well = true, changed = false;
    // One that fails does not keep the other from being done.
    for (const auto& part : {world.reload, world.reload_inittab}) {
        if (!part) continue;
        const auto lines = part();
        if (!lines) {
            failed(world, lines.error());
            all_well = false;
            continue;
        }
        for (const auto& line : *lines) {
            changed = true;
            all_well = all_well && !line.starts_with('!');
            world.out.write(printable(line) + "\n");
        }
    }
    if (!changed && all_well) world.out.write("nothing has changed\n");
    // The agent shows the report's state; one that does not answer will read it when it is back.
    if (const auto told = ask_agent(world, {ControlVerb::reload}); !told)
        world.err.write("disklessctl: the agent was not told: " + told.error().cause + "\n");
    return all_well ? kExitDone : kExitFailed;
}

}  // namespace diskless::ctl
