// A generation in one file, which nodes with root-mode "image" mount in place of the directory: what they read of it
// costs the server no look-up and no permission, and is compressed on the wire.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/os/files.hpp"

namespace diskless::server {

/// Makes kPackedRoot of a generation, or of one that is being made; one that is there stays, for nodes may run from it.
/// Its size in bytes. Only root may read it: it holds all that the generation does.
Result<std::uint64_t> pack_generation(Files& files, const std::string& generation, bool quiet);

/// How mksquashfs(1) is called.
std::vector<std::string> pack_arguments(const std::string& generation, const std::string& to,
                                        const std::string& compressor, bool quiet);

/// The best that all kernels of a root can read, by their configurations in its boot/: zstd, else gzip.
std::string compressor_for(const Files& files, const std::string& root);

}  // namespace diskless::server
