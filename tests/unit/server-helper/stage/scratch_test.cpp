#include "server-helper/stage/scratch.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>

#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

namespace fs = std::filesystem;

using ScratchTest = TreeTest;

TEST_F(ScratchTest, GoesWithItsContent) {
    std::string path;
    {
        const auto scratch = Scratch::make(base);
        ASSERT_TRUE(scratch) << scratch.error().cause;
        path = scratch->path();
        fs::create_directories(path + "/deep/er");
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(ScratchTest, TakesAwayWhatAKilledProcessLeftAndNothingElse) {
    write(".diskless-server-scratch.AbCdEf/fat", "of a killed one");
    write(".diskless-server-scratch.AbCdEfG/fat", "no name of ours");
    write("diskless-server.backup/file", "the administrator's");
    const auto used = Scratch::make(base);
    ASSERT_TRUE(used);
    EXPECT_FALSE(exists(".diskless-server-scratch.AbCdEf"));
    const auto other = Scratch::make(base);
    ASSERT_TRUE(other);
    EXPECT_TRUE(fs::exists(used->path())) << "it is in use";
    EXPECT_TRUE(exists(".diskless-server-scratch.AbCdEfG/fat"));
    EXPECT_TRUE(exists("diskless-server.backup/file"));
}

TEST_F(ScratchTest, LiesInTmpdir) {
    ::setenv("TMPDIR", base.c_str(), 1);
    const auto scratch = Scratch::make();
    ::unsetenv("TMPDIR");
    ASSERT_TRUE(scratch);
    EXPECT_EQ(fs::path(scratch->path()).parent_path(), base);
}

}  // namespace
}  // namespace diskless::server
