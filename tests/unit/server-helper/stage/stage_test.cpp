#include "server-helper/stage/stage.hpp"

#include <sys/stat.h>
#include <utime.h>

#include <algorithm>

#include "server-helper/stage/kernel_choice.hpp"
#include "server-helper/stage/loaders.hpp"
#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

namespace fs = std::filesystem;

/// The beginning of a bzImage whose header names the release.
std::string kernel_image(const std::string& release) {
    std::string image(0x400, '\0');
    image.replace(0x202, 4, "HdrS");
    image[0x20E] = '\0';
    image[0x20F] = '\1';  // 0x100 from 0x200
    return image.replace(0x300, release.size() + 11, release + " (a@b) #1 S");
}

TEST(KernelImage, NamesItsRelease) {
    EXPECT_EQ(release_of_kernel_image(kernel_image("6.1.0-31-amd64")), "6.1.0-31-amd64");
    EXPECT_EQ(release_of_kernel_image(kernel_image("6.6.3-0-lts+b1")), "6.6.3-0-lts+b1");
}

TEST(KernelImage, RubbishHasNone) {
    for (const auto& text : {std::string(), std::string("HdrS"), std::string(0x400, 'x'), kernel_image("../../etc"),
                             kernel_image("x6"), kernel_image("6/1")})
        EXPECT_EQ(release_of_kernel_image(text), "") << text.size();
    auto image = kernel_image("6.1");
    EXPECT_EQ(release_of_kernel_image(std::string_view(image).substr(0, 0x20F)), "");
    image[0x20E] = image[0x20F] = '\xff';  // beyond the end
    EXPECT_EQ(release_of_kernel_image(image), "");
}

class StageTest : public TreeTest {
  protected:
    static constexpr const char* kRoot = "images/debian/20260101-000000/";

    void kernel(const std::string& release, bool modules = true, const std::string& root = kRoot) {
        write(root + "boot/vmlinuz-" + release, "kernel " + release);
        fs::create_directories(path(root + "lib/modules/" + release));
        if (modules) write(root + "lib/modules/" + release + "/modules.dep", "");
    }
    Site site() {
        auto made = make_site(load_cluster(base).value());
        EXPECT_TRUE(made) << made.error().cause;
        return made.value();
    }
    BuildRequest build() {
        if (!exists("program")) write("program", "node program");
        BuildRequest request;
        request.program = path("program");
        return request;
    }
    /// What would be done, with initramfs that are not really built.
    StagePlan plan() {
        StagePlan plan;
        plan_kernels(site(), build(), plan);
        for (auto& file : plan.files)
            if (file.make)
                file.make = [this, text = "initramfs " + file.fingerprint]() -> Result<std::string> {
                    ++builds;
                    return text;
                };
        return plan;
    }
    Staged stage(StageOptions options = {}) {
        const auto planned = plan();
        auto staged = stage_files(path("boot"), planned, options);
        EXPECT_TRUE(staged) << staged.error().cause;
        return staged.value_or(Staged{});
    }
    void nodes(const std::string& more = "") { write("nodes.toml", "[node.n1]\n[node.n2]\n" + more); }
    static ino_t inode(const std::string& file) {
        struct stat status {};
        return ::stat(file.c_str(), &status) == 0 ? status.st_ino : 0;
    }

    int builds = 0;
};

TEST_F(StageTest, TheNewestKernelThatHasModules) {
    kernel("6.1.0-9");
    kernel("6.1.0-31");
    kernel("6.2.0-1", false);
    write(std::string(kRoot) + "boot/vmlinuz-0-rescue-1234", "rescue");
    const auto kernels = kernels_of_root(path(kRoot));
    ASSERT_EQ(kernels.size(), 3u);
    EXPECT_EQ(choose_kernel(kernels, "")->release, "6.1.0-31");
    EXPECT_EQ(choose_kernel(kernels, "6.1.0-9")->path, "boot/vmlinuz-6.1.0-9");
    const auto absent = choose_kernel(kernels, "5");
    ASSERT_FALSE(absent);
    EXPECT_NE(absent.error().remedy.find("6.1.0-9"), std::string::npos) << absent.error().remedy;
    EXPECT_FALSE(choose_kernel({}, ""));
}

