#pragma once

#include <string>

#include "server-helper/model/cluster.hpp"

namespace diskless::server {

/// The cluster's URL of boot/http without a slash at the end. Fails when it is no "http[s]://HOST[:PORT][/PATH]" of plain
/// characters, which every dialect can carry as it is.
Result<std::string> http_base(const Cluster& cluster);

}  // namespace diskless::server
