// Kernel modules that only the root has: the image is kept small, and most nodes need neither disks nor overlays.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/image/manifest.hpp"
#include "common/os/files.hpp"

namespace diskless {

/// modules.dep and modules.alias (depmod(8)) of `directory` as a manifest. Every module is there by name, with its
/// needs; aliases only of drivers for disks and what they hang on: no network card or sound is woken by swap.
Manifest disk_modules(std::string_view modules_dep, std::string_view modules_alias, const std::string& directory);

/// The same of the root that is mounted, for this kernel release; none where it has none. Touches the root.
Manifest modules_of_root(const Files& files, const std::string& release, bool with_disks);

/// What mounting a file system of this type takes, in order: the kernel asks modprobe(8) for checksums and code pages
/// by name while it mounts, which no modules.dep tells, and the root's modprobe cannot be run yet.
std::vector<std::string> modules_of_file_system(const std::string& type);

/// The module of the compressor that is chosen in a comp_algorithm of zram: "lzo [lzo-rle] lz4" -> "lzo_rle". Asked for
/// in the same way. Empty when none is.
std::string chosen_compressor(std::string_view comp_algorithm);

}  // namespace diskless