TEST_F(StageTest, TheHeaderTellsMoreThanTheName) {
    write(std::string(kRoot) + "boot/vmlinuz-lts", kernel_image("6.6.3-0-lts"));
    write(std::string(kRoot) + "lib/modules/6.6.3-0-lts/modules.dep", "");
    const auto kernels = kernels_of_root(path(kRoot));
    ASSERT_EQ(kernels.size(), 1u);
    EXPECT_EQ(kernels[0].release, "6.6.3-0-lts");
    EXPECT_TRUE(kernels[0].has_modules);
}

TEST_F(StageTest, AKernelBelowTheModules) {
    write(std::string(kRoot) + "lib/modules/6.5/vmlinuz", "fedora");
    write(std::string(kRoot) + "lib/modules/6.5/modules.dep", "");
    const auto kernels = kernels_of_root(path(kRoot));
    ASSERT_EQ(kernels.size(), 1u);
    EXPECT_EQ(kernels[0].path, "lib/modules/6.5/vmlinuz");
}

TEST_F(StageTest, LinksTheKernelAndBuildsTheInitramfsOnce) {
    kernel("6.1.0-31");
    nodes();
    const auto first = stage();
    EXPECT_EQ(first.made.size(), 2u);
    EXPECT_EQ(builds, 1);
    const auto staged = path("boot/tftp/debian/20260101-000000/vmlinuz");
    EXPECT_EQ(inode(staged), inode(path(std::string(kRoot) + "boot/vmlinuz-6.1.0-31")));
    EXPECT_TRUE(read("boot/tftp/debian/20260101-000000/initrd.img").starts_with("initramfs "));
    const auto second = stage();
    EXPECT_EQ(second.made.size(), 0u);
    EXPECT_EQ(second.unchanged, 2u);
    EXPECT_EQ(builds, 1);
}

TEST_F(StageTest, TellsOnceOfAKernelThatCannotGoUnderMemory) {
    kernel("6.1.0-31");
    const auto modules = std::string(kRoot) + "lib/modules/6.1.0-31/";
    write(modules + "modules.dep", "kernel/fs/nfs/nfs.ko:\n");
    nodes();
    EXPECT_EQ(plan().warnings.size(), 0u);
    write("nodes.toml", "[node.n1]\nroot-mode = \"overlay\"\n[node.n2]\nroot-mode = \"overlay\"\n");
    const auto told = plan().warnings;
    ASSERT_EQ(told.size(), 1u);
    EXPECT_NE(told[0].find("no overlayfs for its kernel 6.1.0-31"), std::string::npos) << told[0];
    write(modules + "modules.builtin", "kernel/fs/overlayfs/overlay.ko\n");
    EXPECT_EQ(plan().warnings.size(), 0u);
}

TEST_F(StageTest, BuildsAgainForANewNodeProgramOrNewModules) {
    kernel("6.1.0-31");
    nodes();
    stage();
    write("program", "a longer node program");
    EXPECT_EQ(stage({.dry_run = true, .force = false, .working = {}}).made,
              std::vector{path("boot/tftp/debian/20260101-000000/initrd.img")});
    stage();
    EXPECT_EQ(builds, 2);
    write(std::string(kRoot) + "lib/modules/6.1.0-31/modules.dep", "more");
    stage();
    EXPECT_EQ(builds, 3);
}

TEST_F(StageTest, AnotherLevelIsAnotherBuild) {
    kernel("6.1.0-31");
    nodes();
    StagePlan one, other;
    auto request = build();
    plan_kernels(site(), request, one);
    request.level = 3;
    plan_kernels(site(), request, other);
    EXPECT_NE(one.files.back().fingerprint, other.files.back().fingerprint);
}

TEST_F(StageTest, GenerationsWithOneKernelShareOneBuild) {
    kernel("6.1.0-31");
    nodes();
    stage();
    const std::string next = "images/debian/20260202-000000/";
    generation("debian", "20260202-000000");
    fs::copy(path(kRoot) + "boot", path(next) + "boot",
             fs::copy_options::recursive | fs::copy_options::create_hard_links);
    fs::copy(path(kRoot) + "lib", path(next) + "lib",
             fs::copy_options::recursive | fs::copy_options::create_hard_links);
    const auto staged = stage();
    EXPECT_EQ(staged.made.size(), 2u);
    EXPECT_EQ(builds, 1);
    EXPECT_EQ(inode(path("boot/tftp/debian/20260202-000000/initrd.img")),
              inode(path("boot/tftp/debian/20260101-000000/initrd.img")));
}

