// The cpio archive of an initramfs ("newc", Documentation/driver-api/early-userspace/buffer-format.rst), to the byte
// the same for the same entries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

enum class EntryKind { directory, file, symlink, character_device };

struct ImageEntry {
    std::string path;  // absolute
    EntryKind kind = EntryKind::file;
    std::uint32_t mode = 0644;
    std::string content;            // of a file; target of a symlink
    unsigned major = 0, minor = 0;  // of a device
};

/// The archive of entries in the order given, owner root, each with modification time `time` (seconds since 1970).
/// A directory must stand before what it holds: the kernel makes no parents.
Result<std::string> write_cpio(const std::vector<ImageEntry>& entries, std::int64_t time);

/// The entries of an image, compressed in any way or not at all; contents only of files.
Result<std::vector<ImageEntry>> read_cpio(std::string_view image);

/// One zstd frame as the kernel's decompressor wants it: no checksum, window of at most 8 MiB.
Result<std::string> compress(std::string_view bytes, int level);

}  // namespace diskless
