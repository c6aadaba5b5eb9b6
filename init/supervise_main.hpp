// PID 1 for good: the node runs by /etc/inittab.
#pragma once

#include <string>
#include <vector>

#include "common/os/os.hpp"

namespace diskless {

/// `arguments`: "init", "@supervise", the story of crashes and the state to go on from (both empty at first: see
/// emergency.hpp), then the words that the kernel's command line had for init ("S", "3", "-b"). Does not return.
[[noreturn]] void supervise_main(Os& os, const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& environment);

/// What the running PID 1 is told by "telinit LEVEL" and "init LEVEL". The exit code.
int telinit_role(Os& os, const std::vector<std::string>& arguments);

}  // namespace diskless
