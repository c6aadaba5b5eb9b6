// Files on the running kernel.
#pragma once

#include "common/os/files.hpp"

namespace diskless {

class LinuxFiles : public Files {
  public:
    Result<std::string> read(const std::string& path, std::size_t limit = 1 << 20) const override;
    Result<std::string> read_head(const std::string& path, std::size_t bytes) const override;
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
};

}  // namespace diskless
