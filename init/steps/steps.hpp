// One factory a step; its file has its name. plan.cpp puts them in order.
#pragma once

#include <set>
#include <string>

#include "common/plan/step.hpp"
#include "init/boot.hpp"

namespace diskless::steps {

Step mount_api(Boot& boot);
Step read_configuration(Boot& boot);
Step load_drivers(Boot& boot);
Step load_nfs(Boot& boot);
Step configure_network(Boot& boot);
Step set_clock(Boot& boot);
Step mount_root(Boot& boot);
Step mount_image(Boot& boot);
Step mount_overlay(Boot& boot);
Step adopt_network(Boot& boot);
Step adopt_root(Boot& boot);
Step mount_snapshot(Boot& boot);
Step identify(Boot& boot);
Step prepare_state(Boot& boot);
Step protect_network(Boot& boot);
Step keep_way_down(Boot& boot);
Step swap_on(Boot& boot);
Step carry_api(Boot& boot);

/// Id of the step after which the root is as the node will see it.
std::string root_for(const Boot& boot);

/// Loads drivers for devices that have come since load-drivers; true when there were any. `loaded`: what need not be
/// loaded again.
bool load_late_drivers(StepContext& context, const Boot& boot, std::set<std::string>& loaded);

/// Loads the client of a version that load-nfs has left out because it was not expected.
void load_nfs_version(StepContext& context, const Boot& boot, NfsVersion version);

}  // namespace diskless::steps
