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
std::optional<std::string> rewrite_fstab(std::string_view text, std::string_view root_line = {});

/// interfaces(5) (ifupdown) in which `interface` is `manual`: ifup and ifdown leave it alone.
std::optional<std::string> rewrite_interfaces(std::string_view text, std::string_view interface);

/// dhcpcd.conf(5) with `denyinterfaces`.
std::optional<std::string> rewrite_dhcpcd(std::string_view text, std::string_view interface);

/// Red Hat's ifcfg-<interface>: ONBOOT=no, NM_CONTROLLED=no.
std::optional<std::string> rewrite_ifcfg(std::string_view text);

}  // namespace diskless
