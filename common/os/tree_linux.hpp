// Whole trees on the running kernel: copied and removed by directory descriptors, so that nobody who swaps a directory
// for a symlink meanwhile leads us elsewhere.
#pragma once

#include <functional>
#include <string>

#include "common/os/files.hpp"

namespace diskless {

/// Calls back with every name but "." and ".." and its d_type (DT_UNKNOWN where the file system does not say) until
/// false is returned. False with errno when the directory cannot be read. The descriptor stays open.
bool for_each_name(int directory, const std::function<bool(const char* name, unsigned char type)>& call);

/// As Files::copy.
Result<CopyResult> copy_tree(const std::string& from, const std::string& to, CopyWhat what, bool cross_mounts);

/// Removes `name` in the directory and all beneath; a mount point in the tree is an error (EBUSY). `shown` is for
/// errors.
Result<> remove_tree_at(int directory, const std::string& name, const std::string& shown);

}  // namespace diskless
