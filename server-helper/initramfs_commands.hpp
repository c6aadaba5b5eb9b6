#pragma once

#include "server-helper/command.hpp"

namespace diskless::server {

Result<> build_initramfs(const std::vector<std::string>& arguments, Streams& streams);
Result<> show_initramfs(const std::vector<std::string>& arguments, Streams& streams);
Result<> print_tree_manifest(const std::vector<std::string>& arguments, Streams& streams);
Result<> print_common_modules(const std::vector<std::string>& arguments, Streams& streams);

}  // namespace diskless::server
