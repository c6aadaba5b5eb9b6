// What partitions hold, which drivers they need, and how swap= is read and carried out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/executor.hpp"
#include "init/plan.hpp"
#include "init/root_modules.hpp"
#include "init/swap/file_system_head.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string head_with(const std::vector<std::pair<std::size_t, std::string>>& parts) {
    std::string bytes(kHeadBytes, '\0');
    for (const auto& [at, text] : parts) bytes.replace(at, text.size(), text);
    return bytes;
}
const std::string kUuid = "\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10";
const std::string kUuidText = "01234567-89ab-cdef-fedc-ba9876543210";

TEST(FileSystemHead, KnowsWhatANodeMaySwapOn) {
    EXPECT_EQ(read_head(head_with({{4086, "SWAPSPACE2"}, {0x40C, kUuid}, {0x41C, "scratch"}})),
              (FileSystemHead{"swap", kUuidText, "scratch"}));
    EXPECT_EQ(read_head(head_with({{1080, "\x53\xEF"}, {1128, kUuid}, {1144, "data"}})),
              (FileSystemHead{"ext4", kUuidText, "data"}));
    EXPECT_EQ(read_head(head_with({{0, "XFSB"}, {32, kUuid}, {108, "twelve chars"}})),
              (FileSystemHead{"xfs", kUuidText, "twelve chars"}));
    EXPECT_EQ(read_head(head_with({{3, "NTFS    "}, {72, "\x08\x07\x06\x05\x04\x03\x02\x01"}})),
              (FileSystemHead{"ntfs3", "0102030405060708", ""}));
    EXPECT_EQ(read_head(head_with({{82, "FAT32   "}, {67, "\xCD\xAB\x34\x12"}, {71, "WINDOWS    "}})),
              (FileSystemHead{"vfat", "1234-ABCD", "WINDOWS"}));
    EXPECT_EQ(read_head(head_with({{54, "FAT16   "}, {39, "\xCD\xAB\x34\x12"}, {43, "NO NAME    "}})),
              (FileSystemHead{"vfat", "1234-ABCD", ""}));
}

TEST(FileSystemHead, IsNothingElse) {
    EXPECT_FALSE(read_head(""));
    EXPECT_FALSE(read_head(std::string(kHeadBytes, '\0')));
    EXPECT_FALSE(read_head(std::string(kHeadBytes - 1, 'S'))) << "too short";
    const auto escape = read_head(head_with({{1080, "\x53\xEF"}, {1144, "a\x1b[2Jb"}}));
    ASSERT_TRUE(escape);
    EXPECT_EQ(escape->label.find('\x1b'), std::string::npos) << "labels reach consoles";
}

TEST(SwapHeader, IsWhatReadHeadKnows) {
    const auto header = make_swap_header(64U << 20);
    ASSERT_EQ(header.size(), kHeadBytes);
    ASSERT_TRUE(read_head(header));
    EXPECT_EQ(read_head(header)->type, "swap");
    EXPECT_EQ(header.substr(1024, 8), std::string("\1\0\0\0\xFF\x3F\0\0", 8)) << "version 1, last page 16383";
}

constexpr const char* kDep =
    "kernel/drivers/block/zram/zram.ko: kernel/mm/zsmalloc.ko\n"
    "kernel/mm/zsmalloc.ko:\n"
    "kernel/crypto/lzo-rle.ko:\n"
    "kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio_ring.ko\n"
    "kernel/drivers/virtio/virtio_ring.ko:\n"
    "kernel/drivers/net/virtio_net.ko:\n"
    "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko\n"
    "kernel/fs/jbd2/jbd2.ko:\n"
    "kernel/fs/fat/vfat.ko: kernel/fs/fat/fat.ko\n"
    "kernel/fs/fat/fat.ko:\n"
    "kernel/fs/nls/nls_cp437.ko:\n"
    "kernel/fs/nls/nls_ascii.ko:\n"
    "no colon\n";
constexpr const char* kAlias =
    "# made by depmod\nalias virtio:d00000002v* virtio_blk\nalias virtio:d00000001v* virtio_net\nalias fs-ext4 ext4\n"
    "alias broken\n";

std::vector<std::string> loads(const Manifest& manifest, const std::vector<std::string>& names) {
    std::vector<std::string> all;
    for (const auto* module : load_order(manifest, names)) all.push_back(module->path);
    return all;
}

TEST(DiskModules, AreFoundByNameWithTheirNeeds) {
    const auto manifest = disk_modules(kDep, kAlias, "/m");
    EXPECT_THAT(loads(manifest, {"zram"}),
                ElementsAre("/m/kernel/mm/zsmalloc.ko", "/m/kernel/drivers/block/zram/zram.ko"));
    EXPECT_THAT(loads(manifest, {"ext4"}), ElementsAre("/m/kernel/fs/jbd2/jbd2.ko", "/m/kernel/fs/ext4/ext4.ko"));
    EXPECT_THAT(loads(manifest, {"ntfs3"}), IsEmpty());
    EXPECT_THAT(disk_modules("", "", "/m").modules, IsEmpty());
}

