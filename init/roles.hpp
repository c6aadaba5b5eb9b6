// The roles of the node program beside boot and shutdown: wiring of agent and disklessctl to this machine.
#pragma once

#include <string>
#include <vector>

#include "common/os/os.hpp"

namespace diskless {

/// The resident agent: serves until the machine ends.
int agent_role(Os& os);

/// disklessctl: `arguments` with argv[0]; the exit code.
int ctl_role(Os& os, const std::vector<std::string>& arguments, std::uint32_t user);

/// shutdown(8), by the words of disklessctl.
int shutdown_role(Os& os, const std::vector<std::string>& arguments, std::uint32_t user);

}  // namespace diskless
