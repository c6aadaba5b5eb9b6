#include "init/plan.hpp"

#include "init/steps/steps.hpp"

namespace diskless {

// mount-api ─ read-configuration
//                 │
//            load-drivers ─┬─ load-nfs ──────────┐
//                          └─ configure-network ─┼─ mount-root ─┬─ mount-snapshot ─┬─ identify ─ prepare-state ─
//                          (switch root)         │              │                  └─ swap-on (when wanted)
//                                                │              ├─ keep-way-down   │
//                                                │              └─ probe-export    │
//                                                ├─ set-clock ─────────────────────┘
//                                                └─ protect-network
//
// What each step needs is said in its own file; this is the order in which people read them.

Plan plan_early(Boot& boot) { return {steps::mount_api(boot), steps::read_configuration(boot)}; }

Plan plan_boot(Boot& boot) {
    Plan plan{
        steps::load_drivers(boot),   steps::configure_network(boot), steps::load_nfs(boot),
        steps::set_clock(boot),      steps::protect_network(boot),   steps::mount_root(boot),
        steps::mount_snapshot(boot), steps::keep_way_down(boot),     steps::identify(boot),
        steps::prepare_state(boot),  steps::carry_api(boot),
    };
    if (!boot.config.swaps.empty()) plan.push_back(steps::swap_on(boot));
    if (boot.config.root.mode == RootMode::read_only) plan.push_back(steps::probe_export(boot));
    return plan;
}

}  // namespace diskless
