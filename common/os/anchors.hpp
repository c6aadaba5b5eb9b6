// Paths below /run, /dev, /proc and /sys that do not lead through the root.
//
// A path look-up asks the file system of each directory on the way whether its name is still there: NFS asks its server,
// and "/run/x" begins in the root. A process that must go on when the root's server is gone opens the four directories
// once; from then on what is below them is looked up from there.
#pragma once

#include <string>

namespace diskless {

/// Opens them, or opens them anew where something was mounted over one since. One that is not there keeps its way
/// through the root. The descriptors are closed by execve(2), and children have them, too.
void anchor_api_directories() noexcept;

/// A path as openat(2) and its relatives take it. Refers to `absolute`, which must outlive it.
struct At {
    explicit At(const char* absolute) noexcept;
    explicit At(const std::string& absolute) noexcept : At(absolute.c_str()) {}

    int directory;     // an anchor, or AT_FDCWD
    const char* path;  // from there on
};

}  // namespace diskless
