#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/os/file_batch.hpp"
#include "common/os/files.hpp"

namespace diskless {

namespace {
Failure failed(std::string_view call, const std::string& path, int code = errno) {
    return fail_errno(fmt::format("{} {}", call, path), code);
}
}  // namespace

FileBatch::~FileBatch() {
    for (auto at = renamed_; at < staged_.size(); ++at) ::unlink(staging_path(staged_[at]).c_str());
}

std::string FileBatch::staging_path(const std::string& path) {
    return join_path(parent_path(path), "." + base_name(path) + ".diskless-new");
}

Result<> FileBatch::remember_file_system(const std::string& directory) {
    if (directory == last_directory_) return {};
    Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat found {};
    if (!opened || ::fstat(opened.get(), &found) != 0) return failed("open directory", directory);
    file_systems_.try_emplace(found.st_dev, std::move(opened));
    last_directory_ = directory;
    return {};
}

Result<> FileBatch::stage(const std::string& path, std::string_view content, std::uint32_t mode) {
    TRY(remember_file_system(parent_path(path)));
    const auto temporary = staging_path(path);
    ::unlink(temporary.c_str());  // of a process that was killed
    Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return failed("create", temporary);
    staged_.push_back(path);
    if (!write_all(file.get(), content.data(), content.size()) || ::fchmod(file.get(), mode) != 0 || !file.close())
        return failed("write", temporary);
    return {};
}

Result<> FileBatch::stage_link(const std::string& path, const std::string& target) {
    TRY(remember_file_system(parent_path(path)));
    const auto temporary = staging_path(path);
    ::unlink(temporary.c_str());
    if (::symlink(target.c_str(), temporary.c_str()) != 0) return failed("symlink", temporary);
    staged_.push_back(path);
    return {};
}

Result<> FileBatch::sync() const {
    for (const auto& [device, directory] : file_systems_)
        if (::syncfs(directory.get()) != 0) return fail_errno("syncfs");
    return {};
}

Result<> FileBatch::commit() {
    if (renamed_ == staged_.size()) return {};
    TRY(sync());
    for (; renamed_ < staged_.size(); ++renamed_) {
        const auto& path = staged_[renamed_];
        if (::rename(staging_path(path).c_str(), path.c_str()) != 0) return failed("rename to", path);
    }
    return sync();  // the new names survive a power cut, too
}

}  // namespace diskless
