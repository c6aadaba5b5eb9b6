#include "initramfs/builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "initramfs/host_files.hpp"
#include "initramfs/module_file.hpp"
#include "initramfs/module_sets.hpp"
#include "server-helper/command.hpp"
#include "tests/fakes/temporary_directory.hpp"

namespace diskless {
namespace {

namespace fs = std::filesystem;

TEST(OutputFile, ReplacesOrLeavesTheOldOne) {
    const TemporaryDirectory directory;
    const auto path = directory.path + "/image";
    ASSERT_TRUE(write_output_file(path, "one"));
    ASSERT_TRUE(write_output_file(path, "two"));
    EXPECT_EQ(*read_input_file(path), "two");
    EXPECT_FALSE(write_output_file(directory.path + "/absent/image", "x"));
    EXPECT_EQ(std::distance(fs::directory_iterator(directory.path), fs::directory_iterator()), 1);
}

TEST(ModuleList, FromTextAndFile) {
    const TemporaryDirectory directory;
    std::ofstream(directory.path + "/list") << "virtio-net # card\n\ne1000, igb\n";
    using Names = std::vector<std::string>;
    EXPECT_EQ(*module_list("a,b-c d"), (Names{"a", "b_c", "d"}));
    EXPECT_EQ(*module_list(directory.path + "/list"), (Names{"virtio_net", "e1000", "igb"}));
    EXPECT_FALSE(module_list(directory.path + "/absent"));
    EXPECT_FALSE(module_list(" , "));
}

TEST(ModuleInfo, RubbishIsAnError) {
    EXPECT_FALSE(parse_module_info(""));
    EXPECT_FALSE(
        parse_module_info("\x7f"
                          "ELF"));
    const auto self = read_input_file("/proc/self/exe");
    ASSERT_TRUE(self);
    EXPECT_FALSE(parse_module_info(*self)) << "a program has no .modinfo";
    EXPECT_FALSE(parse_module_info(self->substr(0, 100)));
    EXPECT_TRUE(has_section(*self, ".text"));
    EXPECT_FALSE(is_static_program("#!/bin/sh\n"));
}

TEST(Builder, AbsentKernelNamesThoseThatAreThere) {
    const TemporaryDirectory directory;
    fs::create_directories(directory.path + "/lib/modules/6.1.0-1");
    BuildRequest request;
    request.root = directory.path;
    request.kernel = "6.9";
    const auto absent = build_image(request);
    ASSERT_FALSE(absent);
    EXPECT_NE(absent.error().remedy.find("6.1.0-1"), std::string::npos) << absent.error().remedy;
    request.kernel = "6.1.0-1";
    const auto without_index = build_image(request);
    ASSERT_FALSE(without_index);
    EXPECT_NE(without_index.error().remedy.find("depmod -b"), std::string::npos) << without_index.error().remedy;
    std::ofstream(directory.path + "/.diskless-generation") << "IMAGE=debian\nGENERATION=1\n";
    const auto of_image = build_image(request);
    ASSERT_FALSE(of_image);
    EXPECT_EQ(of_image.error().remedy,
              "in the image's source: depmod 6.1.0-1; then: diskless-server image sync debian");
}

TEST(Builder, AbsentNodeProgramIsToldWithARemedy) {
    const TemporaryDirectory directory;
    const auto modules = directory.path + "/lib/modules/6.1.0-1";
    fs::create_directories(modules);
    std::ofstream(modules + "/modules.builtin") << "kernel/fs/nfs/nfs.ko\nkernel/fs/nfs/nfsv3.ko\n";
    for (const char* empty : {"/modules.order", "/modules.builtin.modinfo"}) std::ofstream{modules + empty};
    if (std::system(("PATH=$PATH:/sbin:/usr/sbin depmod -b " + directory.path + " 6.1.0-1").c_str()) != 0)
        GTEST_SKIP() << "no depmod";
    BuildRequest request;
    request.root = directory.path;
    request.kernel = "6.1.0-1";
    request.drivers = DriverChoice::listed;
    request.program = directory.path + "/diskless-init";
    const auto built = build_image(request);
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().cause, "node program: open " + request.program + ": No such file or directory");
    EXPECT_EQ(built.error().remedy, "name it with --program, or install it to lib/diskless");
}

/// A root under memory needs overlayfs: of the root's own modules most kernels can load only plain files.
TEST(Builder, OverlayfsIsTakenInWhereTheKernelCannotReadTheRootsModule) {
    const TemporaryDirectory directory;
    const auto modules = directory.path + "/lib/modules/6.1.0-1";
    fs::create_directories(modules + "/kernel/fs/overlayfs");
    fs::create_directories(directory.path + "/boot");
    std::ofstream(modules + "/modules.builtin") << "kernel/fs/nfs/nfs.ko\nkernel/fs/nfs/nfsv3.ko\n";
    std::ofstream{modules + "/modules.builtin.modinfo"};
    std::ofstream(directory.path + "/overlay.s") << ".section .modinfo,\"a\"; .asciz \"name=overlay\"\n";
    std::ofstream(directory.path + "/init.s") << ".globl _start\n_start: nop\n";
    const auto shell = [](const std::string& command) {
        return std::system(("PATH=$PATH:/sbin:/usr/sbin; " + command).c_str()) == 0;
    };
    const auto module = modules + "/kernel/fs/overlayfs/overlay.ko";
    ASSERT_TRUE(shell("cd " + directory.path + " && as -o " + module +
                      " overlay.s && as -o init.o init.s && ld -o init init.o"));
    BuildRequest request;
    request.root = directory.path;
    request.kernel = "6.1.0-1";
    request.program = directory.path + "/init";
    request.level = 1;
    const auto has_overlayfs = [&] {
        const auto built = build_image(request);
        EXPECT_TRUE(built) << built.error().cause;
        return built && built->manifest.module("overlay") != nullptr;
    };
    const auto list = [&](const std::string& name) {
        std::ofstream(modules + "/modules.order") << name + "\n";
        return shell("depmod -b " + directory.path + " 6.1.0-1");
    };
    if (!list("kernel/fs/overlayfs/overlay.ko")) GTEST_SKIP() << "no depmod";
    EXPECT_FALSE(has_overlayfs()) << "the node loads it from the root, when it needs it";

    ASSERT_TRUE(shell("xz " + module));
    ASSERT_TRUE(list("kernel/fs/overlayfs/overlay.ko.xz"));
    EXPECT_TRUE(has_overlayfs());
    const auto config = directory.path + "/boot/config-6.1.0-1";
    std::ofstream(config) << "CONFIG_MODULES=y\n# CONFIG_MODULE_DECOMPRESS is not set\n";
    EXPECT_TRUE(has_overlayfs());
    std::ofstream(config) << "CONFIG_MODULES=y\nCONFIG_MODULE_DECOMPRESS=y\n";
    EXPECT_FALSE(has_overlayfs()) << "such a kernel decompresses it itself";

    request.image_root = true;
    const auto built = build_image(request);
    ASSERT_TRUE(built) << built.error().cause;
    EXPECT_NE(built->manifest.module("overlay"), nullptr) << "a root that is one file is under memory, as a rule";
    EXPECT_THAT(built->warnings, testing::Contains(testing::HasSubstr("no squashfs")));
}

TEST(DisklessServer, ExitCodes) {
    const auto status = [](const std::vector<std::string>& arguments) {
        std::ostringstream out, err;
        return server::run(arguments, out, err);
    };
    EXPECT_EQ(status({"version"}), 0);
    EXPECT_EQ(status({"initramfs", "build", "--help"}), 0);
    EXPECT_EQ(status({}), 2);
    EXPECT_EQ(status({"initramfs"}), 2);
    EXPECT_EQ(status({"initramfs", "build", "--kernel", "x", "--hostonly", "--modules", "a"}), 2);
    EXPECT_EQ(status({"initramfs", "build", "--frobnicate"}), 2);
    EXPECT_EQ(status({"initramfs", "show", "/no/such/image"}), 1);
}

}  // namespace
}  // namespace diskless
