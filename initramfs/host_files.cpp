#include "initramfs/host_files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

namespace diskless {

namespace {
Result<> write_and_sync(int file, const std::string& path, std::string_view content, unsigned mode) {
    while (!content.empty()) {
        const auto written = write(file, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
            return fail_errno("write " + path, errno,
                              errno == ENOSPC ? "make room on that file system; the old file is still there" : "");
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (fchmod(file, mode) != 0) return fail_errno("set the mode of " + path);
    if (fsync(file) != 0) return fail_errno("write " + path);
    return {};
}
}  // namespace

std::int64_t changed_at(const std::string& path) {
    std::error_code problem;
    const auto time = std::filesystem::last_write_time(path, problem);
    if (problem) return 0;
    const auto system = std::chrono::file_clock::to_sys(time);
    return std::chrono::duration_cast<std::chrono::seconds>(system.time_since_epoch()).count();
}

Result<std::string> read_input_file(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return fail_errno("open " + path);
    std::string content;
    char block[1 << 16];
    for (;;) {
        const auto got = read(file, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            const int problem = errno;
            close(file);
            if (got < 0) return fail_errno("read " + path, problem);
            return content;
        }
        content.append(block, static_cast<std::size_t>(got));
    }
}

Result<> write_output_file(const std::string& path, std::string_view content, unsigned mode) {
    std::string temporary = path + ".new-XXXXXX";
    const int file = mkostemp(temporary.data(), O_CLOEXEC);
    if (file < 0) return fail_errno("create a file beside " + path, errno, "is the directory there and writable?");
    auto done = write_and_sync(file, path, content, mode);
    close(file);
    if (done && std::rename(temporary.c_str(), path.c_str()) != 0) done = fail_errno("put the new file at " + path);
    if (!done) {
        unlink(temporary.c_str());
        return done;
    }
    const auto parent = std::filesystem::absolute(path).parent_path();
    const int directory = open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        fsync(directory);
        close(directory);
    }
    return {};
}

}  // namespace diskless
