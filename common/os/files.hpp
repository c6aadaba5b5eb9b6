// Files, directories and trees. Paths are absolute and used as they are; nothing here knows what is on NFS:
// who may touch NFS runs these calls in a killable child (processes.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

enum class FileKind { regular, directory, symlink, character_device, block_device, fifo, socket };

struct FileStatus {
    FileKind kind = FileKind::regular;
    std::uint32_t mode = 0;  // permission bits with set-id and sticky, no type
    std::uint32_t uid = 0, gid = 0;
    std::uint64_t size = 0;  // bytes
    std::uint64_t device = 0, inode = 0;
    std::int64_t modified = 0;  // seconds since 1970
    bool operator==(const FileStatus&) const = default;
};

enum class CopyWhat {
    node,         // the file or directory itself: mode, owner, times, xattrs; nothing beneath (rwtab "empty")
    directories,  // the tree of directories without files (rwtab "dirs")
    everything,   // all content: hard links within the tree, symlinks, devices, xattrs, times kept (rwtab "files", cp
                  // -a)
};

struct CopyResult {
    std::uint64_t files = 0;  // entries made, directories included
    std::uint64_t bytes = 0;  // file content copied
};

class Files {
  public:
    virtual ~Files() = default;

    /// Whole content, at most `limit` bytes (more is an error: EFBIG).
    virtual Result<std::string> read(const std::string& path, std::size_t limit = 1 << 20) const = 0;
    /// The first `bytes` of it, or all when it is shorter: for block devices.
    virtual Result<std::string> read_head(const std::string& path, std::size_t bytes) const {
        auto all = read(path, std::size_t{1} << 30);
        if (all && all->size() > bytes) all->resize(bytes);
        return all;
    }
    /// Writes into an existing or new file in place: for /proc, /sys and device nodes.
    virtual Result<> write(const std::string& path, std::string_view content) = 0;
    /// Old or new content, never half: temporary file beside it, fsync, rename. Mode is exact (umask is not applied).
    virtual Result<> replace(const std::string& path, std::string_view content, std::uint32_t mode = 0644) = 0;

    /// Status of the name itself; symlinks are not followed. Absent: error with code ENOENT.
    virtual Result<FileStatus> status(const std::string& path) const = 0;
    virtual Result<std::string> read_link(const std::string& path) const = 0;
    /// May this process write there, as far as the file system says (access(2) with W_OK)? NFS asks the server.
    virtual bool writable(const std::string& path) const = 0;
    /// Names in a directory, sorted, without "." and "..".
    virtual Result<std::vector<std::string>> list(const std::string& path) const = 0;

    /// Makes the directory and its missing parents; an existing directory is fine and keeps its mode.
    virtual Result<> make_directories(const std::string& path, std::uint32_t mode = 0755) = 0;
    virtual Result<> make_symlink(const std::string& target, const std::string& path) = 0;
    /// mknod(2) with exact mode.
    virtual Result<> make_device(const std::string& path, FileKind kind, unsigned major_number, unsigned minor_number,
                                 std::uint32_t mode) = 0;
    /// An empty regular file with exact mode; an existing one is left alone.
    virtual Result<> make_file(const std::string& path, std::uint32_t mode = 0644) = 0;
    virtual Result<> link(const std::string& existing, const std::string& path) = 0;
    virtual Result<> rename(const std::string& from, const std::string& to) = 0;
    virtual Result<> set_mode(const std::string& path, std::uint32_t mode) = 0;
    /// A file, symlink or empty directory; absent is fine.
    virtual Result<> remove(const std::string& path) = 0;
    /// A whole tree, never leaving its file system nor following symlinks; absent is fine.
    virtual Result<> remove_tree(const std::string& path) = 0;

    /// Copies `from` to `to` (which must not exist unless it is a directory for a directory), never following symlinks
    /// in either; parents of `to` must exist. Other file systems mounted below `from` are entered only when
    /// `cross_mounts`.
    virtual Result<CopyResult> copy(const std::string& from, const std::string& to, CopyWhat what,
                                    bool cross_mounts = false) = 0;

    bool exists(const std::string& path) const { return status(path).has_value(); }
    bool is_directory(const std::string& path) const {
        const auto found = status(path);
        return found && found->kind == FileKind::directory;
    }
};

/// "/a/b" + "/c" or "c" -> "/a/b/c"; an empty base gives "/c". Never resolves "..".
std::string join_path(std::string_view base, std::string_view rest);
/// "/a/b/c" -> "/a/b"; "/a" -> "/".
std::string parent_path(std::string_view path);
/// "/a/b/c" -> "c".
std::string base_name(std::string_view path);

}  // namespace diskless
