// One file of a tree put at another place as cheaply as the file systems allow.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "common/os/files.hpp"

namespace diskless {

/// A file as a machine sees it whose root is `root`: symlinks on the way lead within it, also such as somebody swaps
/// in meanwhile (openat2 with RESOLVE_IN_ROOT, Linux 5.6). The files of this machine have root "/".
struct FileInRoot {
    std::string root, path;
};

/// Status of the file that the path leads to. Absent: error with code ENOENT.
Result<FileStatus> status_in_root(const FileInRoot& file);

/// The first bytes of a regular file, at most `limit`.
Result<std::string> read_start_in_root(const FileInRoot& file, std::size_t limit);

enum class Placed { linked, copied };

/// Makes `to` (mode 0644, times of the source) hold what the regular file holds: old or new, never half, on disk when
/// it returns. With `may_link` it is a hard link where the file system is the same and everybody may read the source:
/// neither is then ever to be changed in place. Else a copy that shares its blocks where the file system can.
Result<Placed> place_file(const FileInRoot& from, const std::string& to, bool may_link);

}  // namespace diskless
