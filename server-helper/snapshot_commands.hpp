#pragma once

#include "server-helper/command.hpp"

namespace diskless::server {

Result<> snapshot_prepare(const std::vector<std::string>& arguments, Streams& streams);
Result<> snapshot_status(const std::vector<std::string>& arguments, Streams& streams);
Result<> snapshot_diff(const std::vector<std::string>& arguments, Streams& streams);
Result<> snapshot_reset(const std::vector<std::string>& arguments, Streams& streams);
Result<> snapshot_rename(const std::vector<std::string>& arguments, Streams& streams);
Result<> snapshot_archive(const std::vector<std::string>& arguments, Streams& streams);
Result<> snapshot_remove(const std::vector<std::string>& arguments, Streams& streams);
Result<> simulate(const std::vector<std::string>& arguments, Streams& streams);
Result<> cluster_status(const std::vector<std::string>& arguments, Streams& streams);

}  // namespace diskless::server
