#pragma once

#include <cstdint>
#include <optional>

#include "initramfs/builder.hpp"
#include "server-helper/command.hpp"

namespace diskless::server {

Result<> build_initramfs(const std::vector<std::string>& arguments, Streams& streams);
Result<> show_initramfs(const std::vector<std::string>& arguments, Streams& streams);
Result<> print_tree_manifest(const std::vector<std::string>& arguments, Streams& streams);
Result<> print_common_modules(const std::vector<std::string>& arguments, Streams& streams);

/// What "initramfs build" with these options would build.
Result<BuildRequest> initramfs_request(const std::vector<std::string>& options);

/// The environment's SOURCE_DATE_EPOCH (reproducible-builds.org), seconds since 1970; nothing when it is not set.
Result<std::optional<std::int64_t>> source_date_epoch();

}  // namespace diskless::server
