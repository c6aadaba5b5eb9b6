// Whether a device may be overwritten.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

/// What the kernel tells of a block device.
struct StickDevice {
    std::string path;               // "/dev/sdb"
    std::string disk;               // of a partition: the whole device's name, "sdb"; else empty
    std::uint64_t size = 0;         // bytes
    bool removable = false;         // sysfs: removable
    bool read_only = false;         // sysfs: ro
    std::vector<std::string> uses;  // "/dev/sdb1 is mounted on /media/stick", "/dev/sdb2 is swap"
};

/// Reads sysfs, /proc/self/mountinfo and /proc/swaps. Errors: absent, no block device.
Result<StickDevice> look_at_device(const std::string& path);

/// The same from texts and a directory that stand for the kernel's: `number` is "8:16".
Result<StickDevice> describe_device(const std::string& path, const std::string& number, const std::string& sysfs,
                                    std::string_view mountinfo, std::string_view swaps);

/// A device that is used, is a part of another, read-only or too small is refused whatever is said; one that does not
/// say that it is removable only without `force`.
Result<> check_device(const StickDevice& device, std::uint64_t needed, bool force);

/// Writes the file over the device, the first sector last, and reads it back. The kernel refuses when it is in use.
Result<> write_device(const std::string& image, const std::string& device,
                      const std::function<void(std::uint64_t done, std::uint64_t all)>& progress);

}  // namespace diskless::server
