// Boot scripts of sysvinit end every process before they unmount; the way down is bounded only while ours live.
#pragma once

#include <vector>

#include "common/os/files.hpp"

namespace diskless {

inline constexpr const char* kSparedFile = "/run/sendsigs.omit.d/diskless";

/// Names `pids` to Debian's sendsigs, which spares what is in a file of /run/sendsigs.omit.d (its README). Nothing
/// under systemd, which spares a process whose name begins with "@".
Result<> spare_processes(Files& files, const std::vector<int>& pids);

}  // namespace diskless
