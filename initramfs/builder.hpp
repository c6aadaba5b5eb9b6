// Builds the initramfs of a diskless node: the node program as /init, the modules it may need, the manifest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/image/manifest.hpp"
#include "initramfs/cpio.hpp"

namespace diskless {

enum class DriverChoice { common, host, listed };

struct AddedFile {
    std::string source;  // on this machine
    std::string target;  // in the image, absolute
};

struct BuildRequest {
    std::string kernel;      // release, as the directory below lib/modules is called
    std::string root = "/";  // has lib/modules, lib/firmware, modprobe.d
    std::string program;     // the static node program
    std::string shell;       // static busybox for the emergency shell; empty: none
    DriverChoice drivers = DriverChoice::common;
    std::vector<std::string> modules;  // for `listed`: in place of the common ones
    std::string sysfs = "/sys";        // for `host`
    bool strip = false;                // smaller modules without signature: see strip_module
    bool firmware = false;             // what the modules may ask for
    bool image_root = false;           // what mounts a root that is one file: see image_root_modules
    std::vector<AddedFile> files;
    std::string parameters;             // default kernel parameters
    std::optional<std::int64_t> built;  // seconds since 1970; nothing: time of the newest input
    int level = 22;                     // of zstd, 1 to 22
};

struct BuildResult {
    std::string image;  // compressed
    Manifest manifest;
    std::vector<ImageEntry> entries;  // as they are in the image
    std::uint64_t unpacked = 0;       // bytes of the cpio archive
    std::vector<std::string> warnings;
};

/// The same request on the same files gives the same bytes. Errors name the file or module and say what to do.
Result<BuildResult> build_image(const BuildRequest& request);

/// Bytes of the entries by kind: what takes the room. In the order of the image.
struct PartSize {
    std::string part;  // "program", "modules", "shell", "firmware", "other"
    std::uint64_t files = 0, bytes = 0;
};
std::vector<PartSize> part_sizes(const std::vector<ImageEntry>& entries);

}  // namespace diskless
