#pragma once

#include "server-helper/command.hpp"

namespace diskless::server {

Result<> serve(const std::vector<std::string>& arguments, Streams& streams);

}  // namespace diskless::server
