// The root that one node has alone and writes into: a copy of an image.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/os/files.hpp"

namespace diskless::server {

/// Makes the directory `to` a copy of the generation `from`, with the name of the node in etc/hostname and
/// etc/sysconfig/network (HOSTNAME=) where the image has such a file, and without a plain etc/mtab: that tells of the
/// mounts of the machine it comes from. `to` is complete or absent. Returns whether it was made; one that is there
/// belongs to its node and stays as it is.
Result<bool> make_own_root(Files& files, const std::string& from, const std::string& to, const std::string& hostname);

/// sysconfig's network file in which HOSTNAME is that of the node.
std::string with_hostname(std::string_view text, std::string_view hostname);

}  // namespace diskless::server
