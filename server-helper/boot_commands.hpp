#pragma once

#include "server-helper/command.hpp"

namespace diskless::server {

Result<> apply_boot(const std::vector<std::string>& arguments, Streams& streams);
Result<> check_site(const std::vector<std::string>& arguments, Streams& streams);

}  // namespace diskless::server
