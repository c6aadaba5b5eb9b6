// Files in a directory that somebody else writes to: no symlink and no ".." in it leads out.
#pragma once

#include <string>

#include "common/base/result.hpp"

namespace diskless {

/// Whole content of a regular file, at most `limit` bytes. `path` is relative to `directory`; a symlink anywhere in it
/// is an error (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, Linux 5.6), code ELOOP. Absent: code ENOENT.
Result<std::string> read_beneath(const std::string& directory, const std::string& path, std::size_t limit = 1 << 20);

}  // namespace diskless
