#include "init/shutdown/shutdown_plan.hpp"

#include <fmt/core.h>

namespace diskless {

Plan plan_shutdown(const std::shared_ptr<WayDown>& down) {
    const auto& situation = down->situation;
    Plan plan;
    // The steps see to their own time (WayDown::leaving); should one not come back, the guard has the last word.
    const auto add = [&](const char* id, const char* sentence, Result<> (*run)(StepContext&, WayDown&)) {
        Step step{.id = id,
                  .sentence = sentence,
                  .deadline = situation.timeout,
                  .failure = FailureMeans::degrade,
                  .run = [down, run](StepContext& context) { return run(context, *down); }};
        if (!plan.empty()) step.needs = {plan.back().id};
        plan.push_back(std::move(step));
    };
    add("end-processes", "end all processes", end_processes);
    // When no program of the root can change it back any more, and before what may wait for a server until time is over.
    if (wants_wake(situation)) add("arm-wake", "set Wake-on-LAN", arm_wake);
    add("write-back", "write what is in memory to the server", write_back);
    if (!situation.ends_here) return plan;
    add("swap-off", "stop swapping", stop_swap);
    add("unmount", "unmount what the node has mounted",
        [](StepContext& context, WayDown& way) { return release_mounts(context, way, false); });
    add("keep-record", "keep time and losses for the next boot", keep_record);
    add("release", "unmount snapshot and root",
        [](StepContext& context, WayDown& way) { return release_mounts(context, way, true); });
    return plan;
}

Plan plan_shutdown(const ShutdownSituation& situation, const Clock& clock) {
    const auto down = std::make_shared<WayDown>();
    down->situation = situation;
    down->server_dead = situation.server_dead;
    down->began = clock.now();
    return plan_shutdown(down);
}

}  // namespace diskless
