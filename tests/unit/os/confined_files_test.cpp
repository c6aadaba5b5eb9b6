#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "common/os/confined_files_linux.hpp"
#include "tests/fakes/temporary_directory.hpp"

namespace diskless {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class ConfinedFilesTest : public ::testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(top_ + "/in/dir");
        fs::create_directories(top_ + "/out");
        std::ofstream(top_ + "/out/secret") << "secret";
        std::ofstream(top_ + "/in/dir/file") << "own";
        fs::create_symlink("../out", top_ + "/in/link");
        fs::create_symlink("../out/secret", top_ + "/in/file-link");
        fs::create_symlink("dir", top_ + "/in/inner-link");
    }
    std::string in(const std::string& path) const { return top_ + "/in/" + path; }
    ConfinedFiles files() const { return std::move(*ConfinedFiles::open(top_ + "/in")); }
    std::string secret() const {
        std::ifstream file(top_ + "/out/secret");
        return {std::istreambuf_iterator<char>(file), {}};
    }

    const TemporaryDirectory directory_;
    const std::string top_ = directory_.path;
};

TEST_F(ConfinedFilesTest, WorksOnPlainPathsLikeAnyOther) {
    auto confined = files();
    EXPECT_EQ(confined.read(in("dir/file")).value_or(""), "own");
    EXPECT_TRUE(confined.replace(in("dir/file"), "new", 0640));
    EXPECT_EQ(confined.status(in("dir/file"))->mode, 0640U);
    EXPECT_TRUE(confined.make_directories(in("a/b/c")));
    EXPECT_TRUE(confined.make_file(in("a/b/c/d")));
    EXPECT_TRUE(confined.rename(in("a/b"), in("e")));
    EXPECT_TRUE(confined.exists(in("e/c/d")));
    EXPECT_TRUE(confined.copy(top_ + "/out", in("copied"), CopyWhat::everything));
    EXPECT_EQ(confined.read(in("copied/secret")).value_or(""), "secret");
    EXPECT_EQ(confined.list(in("copied"))->size(), 1U);
    EXPECT_TRUE(confined.remove_tree(in("copied")));
    EXPECT_TRUE(confined.remove_tree(in("never/was")));
    EXPECT_EQ(confined.read(top_ + "/out/secret").value_or(""), "secret") << "other paths are used as they are";
}

TEST_F(ConfinedFilesTest, NoCallFollowsASymlink) {
    auto confined = files();
    for (const auto& path : {in("link/secret"), in("file-link"), in("inner-link/file"), in("../out/secret")}) {
        EXPECT_FALSE(confined.read(path)) << path;
        EXPECT_FALSE(confined.write(path, "x")) << path;
        EXPECT_FALSE(confined.writable(path)) << path;
        EXPECT_FALSE(confined.set_mode(path, 0)) << path;
    }
    for (const auto& path : {in("link/new"), in("../out/new"), in("inner-link/new")}) {
        EXPECT_FALSE(confined.replace(path, "x")) << path;
        EXPECT_FALSE(confined.make_file(path)) << path;
        EXPECT_FALSE(confined.make_directories(path)) << path;
        EXPECT_FALSE(confined.make_symlink("x", path)) << path;
        EXPECT_FALSE(confined.rename(in("dir/file"), path)) << path;
        EXPECT_FALSE(confined.copy(in("dir"), path, CopyWhat::everything)) << path;
        EXPECT_FALSE(confined.link(in("dir/file"), path)) << path;
    }
    EXPECT_FALSE(confined.list(in("link")));
    EXPECT_FALSE(confined.make_directories(in("link")));
    EXPECT_FALSE(confined.remove(in("link/secret")));
    EXPECT_FALSE(confined.remove_tree(in("link/secret")));
    EXPECT_EQ(secret(), "secret");
    EXPECT_EQ(std::distance(fs::directory_iterator(top_ + "/out"), {}), 1);
    EXPECT_TRUE(confined.replace(in("file-link"), "mine")) << "the link itself is replaced";
    EXPECT_EQ(secret(), "secret");
    EXPECT_EQ(fs::status(in("file-link")).type(), fs::file_type::regular);
}

TEST_F(ConfinedFilesTest, WhatIsNoPlainFileIsNotOpened) {
    ASSERT_EQ(::mkfifo(in("fifo").c_str(), 0644), 0);
    EXPECT_FALSE(files().read(in("fifo")));
    EXPECT_FALSE(files().read(in("dir")));
}

TEST_F(ConfinedFilesTest, ErrorsNameThePathAsItWasGiven) {
    const auto error = files().status(in("dir/absent")).error();
    EXPECT_EQ(error.code, ENOENT);
    EXPECT_THAT(error.cause, HasSubstr(in("dir/absent")));
    EXPECT_THAT(error.cause, Not(HasSubstr("/proc")));
}

}  // namespace
}  // namespace diskless
