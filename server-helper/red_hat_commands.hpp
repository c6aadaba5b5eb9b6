// pxeos and pxeboot: Red Hat's names and options.
#pragma once

#include "server-helper/command.hpp"

namespace diskless::server {

Result<> pxeos(const std::vector<std::string>& arguments, Streams& streams);
Result<> pxeboot(const std::vector<std::string>& arguments, Streams& streams);

}  // namespace diskless::server
