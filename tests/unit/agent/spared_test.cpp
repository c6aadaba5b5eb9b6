#include "agent/spared.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_files.hpp"

namespace diskless {
namespace {

TEST(SpareProcesses, NamesThemToSendsigs) {
    FakeFiles files;
    ASSERT_TRUE(spare_processes(files, {104, 105}));
    EXPECT_EQ(files.read(kSparedFile).value(), "104\n105\n");
    ASSERT_TRUE(spare_processes(files, {104, 900})) << "a new agent";
    EXPECT_EQ(files.read(kSparedFile).value(), "104\n900\n");
}

TEST(SpareProcesses, LeavesSystemdAlone) {
    FakeFiles files;
    ASSERT_TRUE(files.make_directories("/run/systemd/system"));
    ASSERT_TRUE(spare_processes(files, {104, 105}));
    EXPECT_FALSE(files.exists(kSparedFile));
}

}  // namespace
}  // namespace diskless
