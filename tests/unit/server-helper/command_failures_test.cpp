// Failures as people see them.
#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

using testing::HasSubstr;

using CommandFailures = TreeTest;

TEST_F(CommandFailures, OthersThanRootAreToldToBeRoot) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be somebody else";
    write("nodes.toml", "[node.n1]\n");
    std::filesystem::create_directory(path("snapshots"));
    std::filesystem::permissions(path("snapshots"), std::filesystem::perms::owner_all);
    std::filesystem::permissions(base, std::filesystem::perms(0755));
    ASSERT_EQ(::seteuid(65534), 0);
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{{"node", "set", "n1", "console=tty1"},
                                               {"image", "gc"},
                                               {"status"},
                                               {"simulate", "n1"},
                                               {"snapshot", "status"},
                                               {"snapshot", "diff", "n1"},
                                               {"snapshot", "archive", "n1"},
                                               {"snapshot", "prepare"},
                                               {"boot", "apply"}}) {
        EXPECT_EQ(run(command), kFailed) << command[0];
        EXPECT_THAT(err, HasSubstr("Permission denied\n  run it as root\n")) << command[0];
    }
    EXPECT_EQ(::seteuid(0), 0);
}

TEST_F(CommandFailures, WhatIsNotThereIsToldWithARemedy) {
    write("nodes.toml", "[node.n1]\n");
    write("snapshots/n1/etc/hostname", "n1\n");
    EXPECT_EQ(run({"snapshot", "rename", "nox", "noy"}), kFailed);
    EXPECT_THAT(err, HasSubstr("No such file or directory\n  see: diskless-server snapshot status"));
    EXPECT_EQ(run({"snapshot", "archive", "--out", "/nonexist/x.tar.zst", "n1"}), kFailed);
    EXPECT_THAT(err, HasSubstr("make that directory, or name another by --out"));
}

TEST_F(CommandFailures, ASnapshotThatIsNoDirectoryCanBeTakenAway) {
    write("nodes.toml", "[node.n1]\n[node.n2]\n");
    write("elsewhere/file", "stays");
    std::filesystem::create_directory(path("snapshots"));
    std::filesystem::create_symlink(path("elsewhere"), path("snapshots/n1"));
    write("snapshots/n2", "a file");
    EXPECT_EQ(run({"snapshot", "status"}), kFailed);
    EXPECT_THAT(out, HasSubstr("n1: snapshot n1 is a symlink\nn2: snapshot n2 is no directory\n"));
    EXPECT_THAT(err, HasSubstr("take it away: diskless-server snapshot remove n[1-2]\n"));
    EXPECT_EQ(run({"snapshot", "reset", "n[1-2]"}), kFailed);
    EXPECT_THAT(err, HasSubstr("snapshots/n1 is a symlink\n  take it away: diskless-server snapshot remove n1\n"));
    ASSERT_EQ(run({"snapshot", "remove", "n[1-2]"}), kDone) << err;
    EXPECT_THAT(out, HasSubstr("removed " + path("snapshots/n1") + "\n"));
    EXPECT_FALSE(exists("snapshots/n1") || exists("snapshots/n2"));
    EXPECT_TRUE(exists("elsewhere/file"));
    EXPECT_EQ(run({"snapshot", "reset", "n[1-2]"}), kDone) << err;
}

TEST_F(CommandFailures, ASnapshotOutlivesItsNodeAndCanBeRemoved) {
    write("nodes.toml", "[node.n1]\n[node.n2]\n[node.n9]\nsnapshot = \"n5\"\n");
    for (const char* name : {"n1", "n2", "n5"}) write("snapshots/" + std::string(name) + "/etc/hostname", name);
    ASSERT_EQ(run({"node", "remove", "n[1-2]"}), kDone) << err;
    ASSERT_EQ(run({"snapshot", "status", "n[1-2]"}), kDone) << err;
    EXPECT_THAT(out, HasSubstr("n2: 1 file,"));
    ASSERT_EQ(run({"snapshot", "archive", "--out", path("n1.tar.zst"), "n1"}), kDone) << err;
    EXPECT_EQ(run({"snapshot", "remove", "n[1-3]"}), kFailed);
    EXPECT_THAT(err, HasSubstr("there is no node \"n3\""));
    EXPECT_TRUE(exists("snapshots/n1"));
    EXPECT_EQ(run({"snapshot", "remove", "n5"}), kFailed);
    EXPECT_THAT(err, HasSubstr("of a node in the list"));
    EXPECT_TRUE(exists("snapshots/n5"));
    EXPECT_EQ(run({"snapshot", "prepare", "n1"}), kFailed) << "none is made for it";
    ASSERT_EQ(run({"snapshot", "remove", "n[1-2]"}), kDone) << err;
    EXPECT_FALSE(exists("snapshots/n1") || exists("snapshots/n2"));
    EXPECT_TRUE(exists("snapshots/n5"));
    for (const char* name : {"../images", ".", "..", ".prepare", "n1/etc"}) {
        EXPECT_NE(run({"snapshot", "remove", name}), kDone) << name;
        EXPECT_TRUE(exists("images")) << name;
    }
}

}  // namespace
}  // namespace diskless::server
