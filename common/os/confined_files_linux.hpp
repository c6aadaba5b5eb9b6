// Files below a directory whose content is not trusted: no symlink below it is ever followed.
#pragma once

#include <functional>
#include <string>

#include "common/os/descriptor.hpp"
#include "common/os/files_linux.hpp"

namespace diskless {

/// openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; `path` is relative. An empty descriptor with errno: ELOOP
/// for a symlink on the way or at its end, EXDEV for a "..".
Descriptor open_beneath(int directory, const std::string& path, int flags, unsigned mode = 0);

/// Paths at or below `top` are resolved by the kernel without following any symlink, even one that somebody swaps in
/// meanwhile; whatever is not a regular file is not opened. Other paths are used as they are. Needs /proc.
class ConfinedFiles : public LinuxFiles {
  public:
    /// `top` itself is trusted: an existing directory of the administrator's.
    static Result<ConfinedFiles> open(const std::string& top);

    int top() const { return directory_.get(); }

    Result<std::string> read(const std::string& path, std::size_t limit = 1 << 20) const override;
    Result<> write(const std::string& path, std::string_view content) override;
    Result<> replace(const std::string& path, std::string_view content, std::uint32_t mode = 0644) override;
    bool writable(const std::string& path) const override;
    Result<FileStatus> status(const std::string& path) const override;
    Result<std::string> read_link(const std::string& path) const override;
    Result<std::vector<std::string>> list(const std::string& path) const override;
    Result<> make_directories(const std::string& path, std::uint32_t mode = 0755) override;
    Result<> make_symlink(const std::string& target, const std::string& path) override;
    Result<> make_device(const std::string& path, FileKind kind, unsigned major_number, unsigned minor_number,
                         std::uint32_t mode) override;
    Result<> make_file(const std::string& path, std::uint32_t mode = 0644) override;
    Result<> link(const std::string& existing, const std::string& path) override;
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<> set_mode(const std::string& path, std::uint32_t mode) override;
    Result<> remove(const std::string& path) override;
    Result<> remove_tree(const std::string& path) override;
    Result<CopyResult> copy(const std::string& from, const std::string& to, CopyWhat what,
                            bool cross_mounts = false) override;

  private:
    ConfinedFiles(std::string top, Descriptor directory) : top_(std::move(top)), directory_(std::move(directory)) {}

    /// A path below top as the kernel may safely be given it: the open parent directory under /proc, and the name.
    struct Held {
        Descriptor parent;
        std::string path;   // "/proc/self/fd/7/name"; of other paths the path itself
        std::string shown;  // as the caller named it
    };
    Result<Held> hold(const std::string& path) const;
    /// The file or directory itself, opened; for calls that would follow a symlink at the end.
    Result<Held> hold_itself(const std::string& path, mode_t wanted_type) const;
    /// "var/log" of "<top>/var/log"; "." of top; nothing of a path that is not below top.
    bool relative(const std::string& path, std::string& rest) const;

    std::string top_;
    Descriptor directory_;
};

}  // namespace diskless
