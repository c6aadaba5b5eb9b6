#include <gtest/gtest.h>

#include <cstdlib>

#include "common/os/tool.hpp"
#include "server-helper/usb/stick_device.hpp"
#include "server-helper/usb/stick_image.hpp"
#include "server-helper/usb/stick_text.hpp"
#include "tests/unit/server-helper/model/tree_fixture.hpp"
#include "tests/unit/server-helper/render/site.hpp"

namespace diskless::server {
namespace {

namespace fs = std::filesystem;

class StickText : public testing::Test {
  protected:
    Site site = test::site();
    ResolvedNode node = site.nodes[0];
    std::string line(bool static_address = true) {
        const auto made = stick_command_line(site.cluster, node, static_address);
        return made ? *made : "error: " + made.error().cause;
    }
};

TEST_F(StickText, TheNodesAddressStandsInPlaceOfDhcp) {
    EXPECT_EQ(line(),
              "root=/dev/nfs nfsroot=10.9.0.1:/srv/diskless/images/debian/7 "
              "ip=10.9.1.1:10.9.0.1:10.9.0.254:255.255.0.0:node001::off:10.9.0.53:10.9.1.53:10.9.0.123 ro "
              "SNAPSHOT=node001 BOOTIF=01-52-54-00-12-34-01");
    EXPECT_NE(line(false).find(" ip=dhcp ro "), std::string::npos) << line(false);
}

TEST_F(StickText, WhatIsNotKnownIsEmpty) {
    site.cluster.router = {};
    site.cluster.dns.clear();
    site.cluster.ntp.clear();
    node.interface = "eth1";
    node.mac = {};
    EXPECT_NE(line().find(" ip=10.9.1.1:10.9.0.1::255.255.0.0:node001:eth1:off ro"), std::string::npos) << line();
    EXPECT_EQ(line().find("BOOTIF"), std::string::npos);
}

TEST_F(StickText, TheNodesOwnIpComesAfter) {
    node.command_line += " ip=10.1.1.1:::255.0.0.0::eth7:off";
    EXPECT_NE(line().find("SNAPSHOT=node001 ip=10.1.1.1:::255.0.0.0::eth7:off BOOTIF"), std::string::npos) << line();
}

TEST_F(StickText, ANodeThatAsksByRarpGoesOnToAsk) {
    node.command_line = "root=/dev/nfs nfsroot=10.9.0.1:/r ro SNAPSHOT=n ip=rarp";
    EXPECT_EQ(line(), node.command_line + " BOOTIF=01-52-54-00-12-34-01");
    node.command_line = "root=/dev/nfs ip=eth1:dhcp ro";
    EXPECT_NE(line().find(" ip=10.9.1.1:"), std::string::npos) << line();
}

TEST_F(StickText, WithoutAnAddressItSaysWhatToDo) {
    node.address = {};
    const auto made = stick_command_line(site.cluster, node, true);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().remedy.find("--dhcp"), std::string::npos) << made.error().remedy;
    EXPECT_TRUE(stick_command_line(site.cluster, node, false));
    node.address = Ipv4(10, 9, 1, 1);
    site.cluster.prefix = 0;
    EXPECT_FALSE(stick_command_line(site.cluster, node, true));
}

TEST_F(StickText, NothingIsSmuggledIntoTheMenus) {
    node.command_line += "\nLINUX evil";
    EXPECT_FALSE(stick_command_line(site.cluster, node, true));
    EXPECT_FALSE(stick_syslinux_config(node, "a\nb"));
    EXPECT_FALSE(stick_grub_config(node, "a\nb"));
}

TEST_F(StickText, Menus) {
    EXPECT_EQ(*stick_syslinux_config(node, "a b=c"),
              "# Made by \"diskless-server usb create node001\".\nDEFAULT diskless\nPROMPT 0\nLABEL diskless\n"
              "  LINUX /vmlinuz\n  INITRD /initrd.img\n  APPEND a b=c\n");
    const auto grub = *stick_grub_config(node, "a b=$c");
    EXPECT_NE(grub.find("linux /vmlinuz a"), std::string::npos) << grub;
    EXPECT_NE(grub.find("'b=$c'"), std::string::npos) << "else it is a variable of GRUB: " << grub;
}

TEST(StickTable, OneActivePartitionBehindTheCode) {
    const auto sector = *stick_boot_sector(std::string(440, '\x90'), std::uint64_t{64} << 20, 0x12345678);
    ASSERT_EQ(sector.size(), 512u);
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(sector[at]); };
    EXPECT_EQ(byte(439), 0x90);
    EXPECT_EQ(byte(440), 0x78);
    EXPECT_EQ(byte(443), 0x12);
    EXPECT_EQ(byte(446), 0x80);
    EXPECT_EQ(byte(450), 0x0C);
    EXPECT_EQ(byte(455), 0x08) << "sector 2048";
    EXPECT_EQ((*stick_boot_sector("", std::uint64_t{64} << 20, 1, true))[450], 0x0E) << "FAT16";
    EXPECT_EQ(byte(460), 0x02) << "131072 sectors";
    EXPECT_EQ(byte(462), 0) << "no second partition";
    EXPECT_EQ(byte(510), 0x55);
    EXPECT_EQ(byte(511), 0xAA);
    EXPECT_FALSE(stick_boot_sector(std::string(441, 'x'), 1 << 20, 1));
    EXPECT_FALSE(stick_boot_sector("", std::uint64_t{3} << 40, 1));
}

