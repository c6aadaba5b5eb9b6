#include "common/os/output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "common/os/descriptor.hpp"

namespace diskless {
namespace {

TEST(FileOutput, RemembersTheFirstTextThatWasNotTaken) {
    const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC)), null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(full && null);
    FileOutput lost(full.get()), taken(null.get());
    EXPECT_EQ(lost.problem(), 0);
    lost.write("text");
    taken.write("text");
    EXPECT_EQ(lost.problem(), ENOSPC);
    EXPECT_EQ(taken.problem(), 0);
}

}  // namespace
}  // namespace diskless
