// What boot scripts of a root without systemd did before its services: devices, and the file systems of its fstab.
//
// Each is a program of its own: entries that stand before those of the inittab. They touch the root, so they may hang
// as long as its server is away, without holding up PID 1.
#pragma once

#include "common/os/os.hpp"
#include "common/state/fstab.hpp"
#include "init/supervisor/inittab.hpp"

namespace diskless {

inline constexpr const char* kStartDevices = "@start-devices";  // argv[1]
inline constexpr const char* kMountFstab = "@mount-fstab";

/// Adds them in front of a table whose own scripts do not do it: one without sysinit entries, or with an entry that
/// stands for this program.
void add_own_entries(Inittab& table);

/// No hotplug helper; the root's udevd, when it has one, and an event for every device that is there already; waits
/// until they are worked off, but not for ever. The exit code.
int start_devices(Os& os);

/// /tmp, when fstab says it is a tmpfs; directories for run files and locks; then all NFS mounts of fstab that are not
/// noauto, side by side, each tried until it is there. The exit code.
int mount_fstab(Os& os);

/// Those lines that mount_fstab() is about, in order.
std::vector<FstabEntry> fstab_to_mount(std::string_view text);
/// The address of a name in hosts(5); unset when it is not there.
Ipv4 address_in_hosts(std::string_view hosts, std::string_view name);

}  // namespace diskless
