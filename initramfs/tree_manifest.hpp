// The manifest of an image that another tool builds: its modules stay where that tool put them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/image/manifest.hpp"

namespace diskless {

/// Describes DIRECTORY/lib/modules/<kernel>: every module file that a node may want becomes an entry with its path in
/// the image. `kernel` below `root` tells what is built in. Compressed modules are left out with a warning: whether the
/// kernel can unpack them itself (CONFIG_MODULE_DECOMPRESS) cannot be told from its files. `time` is the build time in
/// seconds since 1970; nothing: that of the newest module.
struct TreeManifest {
    Manifest manifest;
    std::vector<std::string> warnings;
};
Result<TreeManifest> manifest_for_tree(const std::string& directory, const std::string& kernel, const std::string& root,
                                       std::optional<std::int64_t> time = {});

/// Names of the common drivers and group members that this kernel has as modules: what to tell another tool to take.
Result<std::vector<std::string>> common_modules(const std::string& kernel, const std::string& root);

}  // namespace diskless
