// What boot apply does about nodes that would not boot by what it writes.
#include <gmock/gmock.h>

#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class BootApply : public TreeTest {
  protected:
    static constexpr const char* kFirst = "boot/tftp/pxelinux.cfg/0A08000B";
    static constexpr const char* kSecond = "boot/tftp/pxelinux.cfg/0A08000C";
    BootApply() { write("nodes.toml", "[node.n1]\nip = \"10.8.0.11\"\n[node.n2]\nip = \"10.8.0.12\"\n"); }
};

TEST_F(BootApply, AMenuWithoutARootTakesNoWorkingOnesPlace) {
    ASSERT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
    const auto working = read(kFirst);
    EXPECT_THAT(working, HasSubstr("nfsroot="));
    write("images/new/image.toml", "");
    ASSERT_EQ(run({"node", "set", "n1", "image=new"}), kDone) << err;
    EXPECT_THAT(err, HasSubstr("warning: image new has no generation yet, n1 cannot boot it (diskless-server image "
                               "sync new)"));
    ASSERT_EQ(run({"node", "set", "n2", "console=ttyS0"}), kDone) << err;
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kFailed);
    EXPECT_THAT(err, AllOf(HasSubstr("warning: image new has no generation yet, n1 cannot boot it"),
                           HasSubstr("image sync new"), HasSubstr("n1 cannot boot: the root")));
    EXPECT_EQ(read(kFirst), working);
    EXPECT_THAT(read(kSecond), HasSubstr("ttyS0")) << "the others' are written";
    EXPECT_EQ(run({"boot", "apply", "--no-stage", "--json"}), kFailed);
    EXPECT_THAT(out, HasSubstr("\"unbootable\": [\n    \"n1\"\n  ]"));
    EXPECT_EQ(run({"check"}), kFailed);
    EXPECT_THAT(out, AllOf(HasSubstr("image new has no generation yet, n1 cannot boot it [no-generation]"),
                           Not(HasSubstr("boot-files-stale")), Not(HasSubstr("tftp/new/"))));
    EXPECT_EQ(run({"snapshot", "prepare"}), kFailed);
    EXPECT_THAT(err, HasSubstr("n1: image new has no generation yet\n  diskless-server image sync new\n"));
    EXPECT_TRUE(exists("snapshots/n2")) << "the others go on";
    ASSERT_EQ(run({"node", "set", "n1", "image="}), kDone);
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
}

TEST_F(BootApply, ARootThatTheAdministratorNamesNeedsNoGeneration) {
    write("images/new/image.toml", "");
    write("nodes.toml", "[node.n1]\nip = \"10.8.0.11\"\nimage = \"new\"\ncmdline = \"nfsroot=10.8.0.9:/srv/x\"\n");
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
    EXPECT_THAT(read(kFirst), HasSubstr(" nfsroot=10.8.0.9:/srv/x"));
    EXPECT_EQ(run({"boot", "apply"}), kFailed);
    EXPECT_THAT(err, AllOf(HasSubstr("image new has no generation yet, nor is tftp/new/vmlinuz there"),
                           HasSubstr("n1 cannot boot")));
    EXPECT_EQ(run({"check"}), kFailed);
    EXPECT_THAT(out, HasSubstr("vmlinuz is missing, n1 boots it [kernel-missing]\n  diskless-server image sync new, or "
                               "put it there\n"));
    write("boot/tftp/new/vmlinuz", "kernel");
    write("boot/tftp/new/initrd.img", "initramfs");
    run({"boot", "apply"});
    EXPECT_THAT(err, Not(HasSubstr("n1 cannot boot")));
}

}  // namespace
}  // namespace diskless::server
