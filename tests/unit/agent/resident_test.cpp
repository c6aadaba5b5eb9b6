// Only what a test may do to the machine it runs on.
#include "common/os/resident.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(FreeSpace, TellsOfAFileSystemOrWhyNot) {
    const auto space = free_space("/tmp");
    ASSERT_TRUE(space) << space.error().cause;
    EXPECT_GT(space->total_bytes, 0u);
    EXPECT_LE(space->free_bytes, space->total_bytes);
    const auto none = free_space("/nowhere/at/all");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ENOENT);
}

}  // namespace
}  // namespace diskless
