#include "common/os/files_linux.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>

#include "common/os/descriptor.hpp"
#include "tests/fakes/temporary_directory.hpp"

namespace diskless {
namespace {

using ::testing::ElementsAre;

class LinuxFilesTest : public ::testing::Test {
  protected:
    void TearDown() override { EXPECT_TRUE(files_.remove_tree(top_)); }
    std::string in(const std::string& path) const { return top_ + "/" + path; }
    static struct stat stat_of(const std::string& path) {
        struct stat found {};
        EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
        return found;
    }

    LinuxFiles files_;
    const TemporaryDirectory directory_;
    const std::string top_ = directory_.path;
};

TEST_F(LinuxFilesTest, ReadsUpToItsLimit) {
    ASSERT_TRUE(files_.write(in("f"), "12345"));
    EXPECT_EQ(*files_.read(in("f"), 5), "12345");
    EXPECT_EQ(files_.read(in("f"), 4).error().code, EFBIG);
    EXPECT_EQ(files_.read(in("none")).error().code, ENOENT);
    EXPECT_EQ(files_.read(top_).error().code, EISDIR);
    EXPECT_NE(files_.read("/proc/self/mounts")->size(), 0u) << "files that claim no size";
    const std::string big(300'000, 'x');
    ASSERT_TRUE(files_.write(in("f"), big));
    EXPECT_EQ(*files_.read(in("f")), big);
}

TEST_F(LinuxFilesTest, ReplaceIsExactAndLeavesNothingBeside) {
    const auto old = ::umask(077);
    EXPECT_TRUE(files_.replace(in("f"), "one", 0664));
    ::umask(old);
    EXPECT_EQ(files_.status(in("f"))->mode, 0664u);
    EXPECT_TRUE(files_.replace(in("f"), "two", 0600));
    EXPECT_EQ(*files_.read(in("f")), "two");
    EXPECT_EQ(files_.status(in("f"))->mode, 0600u);
    EXPECT_THAT(*files_.list(top_), ElementsAre("f"));
    ASSERT_TRUE(files_.make_directories(in("d")));
    EXPECT_FALSE(files_.replace(in("d"), "x"));
    EXPECT_THAT(*files_.list(top_), ElementsAre("d", "f")) << "a failed one cleans up too";
}

TEST_F(LinuxFilesTest, StatusDoesNotFollow) {
    ASSERT_TRUE(files_.make_symlink("/etc", in("l")));
    EXPECT_EQ(files_.status(in("l"))->kind, FileKind::symlink);
    EXPECT_EQ(*files_.read_link(in("l")), "/etc");
    EXPECT_EQ(files_.status(in("none")).error().code, ENOENT);
    EXPECT_TRUE(files_.is_directory(top_));
}

TEST_F(LinuxFilesTest, MakesDirectoriesWithExactMode) {
    const auto old = ::umask(077);
    EXPECT_TRUE(files_.make_directories(in("a/b/c"), 01777));
    ::umask(old);
    EXPECT_EQ(files_.status(in("a/b/c"))->mode, 01777u);
    EXPECT_TRUE(files_.make_directories(in("a/b"), 0700));
    EXPECT_EQ(files_.status(in("a/b"))->mode, 01777u) << "an existing one keeps its mode";
    ASSERT_TRUE(files_.make_file(in("f"), 0600));
    EXPECT_EQ(files_.make_directories(in("f")).error().code, ENOTDIR);
    EXPECT_FALSE(files_.make_directories(in("f/x")));
}

TEST_F(LinuxFilesTest, RemovesWhatIsThereAndAcceptsWhatIsNot) {
    ASSERT_TRUE(files_.make_directories(in("d/e")));
    ASSERT_TRUE(files_.make_symlink("/nowhere", in("l")));
    EXPECT_TRUE(files_.remove(in("none")));
    EXPECT_TRUE(files_.remove(in("l")));
    EXPECT_FALSE(files_.remove(in("d"))) << "not empty";
    EXPECT_TRUE(files_.remove(in("d/e")));
    EXPECT_TRUE(files_.remove_tree(in("none/none")));
}

TEST_F(LinuxFilesTest, RemoveTreeDoesNotFollowSymlinks) {
    ASSERT_TRUE(files_.make_directories(in("keep")));
    ASSERT_TRUE(files_.write(in("keep/f"), "x"));
    ASSERT_TRUE(files_.make_directories(in("t/a/b")));
    ASSERT_TRUE(files_.make_symlink(in("keep"), in("t/a/l")));
    EXPECT_TRUE(files_.remove_tree(in("t")));
    EXPECT_EQ(*files_.read(in("keep/f")), "x");
    EXPECT_FALSE(files_.exists(in("t")));
}

/// Whoever fills a tree may make it deeper than there are descriptors.
TEST_F(LinuxFilesTest, RemovesATreeOfAnyDepth) {
    ASSERT_TRUE(files_.make_directories(in("deep/.deep-0/kept")));  // as an attempt that was killed leaves it
    Descriptor at(::open(in("deep").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int level = 0; level < 3000; ++level) {
        ASSERT_EQ(::mkdirat(at.get(), "d", 0755), 0) << level;
        if (level % 100 == 0) {
            ASSERT_EQ(::mkdirat(at.get(), "beside", 0755), 0);
        }
        at = Descriptor(::openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    const auto removed = files_.remove_tree(in("deep"));
    EXPECT_TRUE(removed) << removed.error().cause;
    EXPECT_FALSE(files_.exists(in("deep")));
}

TEST_F(LinuxFilesTest, ASymlinkInThePlaceOfANewDirectoryIsNotFollowed) {
    ASSERT_TRUE(files_.write(in("secret"), "x"));
    ASSERT_TRUE(files_.set_mode(in("secret"), 0600));
    ASSERT_TRUE(files_.make_symlink(in("secret"), in("taken")));
    EXPECT_FALSE(files_.make_directories(in("taken"), 0777));
    EXPECT_EQ(stat_of(in("secret")).st_mode & 07777, 0600u);
}

TEST_F(LinuxFilesTest, CopiesEverythingOfATree) {
    ASSERT_TRUE(files_.make_directories(in("from/sub"), 0750));
    ASSERT_TRUE(files_.replace(in("from/sub/suid"), "s", 04711));
    ASSERT_TRUE(files_.write(in("from/a\nb"), "newline"));
    ASSERT_TRUE(files_.link(in("from/sub/suid"), in("from/hard")));
    ASSERT_TRUE(files_.make_symlink("nowhere", in("from/dangling")));
    ASSERT_TRUE(files_.make_symlink(".", in("from/loop")));
    ASSERT_TRUE(files_.make_device(in("from/fifo"), FileKind::fifo, 0, 0, 0620));
    const timespec times[2] = {{1000, 0}, {2000, 123}};
    ::utimensat(AT_FDCWD, in("from/a\nb").c_str(), times, 0);
    ::utimensat(AT_FDCWD, in("from/dangling").c_str(), times, AT_SYMLINK_NOFOLLOW);
    ::utimensat(AT_FDCWD, in("from/sub").c_str(), times, 0);

    const auto copied = files_.copy(in("from"), in("to"), CopyWhat::everything);
    ASSERT_TRUE(copied) << copied.error().cause;
    EXPECT_EQ(copied->bytes, 8u) << "a hard link is copied once";
    EXPECT_EQ(files_.status(in("to/sub"))->mode, 0750u);
    EXPECT_EQ(files_.status(in("to/sub/suid"))->mode, 04711u);
    EXPECT_EQ(files_.status(in("to/sub/suid"))->inode, files_.status(in("to/hard"))->inode);
    EXPECT_NE(files_.status(in("to/hard"))->inode, files_.status(in("from/hard"))->inode);
    EXPECT_EQ(*files_.read_link(in("to/dangling")), "nowhere");
    EXPECT_EQ(*files_.read_link(in("to/loop")), ".");
    EXPECT_EQ(files_.status(in("to/fifo"))->kind, FileKind::fifo);
    EXPECT_EQ(files_.status(in("to/fifo"))->mode, 0620u);
    EXPECT_EQ(stat_of(in("to/a\nb")).st_mtim.tv_nsec, 123);
    EXPECT_EQ(stat_of(in("to/a\nb")).st_mtim.tv_sec, 2000);
    EXPECT_EQ(stat_of(in("to/dangling")).st_mtim.tv_sec, 2000);
    EXPECT_EQ(stat_of(in("to/sub")).st_mtim.tv_sec, 2000) << "set after what is in it was made";
}

TEST_F(LinuxFilesTest, CopiesAsLittleAsIsAsked) {
    ASSERT_TRUE(files_.make_directories(in("from/d/e")));
    ASSERT_TRUE(files_.write(in("from/d/f"), "x"));
    ASSERT_TRUE(files_.copy(in("from"), in("node"), CopyWhat::node));
    EXPECT_THAT(*files_.list(in("node")), ElementsAre());
    ASSERT_TRUE(files_.copy(in("from"), in("dirs"), CopyWhat::directories));
    EXPECT_THAT(*files_.list(in("dirs/d")), ElementsAre("e"));
    ASSERT_TRUE(files_.copy(in("from/d/f"), in("file"), CopyWhat::node));
    EXPECT_EQ(*files_.read(in("file")), "x");
}

TEST_F(LinuxFilesTest, NeverWritesThroughSymlinksNorOverFiles) {
    ASSERT_TRUE(files_.make_directories(in("from")));
    ASSERT_TRUE(files_.write(in("from/f"), "new"));
    ASSERT_TRUE(files_.make_directories(in("victim")));
    ASSERT_TRUE(files_.write(in("victim/f"), "old"));
    ASSERT_TRUE(files_.make_symlink(in("victim"), in("to")));
    EXPECT_FALSE(files_.copy(in("from"), in("to"), CopyWhat::everything));
    EXPECT_FALSE(files_.copy(in("from/f"), in("victim/f"), CopyWhat::everything));
    EXPECT_FALSE(files_.copy(in("from/f"), in("to"), CopyWhat::everything));
    EXPECT_EQ(*files_.read(in("victim/f")), "old");
    ASSERT_TRUE(files_.make_directories(in("merge/own")));
    EXPECT_TRUE(files_.copy(in("from"), in("merge"), CopyWhat::everything)) << "a directory into a directory";
    EXPECT_THAT(*files_.list(in("merge")), ElementsAre("f", "own"));
    EXPECT_EQ(files_.copy(in("none"), in("x"), CopyWhat::everything).error().code, ENOENT);
}

TEST_F(LinuxFilesTest, KeepsHolesAndBigContent) {
    const int hole = ::open(in("sparse").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ASSERT_GE(hole, 0);
    ASSERT_EQ(::ftruncate(hole, 1 << 30), 0);
    ASSERT_EQ(::pwrite(hole, "end", 3, (1 << 30) - 3), 3);
    ASSERT_EQ(::pwrite(hole, "mid", 3, 70'000'001), 3);
    ::close(hole);
    ASSERT_TRUE(files_.copy(in("sparse"), in("copy"), CopyWhat::everything));
    const auto copy = stat_of(in("copy"));
    EXPECT_EQ(copy.st_size, 1 << 30);
    EXPECT_LT(copy.st_blocks * 512, 1 << 20);
    char text[3];
    const int opened = ::open(in("copy").c_str(), O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(::pread(opened, text, 3, 70'000'001), 3);
    EXPECT_EQ(std::string(text, 3), "mid");
    ::close(opened);

    std::string big;
    for (int i = 0; i < 400'000; ++i) big += std::to_string(i);
    ASSERT_TRUE(files_.write(in("big"), big));
    EXPECT_EQ(files_.copy(in("big"), in("big2"), CopyWhat::everything)->bytes, big.size());
    EXPECT_TRUE(*files_.read(in("big2"), 1 << 24) == big);
    EXPECT_EQ(
        *files_.copy("/proc/version", in("version"), CopyWhat::everything).map([](auto c) { return c.bytes > 0; }),
        true)
        << "a file that claims no size";
}

TEST_F(LinuxFilesTest, CopiesExtendedAttributes) {
    ASSERT_TRUE(files_.write(in("f"), "x"));
    if (::setxattr(in("f").c_str(), "user.note", "hello", 5, 0) != 0) GTEST_SKIP() << "no user attributes on /tmp";
    const std::string large(2000, 'v');
    (void)::setxattr(in("f").c_str(), "user.large", large.data(), large.size(), 0);
    ASSERT_TRUE(files_.copy(in("f"), in("g"), CopyWhat::everything));
    char value[4096];
    EXPECT_EQ(::getxattr(in("g").c_str(), "user.note", value, sizeof value), 5);
    EXPECT_EQ(::getxattr(in("g").c_str(), "user.large", value, sizeof value),
              ::getxattr(in("f").c_str(), "user.large", value, sizeof value));
}

TEST_F(LinuxFilesTest, KeepsOwnersAndDevicesForRoot) {
    if (::geteuid() != 0) GTEST_SKIP() << "not root";
    ASSERT_TRUE(files_.make_directories(in("from")));
    ASSERT_TRUE(files_.replace(in("from/f"), "x", 06755));
    if (::chown(in("from/f").c_str(), 1234, 4321) != 0) GTEST_SKIP() << "no other owners here";
    ASSERT_EQ(::chmod(in("from/f").c_str(), 06755), 0);
    ASSERT_TRUE(files_.make_symlink("f", in("from/l")));
    ASSERT_EQ(::lchown(in("from/l").c_str(), 55, 66), 0);
    const bool device = files_.make_device(in("from/null"), FileKind::character_device, 1, 3, 0666).has_value();
    ASSERT_TRUE(files_.copy(in("from"), in("to"), CopyWhat::everything));
    EXPECT_EQ(files_.status(in("to/f"))->uid, 1234u);
    EXPECT_EQ(files_.status(in("to/f"))->gid, 4321u);
    EXPECT_EQ(files_.status(in("to/f"))->mode, 06755u) << "chown(2) clears set-id bits: mode comes after it";
    EXPECT_EQ(files_.status(in("to/l"))->uid, 55u);
    if (device) {
        EXPECT_EQ(stat_of(in("to/null")).st_rdev, stat_of(in("from/null")).st_rdev);
        EXPECT_EQ(files_.status(in("to/null"))->mode, 0666u);
    }
}

TEST_F(LinuxFilesTest, WhoIsNotRootIsToldToBeForOwnersOfOthers) {
    ASSERT_EQ(::chmod(top_.c_str(), 0777), 0);
    const bool root = ::geteuid() == 0;
    if (root && ::seteuid(65534) != 0) GTEST_SKIP() << "no other user here";
    const auto file = files_.copy("/etc/hostname", in("file"), CopyWhat::everything);
    if (root) ASSERT_EQ(::seteuid(0), 0);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().remedy, "run it as root");
}

/// Runs in a child with mounts of its own; 77: not possible here.
template <class Work>
int with_own_mounts(Work work) {
    const int child = ::fork();
    if (child == 0) {
        if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(77);
        (void)::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
        ::_exit(work());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

TEST_F(LinuxFilesTest, SaysThatTheDiskIsFull) {
    ASSERT_TRUE(files_.make_directories(in("small")));
    ASSERT_TRUE(files_.write(in("big"), std::string(400'000, 'x')));
    const int code = with_own_mounts([&] {
        if (::mount("tmpfs", in("small").c_str(), "tmpfs", 0, "size=64k") != 0) return 77;
        const auto copied = files_.copy(in("big"), in("small/big"), CopyWhat::everything);
        if (copied || copied.error().code != ENOSPC) return 1;
        const auto replaced = files_.replace(in("small/f"), std::string(400'000, 'y'));
        if (replaced || replaced.error().code != ENOSPC || files_.exists(in("small/f"))) return 2;
        return 0;
    });
    if (code == 77) GTEST_SKIP() << "no mount namespace here";
    EXPECT_EQ(code, 0);
}

TEST_F(LinuxFilesTest, StaysOnItsFileSystem) {
    ASSERT_TRUE(files_.make_directories(in("tree/mnt")));
    ASSERT_TRUE(files_.make_directories(in("other")));
    ASSERT_TRUE(files_.write(in("other/f"), "x"));
    const int code = with_own_mounts([&] {
        // a bind within one file system: the device number does not tell
        if (::mount(in("other").c_str(), in("tree/mnt").c_str(), nullptr, MS_BIND, nullptr) != 0) return 77;
        if (!files_.copy(in("tree"), in("plain"), CopyWhat::everything) || files_.exists(in("plain/mnt/f"))) return 1;
        if (!files_.copy(in("tree"), in("crossed"), CopyWhat::everything, true) || !files_.exists(in("crossed/mnt/f")))
            return 2;
        const auto removed = files_.remove_tree(in("tree"));
        if (removed || removed.error().code != EBUSY || !files_.exists(in("other/f"))) return 3;
        return 0;
    });
    if (code == 77) GTEST_SKIP() << "no mount namespace here";
    EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace diskless
