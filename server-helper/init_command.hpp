#pragma once

#include "server-helper/command.hpp"

namespace diskless::server {

Result<> init_tree(const std::vector<std::string>& arguments, Streams& streams);

}  // namespace diskless::server