TEST_F(StageTest, ANodeMayAskForARelease) {
    kernel("6.1.0-9");
    kernel("6.1.0-31");
    nodes("[node.n3]\nkernel = \"6.1.0-9\"\n[node.n4]\nkernel = \"own/vmlinuz\"\n");
    EXPECT_EQ(stage().made.size(), 4u);
    EXPECT_EQ(read("boot/tftp/debian/20260101-000000/vmlinuz-6.1.0-9"), "kernel 6.1.0-9");
    EXPECT_TRUE(exists("boot/tftp/debian/20260101-000000/initrd-6.1.0-9.img"));
    EXPECT_FALSE(exists("boot/tftp/own"));
    const auto cluster = load_cluster(base).value();
    EXPECT_EQ(resolve(cluster, "n4")->initramfs, "debian/initrd.img") << "only the administrator knows which fits";
}

TEST_F(StageTest, WhatTheAdministratorPutThereStays) {
    kernel("6.1.0-31");
    nodes();
    write("boot/tftp/debian/20260101-000000/vmlinuz", "mine");
    EXPECT_EQ(stage().made.size(), 1u);
    EXPECT_EQ(read("boot/tftp/debian/20260101-000000/vmlinuz"), "mine");
    stage({.dry_run = false, .force = true, .working = {}});
    EXPECT_EQ(read("boot/tftp/debian/20260101-000000/vmlinuz"), "kernel 6.1.0-31");
}

TEST_F(StageTest, FilesByHandServeGenerationsWithoutAKernel) {
    nodes();
    auto lacking = stage().lacking;
    ASSERT_EQ(lacking.size(), 2u);
    EXPECT_NE(lacking[0].cause.find("debian/20260101-000000"), std::string::npos) << lacking[0].cause;
    EXPECT_NE(lacking[0].remedy.find("boot/tftp/debian/vmlinuz"), std::string::npos) << lacking[0].remedy;
    write("boot/tftp/debian/vmlinuz", "kernel by hand");
    write("boot/tftp/debian/initrd.img", "initramfs by hand");
    EXPECT_EQ(stage().lacking.size(), 0u);
    EXPECT_EQ(read("boot/tftp/debian/20260101-000000/vmlinuz"), "kernel by hand");
    EXPECT_EQ(read("boot/tftp/debian/20260101-000000/initrd.img"), "initramfs by hand");
}

/// Nobody knows which release that is: another remedy than the image's kernels would not do.
TEST_F(StageTest, FilesByHandAreNoRemedyForANamedKernel) {
    kernel("6.1.0-31");
    write("nodes.toml", "[node.n1]\nkernel = \"6.6.6\"\n");
    write("boot/tftp/debian/vmlinuz", "kernel by hand");
    const auto lacking = stage().lacking;
    ASSERT_EQ(lacking.size(), 2u);
    EXPECT_NE(lacking[0].cause.find("it has no kernel 6.6.6"), std::string::npos) << lacking[0].cause;
    EXPECT_EQ(lacking[0].remedy, "it has 6.1.0-31");
    EXPECT_EQ(lacking[1].remedy, "it has 6.1.0-31") << "one warning for both";
}

TEST_F(StageTest, DryRunChangesNothing) {
    kernel("6.1.0-31");
    nodes();
    EXPECT_EQ(stage({.dry_run = true, .force = false, .working = {}}).made.size(), 2u);
    EXPECT_FALSE(exists("boot"));
    EXPECT_EQ(builds, 0);
}

TEST_F(StageTest, AFailedBuildIsMadeAgain) {
    kernel("6.1.0-31");
    nodes();
    auto planned = plan();
    for (auto& file : planned.files)
        if (file.make) file.make = [] { return Result<std::string>(fail("no room")); };
    const auto failed = stage_files(path("boot"), planned, {});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().cause.find("no room"), 0u) << failed.error().cause;
    EXPECT_FALSE(exists("boot/tftp/debian/20260101-000000/initrd.img"));
    EXPECT_EQ(stage().made.size(), 1u) << "the kernel is known to be there";
}

