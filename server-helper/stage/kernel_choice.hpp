// Which kernel of a root its nodes boot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

struct RootKernel {
    std::string release;  // as the directory below lib/modules is called
    std::string path;     // below the root: "boot/vmlinuz-6.1.0-31-amd64"
    bool has_modules = false;
};

/// The release in the header of an x86 kernel image (Documentation/arch/x86/boot.rst, kernel_version); empty when there
/// is none. `start` is the beginning of the file, 80 kB are enough.
std::string release_of_kernel_image(std::string_view start);

/// The kernels of a root: boot/vmlinuz* but rescue images, lib/modules/*/vmlinuz. Oldest first, each release once;
/// those that have modules come after those that have none.
std::vector<RootKernel> kernels_of_root(const std::string& root);

/// The kernel of this release, or the last of the list when `release` is empty.
Result<RootKernel> choose_kernel(const std::vector<RootKernel>& kernels, const std::string& release);

}  // namespace diskless::server
