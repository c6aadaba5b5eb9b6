// log, reload: what goes on between the node and its agent while it runs.
#include <fmt/format.h>

#include "agent/ctl/commands.hpp"
#include "common/base/text.hpp"
#include "common/report/agent_state.hpp"
#include "common/report/words.hpp"

namespace diskless::ctl {

int log(CtlWorld& world, const ParsedOptions& options) {
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
    const auto lines = world.reload();
    if (!lines) return failed(world, lines.error());
    bool all_well = true;
    for (const auto& line : *lines) {
        all_well = all_well && !line.starts_with('!');
        world.out.write(printable(line) + "\n");
    }
    if (lines->empty()) world.out.write("nothing has changed\n");
    // The agent shows the report's state; one that does not answer will read it when it is back.
    if (const auto told = ask_agent(world, {ControlVerb::reload}); !told)
        world.err.write("disklessctl: the agent was not told: " + told.error().cause + "\n");
    return all_well ? kExitDone : kExitFailed;
}

}  // namespace diskless::ctl