TEST(StickTable, RoomForAllThatIsCopied) {
    EXPECT_EQ(stick_partition_size(0), std::uint64_t{64} << 20);
    for (const std::uint64_t content : {std::uint64_t{61} << 20, std::uint64_t{200} << 20, std::uint64_t{3} << 30}) {
        const auto size = stick_partition_size(content);
        EXPECT_EQ(size % (1 << 20), 0u);
        const auto clusters = size / (size < (std::uint64_t{256} << 20) ? 512 : 4096);
        EXPECT_GT(size, content + clusters * 8 + (1 << 20)) << "two FATs and SYSLINUX";
    }
}

/// The kernel's files of a stick sdb with one partition.
class Device : public TreeTest {
  protected:
    Device() {
        const std::string disk = "sys/devices/usb1/block/sdb";
        write(disk + "/dev", "8:16\n");
        write(disk + "/size", "262144\n");
        write(disk + "/removable", "1\n");
        write(disk + "/ro", "0\n");
        write(disk + "/sdb1/dev", "8:17\n");
        write(disk + "/sdb1/partition", "1\n");
        write(disk + "/sdb1/size", "1000\n");
        fs::create_directories(path("sys/dev/block"));
        fs::create_symlink("../../devices/usb1/block/sdb", path("sys/dev/block/8:16"));
        fs::create_symlink("../../devices/usb1/block/sdb/sdb1", path("sys/dev/block/8:17"));
    }
    StickDevice describe(const std::string& number = "8:16") {
        const auto found = describe_device("/dev/sdb", number, path("sys"), mounts, swaps);
        EXPECT_TRUE(found) << found.error().cause;
        return found.value_or(StickDevice{});
    }
    std::string why(bool force = false, std::uint64_t needed = 1 << 20) {
        const auto checked = check_device(describe(), needed, force);
        return checked ? "" : checked.error().cause;
    }
    std::string mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", swaps = "Filename Type Size Used Priority\n";
};

TEST_F(Device, AnUnusedStickIsGood) {
    EXPECT_EQ(why(), "");
    EXPECT_EQ(describe().size, std::uint64_t{128} << 20);
}

TEST_F(Device, WhatIsMountedIsRefusedAlsoByForce) {
    mounts += "30 22 8:17 / /media/my\\040stick rw shared:5 - vfat /dev/sdb1 rw\n";
    EXPECT_NE(why(true).find("/dev/sdb1 is mounted on /media/my stick"), std::string::npos) << why(true);
    mounts = "30 22 8:16 / /media rw - vfat /dev/sdb rw\n";
    EXPECT_NE(why(true).find("/dev/sdb is mounted on /media"), std::string::npos) << why(true);
    mounts = "30 22 8:18 / /media rw - vfat /dev/sdc rw\n";
    EXPECT_EQ(why(), "") << "another device";
}

TEST_F(Device, SwapAndWhatOthersStandOnAreRefused) {
    swaps += "/dev/sdb1 partition 1000 0 -2\n";
    EXPECT_NE(why(true).find("/dev/sdb1 is swap"), std::string::npos) << why(true);
    swaps.clear();
    write("sys/devices/usb1/block/sdb/sdb1/holders/dm-0", "");
    EXPECT_NE(why(true).find("/dev/sdb1 is part of /dev/dm-0"), std::string::npos) << why(true);
}

TEST_F(Device, ADiskNeedsForce) {
    write("sys/devices/usb1/block/sdb/removable", "0\n");
    const auto checked = check_device(describe(), 1, false);
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().remedy.find("--force"), std::string::npos);
    EXPECT_EQ(why(true), "");
}

TEST_F(Device, APartitionIsNotAStick) {
    const auto device = describe("8:17");
    const auto checked = check_device(device, 1, true);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().remedy, "name the whole stick: /dev/sdb");
}

TEST_F(Device, TooSmallOrReadOnly) {
    EXPECT_NE(why(true, std::uint64_t{129} << 20).find("has 128 MiB, 129 are needed"), std::string::npos);
    write("sys/devices/usb1/block/sdb/ro", "1\n");
    EXPECT_NE(why(true).find("read-only"), std::string::npos);
}

TEST_F(Device, WritesAndReadsBack) {
    write("image", std::string((3 << 20) + 512, 'i'));
    write("device", std::string(4 << 20, 'd'));
    std::uint64_t last = 0;
    ASSERT_TRUE(write_device(path("image"), path("device"), [&](std::uint64_t done, std::uint64_t) { last = done; }));
    EXPECT_EQ(read("device"), read("image") + std::string((1 << 20) - 512, 'd'));
    EXPECT_GT(last, std::uint64_t{3} << 20);
    EXPECT_FALSE(write_device(path("image"), "/dev/full", {}));
}

