// A directory on the real disk that goes with its test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace diskless {

struct Directory {
    std::string path = (std::filesystem::temp_directory_path() / "diskless-test-XXXXXX").string();
    Directory() { EXPECT_NE(mkdtemp(path.data()), nullptr); }
    ~Directory() { std::filesystem::remove_all(path); }
};

}  // namespace diskless
