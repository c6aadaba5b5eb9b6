// What check finds in a tree and its node list that boot apply would not stop at.
#include <gmock/gmock.h>

#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CheckTree : public TreeTest {
  protected:
    void nodes(const std::string& of_first, const std::string& of_second) {
        write("nodes.toml", "[node.n1]\nip = \"10.8.0.11\"\n" + of_first + "[node.n2]\nip = \"10.8.0.12\"\n" +
                                of_second + "[node.n3]\nip = \"10.8.0.13\"\n");
    }
    const std::string& findings() {
        EXPECT_EQ(run({"check"}), kFailed) << err;
        return out;
    }
};

TEST_F(CheckTree, AnImageThatIsToBePackedAndIsNot) {
    const std::string mode = "root-mode = \"image\"\n";
    nodes(mode, mode);
    EXPECT_THAT(findings(), HasSubstr(path("images/debian/20260101-000000") +
                                      " is not packed, though root-mode of n[1-2] is image [not-packed]\n  "
                                      "diskless-server image pack debian\n"));
    write("images/debian/20260101-000000/.diskless-root.squashfs", "hsqs");
    EXPECT_THAT(findings(), Not(HasSubstr("not-packed")));
    generation("debian", "20260202-000000");
    nodes(mode + "generation = \"20260101-000000\"\n", "");
    EXPECT_THAT(findings(), Not(HasSubstr("not-packed")));
    std::filesystem::remove(path("images/debian/20260101-000000/.diskless-root.squashfs"));
    EXPECT_THAT(findings(), HasSubstr("image pack debian 20260101-000000\n"));
}

TEST_F(CheckTree, OverlaysOfNobody) {
    write("cluster.toml", read("cluster.toml") + "[group.compute]\n");
    nodes("", "");
    for (const char* name : {"n1", "compute", ".git"}) write("overlays/" + std::string(name) + "/etc/motd", "");
    write("overlays/README", "");
    EXPECT_THAT(findings(), Not(HasSubstr("overlay")));
    write("overlays/ndoe1/etc/motd", "");
    EXPECT_THAT(findings(),
                HasSubstr(path("overlays") + " has an overlay of no node or group in the list: ndoe1 [overlay-stray]"));
}

TEST_F(CheckTree, SnapshotsThatAreNoDirectories) {
    nodes("", "");
    write("snapshots/n1", "");
    write("elsewhere/file", "");
    std::filesystem::create_directory_symlink(path("elsewhere"), path("snapshots/n2"));
    EXPECT_THAT(
        findings(),
        AllOf(HasSubstr(path("snapshots/n1") + ", the snapshot of n1, is a file and no directory [snapshot-kind]"),
              HasSubstr(path("snapshots/n2") + ", the snapshot of n2, is a symlink and no directory")));
    EXPECT_EQ(run({"snapshot", "remove", "n[1-2]"}), kDone) << "as the remedy says: " << err;
    EXPECT_EQ(run({"snapshot", "prepare", "n[1-2]"}), kDone) << err;
    EXPECT_TRUE(exists("elsewhere/file"));
    EXPECT_THAT(findings(), Not(HasSubstr("snapshot-kind")));
}

TEST_F(CheckTree, KernelParametersThatTheNodeWouldNotUnderstand) {
    nodes("swap = \"zram:50%\"\nconsole = \"ttyS0,115200n8\"\n",
          "nfs-options = \"vers=4.2,rsize=1048576\"\nroot-mode = \"overlay\"\nnis-domain = \"rack\"\ninterface = "
          "\"eth0\"\n"
          "cmdline = [\"quiet panic=60\"]\n");
    EXPECT_THAT(findings(), Not(HasSubstr("[parameter]")));
    const std::string wrong = "cmdline = [\"diskless.onfail=shel\"]\n";
    nodes(wrong, wrong);
    EXPECT_THAT(findings(), HasSubstr("diskless.onfail=shel, of n[1-2]: "));
    EXPECT_EQ(out.find("[parameter]"), out.rfind("[parameter]")) << "once for all nodes: " << out;
}

TEST_F(CheckTree, OptionsOfInitramfsThatAreNone) {
    nodes("", "");
    write("cluster.toml", read("cluster.toml") + "[boot]\ninitramfs-options = [\"--firmware\"]\n");
    EXPECT_THAT(findings(), Not(HasSubstr("initramfs-options")));
    write("cluster.toml", "[boot]\ninitramfs-options = [\"--bogus\"]\n");
    EXPECT_THAT(findings(), AllOf(HasSubstr("--bogus"), HasSubstr("[initramfs-options]")));
}

}  // namespace
}  // namespace diskless::server
