#pragma once

#include "server-helper/command.hpp"

namespace diskless::server {

Result<> usb_create(const std::vector<std::string>& arguments, Streams& streams);

}  // namespace diskless::server
