#include "server-helper/stage/scratch.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "common/os/files_linux.hpp"

namespace diskless::server {

namespace {
/// What bears it is removed unasked: no name that anybody would choose.
constexpr std::string_view kName = ".diskless-server-scratch.";
constexpr std::string_view kChosen = "XXXXXX";  // by mkdtemp

/// The directory with its lock; nothing when it is another's, in use or gone.
Descriptor lock(const std::string& path) {
    Descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {
    }, named{};
    if (!opened || ::fstat(opened.get(), &status) != 0 || status.st_uid != ::geteuid()) return {};
    if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) return {};
    // It may have been removed before it was locked.
    if (::lstat(path.c_str(), &named) != 0 || named.st_dev != status.st_dev || named.st_ino != status.st_ino) return {};
    return opened;
}

void sweep(const std::string& where) {
    std::error_code problem;
    std::filesystem::directory_iterator entry(where, problem);
    if (problem) return;
    for (const std::filesystem::directory_iterator end; !problem && entry != end; entry.increment(problem)) {
        const auto name = entry->path().filename().string();
        if (!name.starts_with(kName) || name.size() != kName.size() + kChosen.size()) continue;
        if (const auto locked = lock(entry->path().string())) (void)LinuxFiles().remove_tree(entry->path().string());
    }
}
}  // namespace

Result<Scratch> Scratch::make(std::string where) {
    if (where.empty()) {
        const char* named = ::getenv("TMPDIR");
        where = named != nullptr && *named == '/' ? named : "/tmp";
    }
    sweep(where);
    // Another process may sweep between the making and the lock.
    for (int attempt = 0; attempt < 10; ++attempt) {
        auto path = join_path(where, fmt::format("{}{}", kName, kChosen));
        if (!::mkdtemp(path.data()))
            return fail_errno("mkdtemp " + path, errno, errno == ENOSPC ? "make room on that file system" : "");
        if (auto locked = lock(path)) return Scratch(std::move(path), std::move(locked));
    }
    return fail("make a directory in " + where + ": another process removes it each time");
}

Scratch::~Scratch() {
    if (lock_) (void)LinuxFiles().remove_tree(path_);
}

}  // namespace diskless::server