TEST_F(StageTest, AKernelThatOnlyRootReadsIsCopied) {
    kernel("6.1.0-31");
    nodes();
    const auto source = path(std::string(kRoot) + "boot/vmlinuz-6.1.0-31");
    ASSERT_EQ(::chmod(source.c_str(), 0600), 0);  // as Ubuntu has them: TFTP servers are not root
    stage();
    const auto staged = path("boot/tftp/debian/20260101-000000/vmlinuz");
    struct stat status {};
    ASSERT_EQ(::stat(staged.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0644u);
    EXPECT_NE(inode(staged), inode(source));
}

TEST_F(StageTest, ARootThatItsNodeWritesIsCopiedFrom) {
    kernel("6.1.0-31");
    nodes();
    stage();
    write("nodes.toml", "[node.n1]\nroot-mode = \"rw\"\n");  // was linked until now
    stage();
    EXPECT_NE(inode(path("boot/tftp/debian/20260101-000000/vmlinuz")),
              inode(path(std::string(kRoot) + "boot/vmlinuz-6.1.0-31")));
}

TEST_F(StageTest, SymlinksLeadWithinTheRoot) {
    nodes();
    write("secret", "not for the network");
    fs::create_directories(path(std::string(kRoot) + "boot"));
    fs::create_symlink(path("secret"), path(std::string(kRoot) + "boot/vmlinuz-6.1"));
    fs::create_symlink("../../../../secret", path(std::string(kRoot) + "boot/vmlinuz-6.2"));
    EXPECT_EQ(kernels_of_root(path(kRoot)).size(), 0u);
    write(std::string(kRoot) + "kernels/six", "six");
    fs::create_symlink("/kernels/six", path(std::string(kRoot) + "boot/vmlinuz-6.3"));
    stage();
    EXPECT_EQ(read("boot/tftp/debian/20260101-000000/vmlinuz"), "six");
}

TEST_F(StageTest, FilesGoWithTheirGeneration) {
    kernel("6.1.0-31");
    nodes();
    stage();
    generation("debian", "20260202-000000");
    kernel("6.1.0-32", true, "images/debian/20260202-000000/");
    stage();
    EXPECT_EQ(remove_unused_boot_files(site(), false)->size(), 0u) << "going back must be possible";
    write("boot/tftp/debian/20260101-000000/note", "by hand");
    fs::remove_all(path("images/debian/20260101-000000"));
    EXPECT_EQ(remove_unused_boot_files(site(), true)->size(), 2u);
    EXPECT_TRUE(exists("boot/tftp/debian/20260101-000000/vmlinuz"));
    EXPECT_EQ(remove_unused_boot_files(site(), false)->size(), 2u);
    EXPECT_FALSE(exists("boot/tftp/debian/20260101-000000/vmlinuz"));
    EXPECT_TRUE(exists("boot/tftp/debian/20260101-000000/note")) << "nobody staged it";
    EXPECT_TRUE(exists("boot/tftp/debian/20260202-000000/vmlinuz"));
    EXPECT_EQ(remove_unused_boot_files(site(), false)->size(), 0u);
}

TEST_F(StageTest, ARecordThatLeadsOutIsRefused) {
    nodes();
    write("boot/.staged", "x\ttftp/../../cluster.toml\n");
    EXPECT_FALSE(remove_unused_boot_files(site(), false));
    EXPECT_TRUE(exists("cluster.toml"));
    EXPECT_FALSE(stage_files(path("boot"), {}, {}));
}

TEST_F(StageTest, LoadersOfTheHost) {
    write("cluster.toml",
          "[server]\naddress = \"10.8.0.1\"\nnetwork = \"10.8.0.0/16\"\n"
          "[boot]\nloaders = [\"pxelinux\", \"ipxe\"]\n[defaults]\nimage = \"debian\"\n");
    write("host/usr/lib/PXELINUX/pxelinux.0", "first");
    write("host/usr/lib/PXELINUX/lpxelinux.0", "larger");
    write("host/usr/share/syslinux/ldlinux.c32", "another distribution");
    StagePlan plan;
    ASSERT_TRUE(plan_loaders(load_cluster(base).value(), path("host"), plan));
    const auto staged = stage_files(path("boot"), plan, {});
    ASSERT_TRUE(staged) << staged.error().cause;
    EXPECT_EQ(read("boot/tftp/pxelinux.0"), "first");
    EXPECT_EQ(read("boot/tftp/lpxelinux.0"), "larger");
    EXPECT_EQ(read("boot/tftp/ldlinux.c32"), "another distribution");
    ASSERT_EQ(staged->lacking.size(), 1u) << "UEFI machines are sent iPXE, BIOS ones PXELINUX";
    EXPECT_EQ(staged->lacking[0].remedy, "apt-get install ipxe");
    EXPECT_EQ(remove_unused_boot_files(site(), true)->size(), 0u) << "also what is not in a package any more";
}

TEST_F(StageTest, LoadersThatNobodyWantsGo) {
    write("host/usr/lib/PXELINUX/pxelinux.0", "first");
    StagePlan plan;
    ASSERT_TRUE(plan_loaders(load_cluster(base).value(), path("host"), plan));
    ASSERT_TRUE(stage_files(path("boot"), plan, {}));
    write("cluster.toml", read("cluster.toml") + "[boot]\nloaders = [\"grub\"]\n");
    EXPECT_EQ(remove_unused_boot_files(site(), false).value(), std::vector{path("boot/tftp/pxelinux.0")});
}

TEST_F(StageTest, SignedGrubComesWithShim) {
    write("cluster.toml", read("cluster.toml") + "[boot]\nloaders = [\"grub\"]\n");
    write("host/usr/lib/shim/shimx64.efi.signed", "shim");
    write("host/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed", "grub");
    StagePlan plan;
    ASSERT_TRUE(plan_loaders(load_cluster(base).value(), path("host"), plan));
    ASSERT_TRUE(stage_files(path("boot"), plan, {}));
    EXPECT_EQ(read("boot/tftp/grub/x86_64-efi/core.efi"), "shim");
    EXPECT_EQ(read("boot/tftp/grub/x86_64-efi/grubx64.efi"), "grub");
}

TEST_F(StageTest, BootApplyStagesAndTells) {
    kernel("6.1.0-31");
    write("nodes.toml", "[node.n1]\nip = \"10.8.0.5\"\nmac = \"52:54:00:00:00:01\"\ninitramfs = \"own.img\"\n");
    EXPECT_EQ(run({"boot", "apply", "--dry-run"}), kFailed);
    EXPECT_NE(err.find("tftp/own.img, which n1 boots, is not there"), std::string::npos) << err;
    EXPECT_NE(err.find("n1 cannot boot"), std::string::npos) << err;
    write("boot/tftp/own.img", "");
    ASSERT_EQ(run({"boot", "apply", "--json"}), 0) << err;
    EXPECT_NE(out.find("boot/tftp/debian/20260101-000000/vmlinuz\""), std::string::npos) << out;
    EXPECT_EQ(read("boot/tftp/debian/20260101-000000/vmlinuz"), "kernel 6.1.0-31");
    EXPECT_NE(read("boot/tftp/pxelinux.cfg/01-52-54-00-00-00-01").find("LINUX debian/20260101-000000/vmlinuz\n"),
              std::string::npos);
    ASSERT_EQ(run({"boot", "apply"}), 0) << err;
    EXPECT_NE(out.find("0 staged"), std::string::npos) << out;
}

TEST_F(StageTest, NoStageLeavesAllAsItIs) {
    kernel("6.1.0-31");
    nodes();
    ASSERT_EQ(run({"boot", "apply", "--no-stage"}), 0) << err;
    EXPECT_FALSE(exists("boot/tftp/debian"));
    EXPECT_FALSE(exists("boot/.staged"));
}

TEST_F(StageTest, OptionsOfInitramfsAreChecked) {
    nodes();
    const auto cluster = read("cluster.toml");
    write("cluster.toml", cluster + "[boot]\ninitramfs-options = [\"--frobnicate\"]\n");
    EXPECT_EQ(run({"boot", "apply"}), 2) << err;
    EXPECT_NE(err.find("initramfs-options"), std::string::npos) << err;
    write("cluster.toml", cluster + "[boot]\ninitramfs-options = [\"--kernel=x\"]\n");
    EXPECT_EQ(run({"boot", "apply"}), 1) << err;
}

}  // namespace
}  // namespace diskless::server
