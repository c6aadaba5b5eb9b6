#include "server-helper/model/apply.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <thread>
#include <utility>

#include "common/os/files_linux.hpp"
#include "server-helper/model/lock.hpp"
#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using ApplyTest = TreeTest;

TEST(UnifiedDiff, ShowsWhatDiffersWithContext) {
    const std::tuple<const char*, const char*, const char*> cases[] = {
        {"a\n", "a\n", ""},
        {"", "a\n", "--- f\n+++ f\n@@ -0,0 +1 @@\n+a\n"},
        {"a\nb\n", "b\n", "--- f\n+++ f\n@@ -1,2 +1 @@\n-a\n b\n"},
        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
         "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n"},
        {"a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
         "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n"},
        {"a\nb\nc\n", "b\nc\nd\n", "--- f\n+++ f\n@@ -1,3 +1,3 @@\n-a\n b\n c\n+d\n"},
    };
    for (const auto& [before, after, diff] : cases) EXPECT_EQ(unified_diff("f", before, after), diff);
}

TEST_F(ApplyTest, WritesOnlyWhatDiffersAndRemovesWhatIsUnwanted) {
    LinuxFiles files;
    const WantedFiles wanted = {{path("boot/a/b"), {"one\n", 0644}}, {path("boot/key"), {"hidden\n", 0600}}};
    write("boot/old", "x");
    auto changes = apply_files(files, wanted, {path("boot/old"), path("boot/never")}, true);
    ASSERT_TRUE(changes);
    EXPECT_EQ(changes->size(), 3u);
    EXPECT_THAT(diff_text(*changes), HasSubstr("+one"));
    EXPECT_THAT(diff_text(*changes), Not(HasSubstr("hidden"))) << "a secret is not printed";
    EXPECT_FALSE(exists("boot/a")) << "a dry run";
    ASSERT_TRUE(apply_files(files, wanted, {path("boot/old")}, false));
    EXPECT_EQ(read("boot/a/b"), "one\n");
    EXPECT_FALSE(exists("boot/old"));
    EXPECT_EQ(files.status(path("boot/key"))->mode, 0600u);
    const auto before = files.status(path("boot/a/b"))->inode;
    EXPECT_TRUE(apply_files(files, wanted, {}, false)->empty());
    EXPECT_EQ(files.status(path("boot/a/b"))->inode, before);
    ::chmod(path("boot/key").c_str(), 0644);
    EXPECT_EQ(apply_files(files, wanted, {}, false)->size(), 1u) << "a mode that was opened is closed again";
    EXPECT_EQ(files.status(path("boot/key"))->mode, 0600u);
}

TEST_F(ApplyTest, RefusesADirectoryInPlaceOfAFileBeforeAnythingIsWritten) {
    LinuxFiles files;
    write("boot/z/file", "x");
    EXPECT_FALSE(apply_files(files, {{path("boot/a"), {"1", 0644}}, {path("boot/z"), {"2", 0644}}}, {}, false));
    EXPECT_FALSE(exists("boot/a"));
}

TEST_F(ApplyTest, OneProgramAtATime) {
    write("nodes.toml", "[node.n0]\n");
    const auto silence = std::exchange(TreeLock::silence, std::chrono::milliseconds{0});
    const auto patience = std::exchange(TreeLock::patience, std::chrono::milliseconds{50});
    auto lock = TreeLock::take(base);
    ASSERT_TRUE(lock);
    EXPECT_EQ(run({"node", "add", "n1"}), kFailed);
    const auto holder = "another diskless-server (process " + std::to_string(::getpid()) + ")";
    EXPECT_THAT(err, HasSubstr("waiting for " + holder));
    EXPECT_THAT(err, HasSubstr("is being changed by " + holder));
    for (const char* before : {"", "2147483647\n", "junk"}) {
        write(".lock", before);
        EXPECT_EQ(run({"node", "add", "n1"}), kFailed);
        EXPECT_THAT(err, HasSubstr("is being changed by another diskless-server\n")) << "it has only just begun";
    }
    EXPECT_EQ(run({"node", "add", "n1", "--dry-run"}), kDone) << "looking needs no lock";
    write("snapshots/.prepare/n7/file", "of the one that works");
    EXPECT_EQ(run({"snapshot", "prepare", "--dry-run"}), kDone) << err;
    EXPECT_TRUE(exists("snapshots/.prepare/n7/file"));
    EXPECT_FALSE(TreeLock::take(path("absent")));

    TreeLock::patience = std::chrono::seconds{60};
    std::thread holds([&, held = std::move(*lock)]() mutable {
        std::this_thread::sleep_for(std::chrono::milliseconds(60));
        const auto ends = std::move(held);
    });
    EXPECT_EQ(run({"node", "add", "n1"}), kDone) << err;
    holds.join();
    TreeLock::silence = silence;
    TreeLock::patience = patience;
}

}  // namespace
}  // namespace diskless::server
