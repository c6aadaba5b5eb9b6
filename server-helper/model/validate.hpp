#pragma once

#include "server-helper/model/cluster.hpp"

namespace diskless::server {

/// What one entry alone does not show: doubled names and addresses, groups that are absent or inherit from themselves.
/// What can be meant for a while (an image that is not there yet) becomes a warning.
Result<> validate(Cluster& cluster);

}  // namespace diskless::server
