// arm-wake.
#include <fmt/core.h>

#include "common/base/text.hpp"
#include "init/child_work.hpp"
#include "init/shutdown/shutdown_plan.hpp"

namespace diskless {

namespace {

constexpr Seconds kDriverMayTake{1};

}  // namespace

bool wants_wake(const ShutdownSituation& situation) {
    return situation.ends_here && situation.wake_on_lan != WakeOnLan::keep && !situation.interface.empty() &&
           (situation.verb == PowerVerb::poweroff || situation.verb == PowerVerb::halt);
}

Result<> arm_wake(StepContext& context, WayDown& down) {
    Os& os = context.os;
    const auto& name = down.situation.interface;
    const bool armed = down.situation.wake_on_lan == WakeOnLan::on;
    const auto until = Deadline::after(os.clock, kDriverMayTake).sooner_of(down.leaving(5));
    const auto set = do_in_child(os.processes, "set Wake-on-LAN of " + name, until,
                                 [&] { return os.links.set_wake_on_lan(name, armed); });
    if (!set)
        os.machine.say(4, fmt::format("{} {}: {}, continuing", printable(name),
                                      armed ? "cannot be woken by the network" : "may still be woken by the network",
                                      set.error().cause));
    return {};
}

}  // namespace diskless