TEST(Stick, ShowsTheComplaintOfATool) {
    EXPECT_EQ(complaint_of("mkfs.vfat: unable to create x\nmkfs.fat 4.2 (2021-01-31)\n"),
              "mkfs.vfat: unable to create x");
    EXPECT_EQ(complaint_of("mkfs.fat 4.2 (2021-01-31)\nno room\n\n"), "no room");
    EXPECT_EQ(complaint_of("init :: non DOS media\nCannot initialize '::'\n"), "Cannot initialize '::'");
    EXPECT_EQ(complaint_of("mkfs.fat 4.2 (2021-01-31)\n"), "mkfs.fat 4.2 (2021-01-31)") << "better than nothing";
    EXPECT_EQ(complaint_of(""), "");
}

class UsbCreate : public TreeTest {
  protected:
    UsbCreate() {
        write("nodes.toml", "[node.n1]\nip = \"10.8.0.5\"\n[node.n2]\n");
        for (const char* name : {"vmlinuz", "initrd.img"})
            write(std::string("boot/tftp/debian/20260101-000000/") + name, std::string("content of ") + name);
    }
};

TEST_F(UsbCreate, BadUsage) {
    EXPECT_EQ(run({"usb", "create"}), 2);
    EXPECT_EQ(run({"usb", "create", "n1"}), 2);
    EXPECT_EQ(run({"usb", "create", "n1", "--out", "a", "--device", "b"}), 2);
    EXPECT_NE(err.find("exclude each other"), std::string::npos) << err;
    EXPECT_EQ(run({"usb", "create", "n1", "--out", "/nonexist/x.img"}), 1);
    EXPECT_NE(err.find("there is no directory /nonexist\n  make it"), std::string::npos) << err;
    EXPECT_EQ(run({"usb", "create", "nobody", "--out", path("x")}), 1);
    EXPECT_EQ(run({"usb", "create", "n1", "--out", "/dev/null"}), 1);
    EXPECT_NE(err.find("--device"), std::string::npos) << err;
    EXPECT_EQ(run({"usb", "create", "n2", "--out", path("x")}), 1);
    EXPECT_NE(err.find("no address"), std::string::npos) << err;
}

TEST_F(UsbCreate, MissingBootFilesAreNamedWithTheirRemedy) {
    fs::remove(path("boot/tftp/debian/20260101-000000/initrd.img"));
    EXPECT_EQ(run({"usb", "create", "n1", "--out", path("x")}), 1);
    EXPECT_NE(err.find("diskless-server boot apply"), std::string::npos) << err;
}

TEST_F(UsbCreate, TheImageHoldsWhatTheNodeBoots) {
    for (const char* tool : {"mkfs.vfat", "mcopy", "syslinux"})
        if (!find_tool(tool)) GTEST_SKIP() << tool << " is not installed";
    EXPECT_EQ(run({"usb", "create", "n1", "--out", path("stick"), "--dry-run"}), 0) << err;
    EXPECT_FALSE(exists("stick"));
    ASSERT_EQ(run({"usb", "create", "n1", "--out", path("stick"), "--json"}), 0) << err;
    EXPECT_NE(out.find("\"bios\": true"), std::string::npos) << out;
    for (const auto& [file, content] : {std::pair{"/vmlinuz", "content of vmlinuz"},
                                        {"/initrd.img", "content of initrd"},
                                        {"/syslinux.cfg", "ip=10.8.0.5:10.8.0.1::255.255.0.0:n1::off"}}) {
        const auto shown = run_tool({*find_tool("mcopy"), "-i", path("stick") + "@@1M", std::string("::") + file, "-"},
                                    std::chrono::seconds(20));
        ASSERT_TRUE(shown);
        EXPECT_NE(shown->text.find(content), std::string::npos) << file << ": " << shown->text;
    }
    for (const auto& entry : fs::directory_iterator(base))
        EXPECT_EQ(entry.path().filename().string().find("stick."), std::string::npos) << "left over: " << entry.path();
}

TEST_F(UsbCreate, AFailureLeavesTheOldImage) {
    for (const char* tool : {"mkfs.vfat", "mcopy", "syslinux"})
        if (!find_tool(tool)) GTEST_SKIP() << tool << " is not installed";
    write("stick", "the old one");
    write("bin/mcopy", "#!/bin/sh\necho 'fat_write: No space left on device' >&2\nexit 1\n");
    fs::permissions(path("bin/mcopy"), fs::perms::owner_all);
    const std::string search = std::getenv("PATH");
    ::setenv("PATH", (path("bin") + ":" + search).c_str(), 1);
    EXPECT_EQ(run({"usb", "create", "n1", "--out", path("stick"), "--quiet"}), 1);
    ::setenv("PATH", search.c_str(), 1);
    EXPECT_NE(err.find("mcopy failed (exit status 1): fat_write: No space left on device\n  make room"),
              std::string::npos)
        << err;
    EXPECT_TRUE(read("stick") == "the old one");
    for (const auto& entry : fs::directory_iterator(base))
        EXPECT_FALSE(entry.path().filename().string().starts_with(".diskless")) << "left over: " << entry.path();
}

}  // namespace
}  // namespace diskless::server
