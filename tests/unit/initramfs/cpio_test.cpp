#include "initramfs/cpio.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace diskless {
namespace {

std::vector<ImageEntry> example() {
    return {
        {"/dev", EntryKind::directory, 0755, {}},    {"/dev/console", EntryKind::character_device, 0600, {}, 5, 1},
        {"/init", EntryKind::file, 0755, "program"}, {"/sh", EntryKind::symlink, 0777, "busybox"},
        {"/empty", EntryKind::file, 0644, ""},
    };
}

TEST(Cpio, WhatIsWrittenIsReadAgain) {
    const auto packed = write_cpio(example(), 1732012345);
    ASSERT_TRUE(packed);
    const auto image = compress(*packed, 3);
    ASSERT_TRUE(image);
    const auto entries = read_cpio(*image);
    ASSERT_TRUE(entries) << entries.error().cause;
    ASSERT_EQ(entries->size(), 5u);
    EXPECT_EQ((*entries)[1].path, "/dev/console");
    EXPECT_EQ((*entries)[1].kind, EntryKind::character_device);
    EXPECT_EQ((*entries)[1].major, 5u);
    EXPECT_EQ((*entries)[2].content, "program");
    EXPECT_EQ((*entries)[2].mode, 0755u);
    EXPECT_EQ((*entries)[3].content, "busybox");
}

// Header fields of newc, each eight hexadecimal digits: magic, ino, mode, uid, gid, nlink, mtime, ...
TEST(Cpio, HeaderHoldsNothingOfThisMachine) {
    const auto packed = write_cpio(example(), 0x673C0001);
    ASSERT_TRUE(packed);
    EXPECT_EQ(packed->substr(0, 6), "070701");
    EXPECT_EQ(packed->substr(6, 8), "00000001");
    EXPECT_EQ(packed->substr(14 + 8, 16), "0000000000000000");  // uid, gid
    auto time = packed->substr(6 + 5 * 8, 8);
    std::transform(time.begin(), time.end(), time.begin(), ::toupper);
    EXPECT_EQ(time, "673C0001");
    EXPECT_EQ(packed->size() % 4, 0u);
    EXPECT_EQ(*packed, *write_cpio(example(), 0x673C0001));
}

TEST(Cpio, ZstdFrameSuitsTheKernel) {
    const auto image = compress(std::string(20 << 20, 'x'), 1);
    ASSERT_TRUE(image);
    EXPECT_EQ(image->substr(0, 4), "\x28\xB5\x2F\xFD");
    const auto descriptor = static_cast<unsigned char>((*image)[4]);
    EXPECT_EQ(descriptor & 0x04, 0) << "checksum";
    ASSERT_EQ(descriptor & 0x20, 0) << "single segment: the window would be the whole content";
    EXPECT_LE(static_cast<unsigned char>((*image)[5]) >> 3, 23 - 10) << "window beyond 8 MiB";
}

TEST(Cpio, RubbishIsAnError) {
    EXPECT_FALSE(read_cpio("this is no image"));
    const auto packed = write_cpio(example(), 1);
    EXPECT_FALSE(read_cpio(std::string_view(*packed).substr(0, 200)));
}

}  // namespace
}  // namespace diskless
