// The root's own files as this node must see them: written for a machine with a disk, read by one without.
// Pure functions from text to text; nothing when the file can stay as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace diskless {

/// fstab(5) without a line for "/": it is mounted already, and a remount with a disk's options fails.
std::optional<std::string> rewrite_fstab(std::string_view text);

/// interfaces(5) (ifupdown) in which `interface` is `manual`: ifup and ifdown leave it alone.
std::optional<std::string> rewrite_interfaces(std::string_view text, std::string_view interface);

/// dhcpcd.conf(5) with `denyinterfaces`.
std::optional<std::string> rewrite_dhcpcd(std::string_view text, std::string_view interface);

/// Red Hat's ifcfg-<interface>: ONBOOT=no, NM_CONTROLLED=no.
std::optional<std::string> rewrite_ifcfg(std::string_view text);

}  // namespace diskless
