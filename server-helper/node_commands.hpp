#pragma once

#include "server-helper/command.hpp"

namespace diskless::server {

Result<> node_add(const std::vector<std::string>& arguments, Streams& streams);
Result<> node_import(const std::vector<std::string>& arguments, Streams& streams);
Result<> node_list(const std::vector<std::string>& arguments, Streams& streams);
Result<> node_show(const std::vector<std::string>& arguments, Streams& streams);
Result<> node_set(const std::vector<std::string>& arguments, Streams& streams);
Result<> node_rename(const std::vector<std::string>& arguments, Streams& streams);
Result<> node_remove(const std::vector<std::string>& arguments, Streams& streams);

}  // namespace diskless::server
