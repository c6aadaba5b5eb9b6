// A generation in one file, which nodes with root-mode "image" mount in place of the directory: what they read of it
// costs the server no look-up and no permission, and is compressed on the wire.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/os/files.hpp"

namespace diskless::server {

struct Packed {
    std::uint64_t bytes = 0;
    bool made = false;  // false: it was there
    /// The first path with a POSIX access list, which squashfs cannot keep: owner, group and mode alone decide there.
    std::string access_list;
};

/// Makes kPackedRoot of a generation, or of one that is being made; one that is there, and whole, stays, for nodes may
/// run from it. It has its name when it is on disk. Only root may read it: it holds all that the generation does.
Result<Packed> pack_generation(Files& files, const std::string& generation, bool quiet);

/// How mksquashfs(1) is called.
std::vector<std::string> pack_arguments(const std::string& generation, const std::string& to,
                                        const std::string& compressor, bool quiet);

/// The best that all kernels of a root can read, by their configurations in its boot/: zstd, else gzip.
std::string compressor_for(const Files& files, const std::string& root);

}  // namespace diskless::server