TEST(DiskModules, AreAskedForByDisksOnly) {
    const auto manifest = disk_modules(kDep, kAlias, "/m");
    const auto found = modules_for(manifest, {"virtio:d00000001v00001AF4", "virtio:d00000002v00001AF4"});
    ASSERT_EQ(found.size(), 1U) << "the network card has its driver";
    EXPECT_EQ(found[0]->name, "virtio_blk");
}

TEST(DiskModules, WhatTheKernelWouldAskModprobeForIsTakenAlong) {
    const auto manifest = disk_modules(
        "kernel/fs/fat/vfat.ko: kernel/fs/fat/fat.ko\nkernel/fs/fat/fat.ko:\nkernel/fs/nls/nls_cp437.ko:\n"
        "kernel/fs/nls/nls_ascii.ko:\n",
        "", "/m");
    EXPECT_THAT(loads(manifest, modules_of_file_system("vfat")),
                ElementsAre("/m/kernel/fs/nls/nls_cp437.ko", "/m/kernel/fs/nls/nls_ascii.ko", "/m/kernel/fs/fat/fat.ko",
                            "/m/kernel/fs/fat/vfat.ko"));
    EXPECT_THAT(modules_of_file_system("ext4"), ElementsAre("crc32c_generic", "ext4"));
    EXPECT_THAT(modules_of_file_system("ntfs3"), ElementsAre("ntfs3"));
}

TEST(DiskModules, ACompressorIsAModuleOfItsOwn) {
    EXPECT_EQ(chosen_compressor("lzo [lzo-rle] lz4 zstd\n"), "lzo_rle");
    EXPECT_EQ(chosen_compressor("[zstd]"), "zstd");
    for (const char* none : {"", "lzo lz4", "]lzo[", "[lzo", "lzo]"}) EXPECT_EQ(chosen_compressor(none), "") << none;
}

std::vector<SwapPlace> read(const std::string& value) {
    return parse_boot_config({"diskless.swap=" + value, {}, 0}).swaps;
}

TEST(SwapParameter, Places) {
    using Kind = SwapPlace::Kind;
    EXPECT_THAT(read("zram:512M"), ElementsAre(SwapPlace{.text = "zram:512M", .bytes = 512U << 20}));
    EXPECT_THAT(read("zram:50%"), ElementsAre(SwapPlace{.text = "zram:50%", .percent = 50}));
    EXPECT_THAT(read("LABEL=data"),
                ElementsAre(SwapPlace{.text = "LABEL=data", .kind = Kind::disk, .device = "LABEL=data"}));
    EXPECT_THAT(read("UUID=1234-ABCD:/pagefile.sys"), ElementsAre(SwapPlace{.text = "UUID=1234-ABCD:/pagefile.sys",
                                                                            .kind = Kind::disk,
                                                                            .device = "UUID=1234-ABCD",
                                                                            .file = "/pagefile.sys"}));
    EXPECT_THAT(read("snapshot:/swap"),
                ElementsAre(SwapPlace{.text = "snapshot:/swap", .kind = Kind::snapshot_file, .file = "/swap"}));
    EXPECT_EQ(read("zram:1G diskless.swap=/dev/sda2").size(), 2U);
}

TEST(SwapParameter, WhatCannotBeMeantIsSaid) {
    for (const char* bad :
         {"", "zram", "zram:", "zram:x", "zram:0M", "zram:5", "zram:1K", "zram:500%", "zram:99999999999999999G",
          "LABEL=", "UUID=:/x", "LABEL=a:x", "LABEL=a:/../etc", "/etc/swap", "snapshot:", "snapshot:swap", "hda"}) {
        const auto config = parse_boot_config({std::string("diskless.swap=") + bad, {}, 0});
        EXPECT_THAT(config.swaps, IsEmpty()) << bad;
        EXPECT_FALSE(config.warnings.empty()) << bad;
    }
}

struct Swap : FakeCluster {
    Boot boot;
    Executor executor{os, {}, false};

    explicit Swap(const std::string& swap)
        : FakeCluster(
              "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp "
              "diskless.snapshot=10.9.0.1:/srv/snapshots diskless.swap=" +
              swap) {
        files.tree({{"/server/root/lib/modules/6.1.0-fake-amd64/modules.dep", file(kDep)},
                    {"/server/root/lib/modules/6.1.0-fake-amd64/modules.alias", file(kAlias)},
                    {"/fake/proc/meminfo", file("MemTotal:  1048576 kB\n")},
                    {"/fake/sys/class/block/loop0", directory()},
                    {"/fake/sys/class/block/vda1", directory()}});
        modules.on_load = [this](const std::string& name) {
            if (name == "zram")
                files.tree({{"/sys/block/zram0/disksize", file("0\n")},
                            {"/sys/block/zram0/comp_algorithm", file("lzo [lzo-rle] zstd\n")},
                            {"/dev/zram0", file()}});
            compressor = compressor || name == "lzo-rle" || name == "lzo_rle";
            if (name == "virtio_blk") files.tree({{"/dev/vda1", file(disk)}});
        };
        devices.aliases = {"virtio:d00000002v00001AF4"};
    }
    StepReport run() {
        const auto early = executor.run(plan_early(boot));
        const auto result = executor.run(plan_boot(boot));
        EXPECT_TRUE(early && result);
        for (auto& report : executor.reports())
            if (report.id == "swap-on") return report;
        return {};
    }
    std::string disk;
    bool compressor = false;  // its module is loaded
};

