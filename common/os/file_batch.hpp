// Many files replaced at once, as safe as one by one and without waiting for the disk at each.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/descriptor.hpp"

namespace diskless {

/// Each file is old or new, never half, also after a power cut: all are written beside their places, brought to the
/// disk by one syncfs(2) a file system, then renamed in the order in which they were staged. Until commit() nothing
/// has changed; what is not committed is taken away again.
class FileBatch {
  public:
    FileBatch() = default;
    FileBatch(const FileBatch&) = delete;
    FileBatch& operator=(const FileBatch&) = delete;
    ~FileBatch();

    /// The directory must exist. Mode is exact (umask is not applied).
    Result<> stage(const std::string& path, std::string_view content, std::uint32_t mode);
    Result<> stage_link(const std::string& path, const std::string& target);
    Result<> commit();

    /// Where a file waits; what a killed process has left there may be removed.
    static std::string staging_path(const std::string& path);

  private:
    Result<> remember_file_system(const std::string& directory);
    Result<> sync() const;

    std::vector<std::string> staged_;
    std::size_t renamed_ = 0;
    std::string last_directory_;
    std::map<std::uint64_t, Descriptor> file_systems_;  // by device number: a directory of each
};

}  // namespace diskless
