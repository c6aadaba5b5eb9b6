// The boot on one screen.
#pragma once

#include "common/plan/step.hpp"
#include "init/boot.hpp"

namespace diskless {

/// What must be there before there is a configuration to plan by.
Plan plan_early(Boot& boot);

/// The way from a configuration to a root that can be switched to. Steps that do not need one another overlap.
Plan plan_boot(Boot& boot);

}  // namespace diskless
