#include "init/shutdown/leave_root.hpp"

#include <fmt/core.h>

#include "common/base/text.hpp"
#include "common/plan/executor.hpp"
#include "init/boot.hpp"
#include "init/shutdown/shutdown_plan.hpp"
#include "init/shutdown/take_down.hpp"

namespace diskless {

namespace {

constexpr const char* kPlace = "/run/diskless/initramfs";  // the program is there as "shutdown"

Result<> become_shutdown(Os& os, PowerVerb verb, Deadline deadline, bool server_dead) {
    for (const char* directory : {"/proc", "/sys", "/dev", "/run", "/oldroot"})
        TRY(os.files.make_directories(join_path(kPlace, directory)));
    TRY(os.mounts.bind(kPlace, kPlace, false));  // pivot_root(2) wants a mount
    for (const char* api : {"/proc", "/sys", "/dev", "/run"}) TRY(os.mounts.bind_tree(api, join_path(kPlace, api)));
    TRY(os.machine.pivot_root(kPlace, join_path(kPlace, "/oldroot")));
    const auto at = std::chrono::duration_cast<Milliseconds>(deadline.at).count();
    std::vector<std::string> arguments{"shutdown", std::string(text(verb)), fmt::format("{}{}", kDeadlineArgument, at)};
    if (server_dead) arguments.emplace_back(kServerGoneArgument);
    return Failure(os.processes.execute("/shutdown", arguments, {}));
}

}  // namespace

void end_all_processes(Os& os, Deadline deadline, bool server_dead) {
    ShutdownSituation situation;
    situation.after_pivot = false;
    situation.server_dead = server_dead;
    situation.timeout = std::chrono::duration_cast<Milliseconds>(deadline.left(os.clock));
    situation.spared = own_processes(os.files, "diskless-init");
    situation.ends_here = false;
    Executor executor(os, say_steps(os), false);
    if (const auto result = executor.run(plan_shutdown(situation, os.clock)); !result)
        os.machine.say(4, result.error().cause);
}

void leave_root(Os& os, PowerVerb verb, Deadline deadline, bool server_dead) {
    os.machine.say(6, fmt::format("{}: at the latest in {:.0f} s{}", text(verb),
                                  std::chrono::duration<double>(deadline.left(os.clock)).count(),
                                  server_dead ? "; the server is gone, what needs it is skipped" : ""));
    end_all_processes(os, Deadline::after(os.clock, deadline.left(os.clock) / 2), server_dead);
    if (const auto became = become_shutdown(os, verb, deadline, server_dead); !became)
        os.machine.say(4, became.error().cause + ", ending the machine from here");
    end_machine(os, verb);
}

}  // namespace diskless
