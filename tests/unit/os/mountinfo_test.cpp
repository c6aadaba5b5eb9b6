#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/os/mounts.hpp"

namespace diskless {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(ParseMountinfo, TakesEveryField) {
    const auto entries = parse_mountinfo(
        "36 35 0:41 /node7 /var/lib rw,nosuid shared:12 master:1 - nfs4 10.9.0.1:/srv/snap "
        "rw,vers=4.2,addr=10.9.0.1\n");
    ASSERT_THAT(entries, SizeIs(1));
    EXPECT_EQ(entries[0].id, 36);
    EXPECT_EQ(entries[0].parent_id, 35);
    EXPECT_EQ(entries[0].root, "/node7");
    EXPECT_EQ(entries[0].target, "/var/lib");
    EXPECT_EQ(entries[0].options, "rw,nosuid");
    EXPECT_EQ(entries[0].type, "nfs4");
    EXPECT_EQ(entries[0].source, "10.9.0.1:/srv/snap");
    EXPECT_EQ(entries[0].super_options, "rw,vers=4.2,addr=10.9.0.1");
}

TEST(ParseMountinfo, OptionalFieldsMayBeAbsentAndNamesMayBeDashes) {
    const auto entries = parse_mountinfo("1 0 0:1 / - rw - tmpfs - rw\n2 1 0:2 / /x rw - ramfs  rw");
    ASSERT_THAT(entries, SizeIs(2));
    EXPECT_EQ(entries[0].target, "-");
    EXPECT_EQ(entries[0].source, "-");
    EXPECT_EQ(entries[1].source, "") << "an empty source is an empty field";
    EXPECT_EQ(entries[1].super_options, "rw");
}

TEST(ParseMountinfo, UndoesTheKernelsEscapes) {
    const auto entries = parse_mountinfo(
        "1 0 0:1 / /a\\040b\\011c\\012d\\134040e\\043 rw - tmpfs s\\040p rw\n"
        "2 1 0:1 / /\\4 rw - tmpfs \\777\\ rw\n");
    ASSERT_THAT(entries, SizeIs(2));
    EXPECT_EQ(entries[0].target, "/a b\tc\nd\\040e#") << "unescaped once only";
    EXPECT_EQ(entries[0].source, "s p");
    EXPECT_EQ(entries[1].target, "/\\4") << "no escape, so kept";
    EXPECT_EQ(entries[1].source, "\\777\\");
}

TEST(ParseMountinfo, SkipsLinesThatDoNotFit) {
    for (const auto* bad : {"", "\n\n", "garbage", "1 2 3 4 5 6", "1 0 0:1 / /x rw - tmpfs",
                            "x 0 0:1 / /x rw - tmpfs a rw", "1 0 0:1 / /x rw shared:1 tmpfs a rw",
                            "99999999999 0 0:1 / /x rw - tmpfs a rw", "1 0 0:1 / /x rw shared:1 -"})
        EXPECT_THAT(parse_mountinfo(bad), IsEmpty()) << bad;
    EXPECT_THAT(parse_mountinfo("garbage\n1 0 0:1 / /x rw - tmpfs a rw\nmore"), SizeIs(1));
}

}  // namespace
}  // namespace diskless
