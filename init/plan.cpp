#include "init/plan.hpp"

#include "init/steps/steps.hpp"

namespace diskless {

// mount-api ─ read-configuration
//                │
//          load-drivers ┬─ load-nfs ──────────┐
//                       └─ configure-network ─┼─ mount-root ┬─ mount-snapshot ┬─ identify ─ prepare-state ─ carry-api
//                                             │             └─ keep-way-down  │
//                                             ├─ set-clock ───────────────────┘
//                                             └─ protect-network
//
// With diskless.image= mount-image follows mount-root, with diskless.mode=overlay mount-overlay follows that; what
// needs the root needs the last of them. Where the kernel or another initramfs has mounted the root, the upper left is
// done: the address and the root are found instead, under the same names.
//
// What each step needs is said in its own file; this is the order in which people read them.

Plan plan_early(Boot& boot) { return {steps::mount_api(boot), steps::read_configuration(boot)}; }

Plan plan_boot(Boot& boot) {
    Plan plan;
    if (boot.root_is_there)
        plan = {steps::adopt_network(boot), steps::adopt_root(boot)};
    else
        plan = {steps::load_drivers(boot), steps::configure_network(boot), steps::load_nfs(boot),
                steps::mount_root(boot)};
    if (!boot.config.root.image.empty()) plan.push_back(steps::mount_image(boot));
    if (boot.config.root.mode == RootMode::overlay) plan.push_back(steps::mount_overlay(boot));
    for (auto* step : {steps::set_clock, steps::protect_network, steps::mount_snapshot, steps::keep_way_down,
                       steps::identify, steps::prepare_state, steps::carry_api})
        plan.push_back(step(boot));
    if (!boot.config.swaps.empty()) plan.push_back(steps::swap_on(boot));
    return plan;
}

}  // namespace diskless