TEST(SwapOn, CompressedMemory) {
    Swap node("zram:50%");
    EXPECT_EQ(node.run().outcome, StepOutcome::done);
    EXPECT_THAT(node.machine.swaps, ElementsAre("/dev/zram0"));
    EXPECT_EQ(node.files.text("/sys/block/zram0/disksize"), std::to_string(512U << 20));
    EXPECT_TRUE(read_head(node.files.text("/dev/zram0")));
    EXPECT_TRUE(node.compressor);
}

TEST(SwapOn, APartitionByItsLabel) {
    Swap node("LABEL=scratch");
    node.disk = head_with({{4086, "SWAPSPACE2"}, {0x41C, "scratch"}});
    EXPECT_EQ(node.run().outcome, StepOutcome::done);
    EXPECT_THAT(node.machine.swaps, ElementsAre("/dev/vda1"));
}

TEST(SwapOn, AFileOnAPartition) {
    Swap node("LABEL=data:/swapfile");
    node.disk = head_with({{1080, "\x53\xEF"}, {1144, "data"}});
    node.files.tree({{"/disk/swapfile", file()}});
    node.mounts.provide("/dev/vda1", "/disk");
    EXPECT_EQ(node.run().outcome, StepOutcome::done);
    EXPECT_THAT(node.machine.swaps, ElementsAre("/run/diskless/swap/0/swapfile"));
    EXPECT_EQ(node.files.status("/run/diskless/swap/0")->kind, FileKind::directory);
}

// mount(2) of FAT fails without its tables of names, and the kernel's own wish for them needs a modprobe.
TEST(SwapOn, AFileOnFatBringsTheTablesOfItsNames) {
    Swap node("LABEL=WINDOWS:/linux.swp");
    node.disk = head_with({{0, "\xEB\x3C\x90"}, {43, "WINDOWS    "}, {54, "FAT16   "}, {510, "\x55\xAA"}});
    node.files.tree({{"/disk/linux.swp", file()}});
    node.mounts.provide("/dev/vda1", "/disk");
    EXPECT_EQ(node.run().outcome, StepOutcome::done);
    const auto loaded = node.modules.loaded().value();
    for (const char* name : {"vfat", "fat", "nls_cp437", "nls_ascii"}) EXPECT_THAT(loaded, ::testing::Contains(name));
}

TEST(SwapOn, AFileThatCannotBeUsedLeavesNothingMounted) {
    Swap node("LABEL=data:/swapfile");
    node.disk = head_with({{1080, "\x53\xEF"}, {1144, "data"}});
    node.files.tree({{"/disk/swapfile", file()}});
    node.mounts.provide("/dev/vda1", "/disk");
    node.machine.refused["/run/diskless/swap/0/swapfile"] = EINVAL;
    EXPECT_EQ(node.run().outcome, StepOutcome::degraded);
    for (const auto& line : node.mounts.lines()) EXPECT_FALSE(line.starts_with("/run/diskless/swap")) << line;
}

TEST(SwapOn, APartitionThatIsNotThereIsWaitedForAndLeft) {
    Swap node("LABEL=nowhere");
    const auto step = node.run();
    EXPECT_EQ(step.outcome, StepOutcome::degraded);
    EXPECT_THAT(step.cause, HasSubstr("LABEL=nowhere"));
    EXPECT_THAT(node.machine.swaps, IsEmpty());
}

TEST(SwapOn, ADiskOfDataIsNotSwap) {
    Swap node("LABEL=data");
    node.disk = head_with({{1080, "\x53\xEF"}, {1144, "data"}});
    const auto step = node.run();
    EXPECT_EQ(step.outcome, StepOutcome::degraded);
    EXPECT_THAT(step.cause, HasSubstr("holds ext4, no swap"));
    EXPECT_THAT(node.machine.swaps, IsEmpty());
}

TEST(SwapOn, AFileInTheSnapshot) {
    Swap node("snapshot:/swap");
    EXPECT_EQ(node.run().outcome, StepOutcome::done);
    EXPECT_THAT(node.machine.swaps, ElementsAre("/run/diskless/snapshot/swap"));
}

}  // namespace
}  // namespace diskless
