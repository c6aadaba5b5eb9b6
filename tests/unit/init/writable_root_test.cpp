// A root that is the node's own and is mounted rw: who the node is, boot after boot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/executor.hpp"
#include "init/plan.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::StartsWith;

constexpr const char* kKey = "/etc/ssh/ssh_host_ed25519_key";

struct WritableRoot : FakeCluster {
    Boot boot;

    explicit WritableRoot(const std::string& snapshot)
        : FakeCluster("root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp rw diskless.snapshot=" + snapshot) {
        files.tree({{"/server/root/etc/ssh/sshd_config", file("Port 22\n")}});
    }
    void run() {
        Executor executor{os, {}, false};
        ASSERT_TRUE(executor.run(plan_early(boot)));
        const auto result = executor.run(plan_boot(boot));
        ASSERT_TRUE(result) << result.error().cause;
        for (const auto& step : executor.reports())
            if (step.id == "identify" || step.id == "prepare-state") {
                EXPECT_EQ(step.outcome, StepOutcome::done) << step.cause;
            }
    }
    std::string key() { return files.text("/sysroot" + std::string(kKey)); }
    std::string in_root() { return files.text("/server/root" + std::string(kKey)); }
};

TEST(WritableRoot, WithoutASnapshotItKeepsTheHostKeyThatItWasGiven) {
    WritableRoot node("none");
    node.run();
    EXPECT_THAT(node.key(), StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----"));
    EXPECT_EQ(node.in_root(), node.key());
}

TEST(WritableRoot, WithoutASnapshotItsOwnKeysStay) {
    WritableRoot node("none");
    node.files.tree({{"/server/root/etc/ssh/ssh_host_rsa_key", file("its own", 0600)}});
    node.run();
    EXPECT_EQ(node.files.text("/sysroot/etc/ssh/ssh_host_rsa_key"), "its own");
    EXPECT_FALSE(node.files.exists("/sysroot" + std::string(kKey)));
}

/// A boot with a snapshot has made the name in the root, to mount on: no sshd starts with that alone.
TEST(WritableRoot, WithoutTheSnapshotThatItHadBeforeItHasAHostKey) {
    WritableRoot node("none");
    node.files.tree(
        {{"/server/root" + std::string(kKey), file("", 0600)}, {"/server/root" + std::string(kKey) + ".pub", file()}});
    node.run();
    EXPECT_THAT(node.key(), StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----"));
    EXPECT_EQ(node.in_root(), node.key());
}

/// An absolute symlink means the root's own directory, not one of the initramfs.
TEST(WritableRoot, TheHostKeyIsGivenWhereTheRootKeepsItsKeys) {
    WritableRoot node("none");
    ASSERT_TRUE(node.files.remove_tree("/server/root/etc/ssh"));
    node.files.tree(
        {{"/server/root/etc/ssh", symlink("/data/ssh")}, {"/server/root/data/ssh/sshd_config", file("Port 22\n")}});
    node.run();
    EXPECT_THAT(node.files.text("/server/root/data/ssh/ssh_host_ed25519_key"),
                StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----"));
}

/// The golden machine's keys are in every copy of it.
TEST(WritableRoot, WithASnapshotTheHostKeyIsKeptThere) {
    WritableRoot node("10.9.0.1:/srv/snapshots");
    node.files.tree({{"/server/root" + std::string(kKey), file("the golden machine's", 0600)},
                     {"/server/root/etc/ssh/ssh_host_rsa_key", file("the golden machine's", 0600)}});
    node.run();
    EXPECT_THAT(node.key(), StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----"));
    EXPECT_EQ(node.files.text("/server/snapshots/node1" + std::string(kKey)), node.key());
    EXPECT_EQ(node.files.text("/sysroot/etc/ssh/ssh_host_rsa_key"), "");
    EXPECT_EQ(node.in_root(), "the golden machine's") << "covered, not changed";
}

TEST(WritableRoot, ANameThatIsMissingThereIsMadeToMountOn) {
    WritableRoot node("10.9.0.1:/srv/snapshots");
    node.run();
    EXPECT_THAT(node.key(), StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----"));
    EXPECT_EQ(node.files.text("/server/snapshots/node1" + std::string(kKey)), node.key());
    EXPECT_EQ(node.in_root(), "") << "nothing but the name";
}

}  // namespace
}  // namespace diskless
