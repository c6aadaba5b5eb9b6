#include "server-helper/snapshot/own_root.hpp"

#include <gtest/gtest.h>

#include "common/os/files_linux.hpp"
#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

class OwnRoot : public TreeTest {
  protected:
    OwnRoot() {
        write("images/tl8/1/.diskless-generation", "GENERATION=1\n");
        write("images/tl8/1/etc/hostname", "g6host26\n");
        write("images/tl8/1/etc/mtab", "/dev/hda5 / ext2 rw 0 0\n");
        write("images/tl8/1/etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=g6host26\nIPX=no\n");
    }
    Result<bool> make() { return make_own_root(files, path("images/tl8/1"), path("clients/g6host33"), "g6host33"); }
    LinuxFiles files;
};

TEST_F(OwnRoot, IsTheImageUnderTheNodesName) {
    ASSERT_TRUE(make().value_or(false));
    EXPECT_EQ(read("clients/g6host33/etc/hostname"), "g6host33\n");
    EXPECT_EQ(read("clients/g6host33/etc/sysconfig/network"), "NETWORKING=yes\nHOSTNAME=g6host33\nIPX=no\n");
    EXPECT_FALSE(exists("clients/g6host33/etc/mtab")) << "it tells of another machine's mounts";
    EXPECT_FALSE(exists("clients/g6host33/.diskless-generation")) << "it is no generation any more";
    EXPECT_EQ(read("images/tl8/1/etc/hostname"), "g6host26\n") << "no hard links into the image";
}

TEST_F(OwnRoot, OneThatIsThereIsTheNodes) {
    write("clients/g6host33/etc/hostname", "mine\n");
    EXPECT_FALSE(make().value_or(true));
    EXPECT_EQ(read("clients/g6host33/etc/hostname"), "mine\n");
}

TEST_F(OwnRoot, WhatAnInterruptedRunHasLeftIsNoRoot) {
    write("clients/.g6host33.partial/etc/half", "");
    ASSERT_TRUE(make().value_or(false));
    EXPECT_FALSE(exists("clients/g6host33/etc/half"));
    EXPECT_FALSE(exists("clients/.g6host33.partial"));
}

TEST_F(OwnRoot, ALinkOutOfTheImageIsNotFollowed) {
    std::filesystem::remove_all(path("images/tl8/1/etc"));
    write("outside/hostname", "server\n");
    std::filesystem::create_directory_symlink(path("outside"), path("images/tl8/1/etc"));
    EXPECT_FALSE(make());
    EXPECT_EQ(read("outside/hostname"), "server\n");
    EXPECT_FALSE(exists("clients/g6host33"));
    EXPECT_FALSE(exists("clients/.g6host33.partial")) << "half a root only takes room";
}

TEST_F(OwnRoot, AFileInItsPlaceIsRefused) {
    write("clients/g6host33", "");
    EXPECT_FALSE(make());
}

TEST(WithHostname, IsSaidOnceAndAddedWhereItIsAbsent) {
    EXPECT_EQ(with_hostname("HOSTNAME=a\nX=1\nHOSTNAME=b\n", "n"), "HOSTNAME=n\nX=1\n");
    EXPECT_EQ(with_hostname("X=1", "n"), "X=1\nHOSTNAME=n\n");
}

}  // namespace
}  // namespace diskless::server
