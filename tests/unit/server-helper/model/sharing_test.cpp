// Two nodes that would destroy each other's files.
#include <gmock/gmock.h>

#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SharingTest : public TreeTest {
  protected:
    SharingTest() { write("images/debian/20260101-000000/etc/hostname", ""); }
    void nodes(const std::string& of_first, const std::string& of_second) {
        write("nodes.toml", "[node.n1]\nip = \"10.8.0.11\"\n" + of_first + "[node.n2]\nip = \"10.8.0.12\"\n" +
                                of_second + "[node.n3]\nip = \"10.8.0.13\"\n");
    }
    /// boot apply does nothing, and it and check say so.
    void expect_refused(const std::string& cause, const std::string& remedy, const std::string& rule) {
        EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kFailed);
        EXPECT_THAT(err, AllOf(HasSubstr(cause), HasSubstr(remedy)));
        EXPECT_FALSE(exists("boot/etc/exports"));
        EXPECT_EQ(run({"boot", "apply", "--no-stage", "--only", "pxelinux"}), kFailed);
        EXPECT_EQ(run({"check"}), kFailed);
        EXPECT_THAT(out, AllOf(HasSubstr(cause), HasSubstr("[" + rule + "]"), Not(HasSubstr("not-exportable"))));
    }
};

TEST_F(SharingTest, OneSnapshotForTwoIsWarnedOfAndNotServed) {
    nodes("", "");
    ASSERT_EQ(run({"snapshot", "prepare"}), kDone) << err;
    write("snapshots/n2/root/data", "n2's");
    ASSERT_EQ(run({"node", "set", "n1", "snapshot=n2"}), kDone);
    EXPECT_THAT(err,
                AllOf(HasSubstr("warning: nodes n[1-2] have one snapshot, n2"), HasSubstr("node set n1 snapshot=")));
    expect_refused("nodes n[1-2] have one snapshot, n2", "diskless-server node set n1 snapshot=", "shared-snapshot");
    EXPECT_EQ(run({"snapshot", "reset", "n1"}), kFailed);
    EXPECT_THAT(err, AllOf(HasSubstr("n1: nodes n[1-2] have one snapshot"), HasSubstr("node set n1 snapshot=")));
    EXPECT_EQ(run({"snapshot", "remove", "n1"}), kFailed);
    EXPECT_EQ(read("snapshots/n2/root/data"), "n2's");
    std::filesystem::remove_all(path("snapshots/n3"));
    EXPECT_EQ(run({"snapshot", "prepare"}), kFailed);
    EXPECT_THAT(err, HasSubstr("n[1-2]: nodes n[1-2] have one snapshot")) << "told once";
    EXPECT_TRUE(exists("snapshots/n3")) << "the others go on";
    ASSERT_EQ(run({"node", "set", "n1", "snapshot="}), kDone);
    EXPECT_THAT(err, Not(HasSubstr("snapshot")));
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
    EXPECT_EQ(run({"snapshot", "reset", "n1"}), kDone) << err;
}

TEST_F(SharingTest, ANodeWhoseImageIsGoneKeepsItsSnapshot) {
    nodes("", "image = \"gone\"\nsnapshot = \"n1\"\n");
    EXPECT_EQ(run({"snapshot", "reset", "n1"}), kFailed);
    EXPECT_THAT(err, HasSubstr("nodes n[1-2] have one snapshot, n1"));
}

TEST_F(SharingTest, OneSnapshotForAGroupIsToBeTakenOutOfIt) {
    write("cluster.toml", read("cluster.toml") + "snapshot = \"one\"\n");
    nodes("", "");
    expect_refused("nodes n[1-3] have one snapshot, one", "take the setting snapshot out of cluster.toml",
                   "shared-snapshot");
}

TEST_F(SharingTest, AnOwnRootIsOneNodesToWrite) {
    const auto setting = "own-root = \"" + path("roots/x") + "\"\n";
    nodes(setting, setting);
    expect_refused("is the own-root of n[1-2]", "node set 'n[1-2]' own-root=/srv/roots/{node}", "shared-root-rw");
    EXPECT_EQ(run({"snapshot", "prepare"}), kFailed);
    EXPECT_FALSE(exists("roots/x"));
    EXPECT_TRUE(exists("snapshots/n3"));
    nodes(setting + "root-mode = \"ro\"\n", setting + "root-mode = \"overlay\"\n");
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
    EXPECT_THAT(read("boot/etc/exports"), HasSubstr("/roots/x 10.8.0.0/16(ro"));
}

TEST_F(SharingTest, AGenerationThatOthersBootIsNoNodesToWrite) {
    nodes("root-mode = \"rw\"\n", "");
    expect_refused("node n1 has root-mode rw, but 3 nodes boot " + path("images/debian/20260101-000000"),
                   "node set n1 own-root=/srv/roots/{node}", "shared-root-rw");
    EXPECT_EQ(run({"node", "set", "n2", "root-mode=rw"}), kDone);
    EXPECT_THAT(err, HasSubstr("warning: nodes n[1-2] have root-mode rw, but 3 nodes boot"));
    EXPECT_EQ(run({"node", "set", "n[1-2]", "own-root=" + path("roots/{node}"), "root-mode="}), kDone);
    EXPECT_THAT(err, Not(HasSubstr("warning")));
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
}

}  // namespace
}  // namespace diskless::server
