// systemd makes a unit of every mount it finds, and its way down stops that unit: an umount process each, refused where
// something still writes there. What this program has mounted is its own to take away (release_mounts), so systemd is
// told to leave it. Mounts of the root's fstab are systemd's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/os/files.hpp"
#include "common/os/mounts.hpp"

namespace diskless {

constexpr const char* kSystemdUnits = "/run/systemd/system";

/// The name of the unit for what is mounted at `path`: "var-log.mount" (systemd.unit(5), escaping of paths). Empty
/// where a file of that name cannot be made.
std::string mount_unit(std::string_view path);

/// Unit files for these mount points (as systemd sees them), and drop-ins for /run/diskless and all below it; with
/// /etc/machine-id among them none is committed. Call it before
/// systemd sees the mounts: dependencies that a unit has already stay until it is loaded anew.
Result<> leave_mounts_alone(Files& files, const std::vector<std::string>& paths);

/// What is mounted below `root`, as seen from there; without the kernel's and systemd's own.
std::vector<std::string> mount_points_below(const std::vector<MountEntry>& table, std::string_view root);

}  // namespace diskless
