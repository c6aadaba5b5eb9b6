// Which mount serves a path.
#pragma once

#include <string_view>
#include <vector>

#include "common/os/mounts.hpp"

namespace diskless::ctl {

/// The mount whose target is the path or its nearest parent; of several at one target the last, which hides the others.
/// nullptr when not even "/" is there.
const MountEntry* covering_mount(const std::vector<MountEntry>& table, std::string_view path);

/// Is `option` one of the comma-separated options?
bool has_option(std::string_view options, std::string_view option);

}  // namespace diskless::ctl
