#pragma once

#include "server-helper/command.hpp"

namespace diskless::server {

Result<> image_add(const std::vector<std::string>& arguments, Streams& streams);
Result<> image_sync(const std::vector<std::string>& arguments, Streams& streams);
Result<> image_list(const std::vector<std::string>& arguments, Streams& streams);
Result<> image_show(const std::vector<std::string>& arguments, Streams& streams);
Result<> image_check(const std::vector<std::string>& arguments, Streams& streams);
Result<> image_pin(const std::vector<std::string>& arguments, Streams& streams);
Result<> image_unpin(const std::vector<std::string>& arguments, Streams& streams);
Result<> image_pack(const std::vector<std::string>& arguments, Streams& streams);
Result<> image_rollback(const std::vector<std::string>& arguments, Streams& streams);
Result<> image_remove(const std::vector<std::string>& arguments, Streams& streams);
Result<> image_gc(const std::vector<std::string>& arguments, Streams& streams);

}  // namespace diskless::server
