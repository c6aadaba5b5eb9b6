// A directory on the real disk that goes with its test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace diskless {

class TemporaryDirectory {
  public:
    explicit TemporaryDirectory(const std::string& parent = std::filesystem::temp_directory_path().string())
        : path(parent + "/diskless-test-XXXXXX") {
        EXPECT_NE(::mkdtemp(path.data()), nullptr);
    }
    /// In RAM where possible: for tests that flush a file system some hundred times.
    static TemporaryDirectory in_memory() {
        return TemporaryDirectory(::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code error;
        std::filesystem::remove_all(path, error);
        EXPECT_FALSE(error) << path << ": " << error.message();
    }

    std::string path;
};

}  // namespace diskless
