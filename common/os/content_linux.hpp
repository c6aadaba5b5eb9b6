// Content and metadata of one file on the running kernel.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "common/base/result.hpp"

namespace diskless {

/// Copies the content of an open regular file into an empty one; holes stay holes. Bytes of data copied.
Result<std::uint64_t> copy_content(int from, int to, const struct statx& status, const std::string& shown);

/// Owner, mode, extended attributes and times of what `from` is, in this order: chown clears set-id bits, and setting
/// attributes changes times. Attributes that the target's file system does not know are left out.
Result<> copy_metadata(int from, int to, const struct statx& status, const std::string& shown);

/// Why a copy could not be given to its owner: only root may, and a server may take root for nobody.
std::string owner_remedy();

}  // namespace diskless
