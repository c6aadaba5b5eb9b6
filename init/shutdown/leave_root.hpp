// The way down of a PID 1 that is ours: everything ends, then this program leaves the root for RAM and takes the mounts
// down from there, as systemd's initrd interface has it.
#pragma once

#include "init/shutdown/shutdown_plan.hpp"

namespace diskless {

/// TERM, KILL and write-back, within a part of the time. The agent is spared: it keeps the address and watches the
/// time.
void end_all_processes(Os& os, Deadline deadline, bool server_dead);

/// Does not return on a machine that obeys: becomes the shutdown program in RAM, and when that cannot be, ends the
/// machine from here.
void leave_root(Os& os, PowerVerb verb, Deadline deadline, bool server_dead);

}  // namespace diskless
