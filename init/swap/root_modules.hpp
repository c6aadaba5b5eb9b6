// Kernel modules that only the root has: the image is kept small, and disks are nothing it needs.
#pragma once

#include <string>
#include <string_view>

#include "common/image/manifest.hpp"

namespace diskless {

/// modules.dep and modules.alias (depmod(8)) of `directory` as a manifest. Every module is there by name, with its
/// needs; aliases only of drivers for disks and what they hang on: no network card or sound is woken by swap.
Manifest disk_modules(std::string_view modules_dep, std::string_view modules_alias, const std::string& directory);

}  // namespace diskless
