// Files of the machine that builds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace diskless {

/// Seconds since 1970 of a file's last change; 0 when there is no such file.
std::int64_t changed_at(const std::string& path);

/// The whole file as it is.
Result<std::string> read_input_file(const std::string& path);

/// Old or new content, never half, and on disk when it returns: temporary file beside it, fsync, rename, fsync of the
/// directory. On failure the old file stands and the temporary one is gone.
Result<> write_output_file(const std::string& path, std::string_view content, unsigned mode = 0644);

}  // namespace diskless
