// What makes a process stay when the file system it came from is gone, and end a node that does not end by itself.
#pragma once

#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "common/os/machine.hpp"
#include "common/report/node_status.hpp"

namespace diskless {

/// `touched`: what was used so far and will be; enough for a process that does one thing only.
enum class KeepInMemory { everything, touched };

/// Locks memory, asks the OOM killer to look elsewhere, ignores the signals that a shutdown sends around (TERM,
/// HUP, INT, PIPE, …). Every part is tried; the first failure is returned.
Result<> become_resident(KeepInMemory what = KeepInMemory::everything);

/// From now on SIGTERM is kept for taken_term() and ends a wait of the control socket. Call it after become_resident().
void keep_term();
/// Who has sent SIGTERM since this was asked last: its process id.
std::optional<int> taken_term();

/// Tells the service manager that started this process as a unit of Type=notify (sd_notify(3)); nothing where no
/// NOTIFY_SOCKET is set.
Result<> tell_manager(std::string_view state);

/// Ends the machine at the deadline whatever the rest of this process does, even when it is stuck in the kernel: a
/// thread calls reboot(2), another one sysrq `patience` later. Both are ready (stacks, descriptors) before this
/// returns. Cannot be called off. Halting has no sysrq: the second thread then powers off.
Result<> end_machine_at(Deadline deadline, PowerVerb verb, Nanoseconds patience = Seconds{5});

/// Free room of the file system at `path` (statvfs(3)), which NFS asks the server for each time: may hang on NFS, so
/// call it in a child.
Result<Space> free_space(const std::string& path);

}  // namespace diskless
