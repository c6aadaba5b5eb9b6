// The root's own files as this node must see them: written for a machine with a disk, read by one without.
// Pure functions from text to text; nothing when the file can stay as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace diskless {

/// fstab(5) without the golden machine's line for "/": a remount with a disk's options fails. `root_line` stands in its
/// place when it is not empty: sysvinit remounts the root read-write unless a line says otherwise, while systemd takes
/// any line as an order to remount. Local disks of the golden machine, which this one need not have, are `nofail`.
/// Lines for /proc, /sys, /dev and /run go, too: they are there, and a second /run would hide what the node lives by, a
/// /dev of the server the devices. `var_run_is_run`: the root's /var/run is a link to /run.
std::optional<std::string> rewrite_fstab(std::string_view text, std::string_view root_line = {},
                                         bool var_run_is_run = false);

/// interfaces(5) (ifupdown) in which `interface` is `manual`: ifup and ifdown leave it alone.
std::optional<std::string> rewrite_interfaces(std::string_view text, std::string_view interface);

/// /etc/default/rcS (rcS(5) of Debian's initscripts) that mounts fstab's NFS directories by itself: its other way waits
/// for ifup to have brought up the interface, which never happens to one that carries the root.
std::optional<std::string> rewrite_rcs(std::string_view text);

/// dhcpcd.conf(5) with `denyinterfaces`.
std::optional<std::string> rewrite_dhcpcd(std::string_view text, std::string_view interface);

/// Red Hat's ifcfg-<interface>: ONBOOT=no, NM_CONTROLLED=no.
std::optional<std::string> rewrite_ifcfg(std::string_view text);

}  // namespace diskless
