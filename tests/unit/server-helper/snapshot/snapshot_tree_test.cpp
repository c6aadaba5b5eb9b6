#include "server-helper/snapshot/snapshot_tree.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <sys/sysmacros.h>

#include "server-helper/snapshot/cluster_status.hpp"
#include "tests/unit/report/sample_report.hpp"
#include "tests/unit/server-helper/snapshot/small_tree.hpp"

namespace diskless::server {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class SnapshotTreeTest : public SmallTree {
  protected:
    /// What a node that means harm may leave in its snapshot.
    void make_hostile() {
        fs::create_directories(of("n1", "var"));
        fs::create_symlink("/etc", of("n1", "etc"));
        ::mkfifo(of("n1", "var/fifo").c_str(), 0644);
        ::mknod(of("n1", "var/memory").c_str(), S_IFCHR | 0666, makedev(1, 1));
        write(of("n1", "var/become-root"), "#!/bin/sh\n");
        ::chmod(of("n1", "var/become-root").c_str(), 06755);
        write(of("n1", "var/two\nlines\x1b[31m"), "x");
        fs::create_symlink(in("elsewhere"), of("n1", "var/away"));
    }
};

struct Archived {
    std::string path, target;
    unsigned mode, type;
};
std::vector<Archived> contents(const std::string& file) {
    std::vector<Archived> found;
    auto* reader = ::archive_read_new();
    ::archive_read_support_format_tar(reader);
    ::archive_read_support_filter_zstd(reader);
    EXPECT_EQ(::archive_read_open_filename(reader, file.c_str(), 65536), ARCHIVE_OK);
    for (archive_entry* entry = nullptr; ::archive_read_next_header(reader, &entry) == ARCHIVE_OK;) {
        const char* target = ::archive_entry_symlink(entry);
        found.push_back({::archive_entry_pathname(entry), target != nullptr ? target : "", ::archive_entry_perm(entry),
                         ::archive_entry_filetype(entry)});
    }
    ::archive_read_free(reader);
    return found;
}

TEST_F(SnapshotTreeTest, AnArchiveHoldsNeitherSpecialFilesNorSetIdBits) {
    make_hostile();
    const auto left = archive_snapshot(confined(), "n1", in("n1.tar.zst"));
    ASSERT_TRUE(left) << left.error().cause;
    EXPECT_THAT(*left,
                ElementsAre("set-id bits of var/become-root", "var/fifo (special file)", "var/memory (special file)"));
    EXPECT_EQ(mode_of(in("n1.tar.zst")), 0600U);
    std::vector<std::string> paths;
    for (const auto& entry : contents(in("n1.tar.zst"))) {
        EXPECT_EQ(entry.mode & 06000, 0U) << entry.path;
        EXPECT_TRUE(entry.type == S_IFREG || entry.type == S_IFDIR || entry.type == S_IFLNK) << entry.path;
        paths.push_back(entry.path);
    }
    EXPECT_THAT(paths, ElementsAre("etc", "var/", "var/away", "var/become-root", "var/two\nlines\x1b[31m"));
}

/// lastlog of large user ids, or a file that is all hole.
TEST_F(SnapshotTreeTest, HolesOfFilesAreNeitherReadNorKept) {
    constexpr off_t kHuge = off_t{64} << 30;
    write(of("n1", "var/lastlog"), "begin");
    fs::resize_file(of("n1", "var/lastlog"), kHuge);
    std::fstream(of("n1", "var/lastlog"), std::ios::in | std::ios::out).seekp(kHuge / 2) << "middle";
    write(of("n1", "var/hole"), "");
    fs::resize_file(of("n1", "var/hole"), kHuge);
    write(of("n1", "var/tail"), "tail");
    fs::resize_file(of("n1", "var/tail"), 1 << 20);
    write(of("n1", "var/empty"), "");
    ASSERT_TRUE(archive_snapshot(confined(), "n1", in("n1.tar.zst")));
    EXPECT_LT(fs::file_size(in("n1.tar.zst")), std::uintmax_t{1} << 20);

    fs::create_directories(in("again"));
    ASSERT_EQ(std::system(("tar --zstd -xf " + in("n1.tar.zst") + " -C " + in("again")).c_str()), 0);
    for (const char* name : {"var/lastlog", "var/hole"}) {
        EXPECT_EQ(fs::file_size(in("again/") + name), std::uintmax_t{kHuge}) << name;
        struct stat status {};
        ASSERT_EQ(::stat((in("again/") + name).c_str(), &status), 0);
        EXPECT_LT(status.st_blocks, 1 << 16) << name;
    }
    std::ifstream log(in("again/var/lastlog"), std::ios::binary);
    std::string text(6, '\0');
    log.read(text.data(), 5);
    EXPECT_EQ(text.substr(0, 5), "begin");
    log.seekg(kHuge / 2);
    log.read(text.data(), 6);
    EXPECT_EQ(text, "middle");
    EXPECT_EQ(read(in("again/var/tail")), "tail" + std::string((1 << 20) - 4, '\0'));
    EXPECT_EQ(read(in("again/var/empty")), "");
}

TEST_F(SnapshotTreeTest, AnArchiveThatFailsLeavesTheOldOne) {
    write(in("old.tar.zst"), "old");
    EXPECT_FALSE(archive_snapshot(confined(), "absent", in("old.tar.zst")));
    EXPECT_EQ(read(in("old.tar.zst")), "old");
    EXPECT_FALSE(fs::exists(in("old.tar.zst.new")));
}

TEST_F(SnapshotTreeTest, FiguresNameWhatIsSuspicious) {
    make_hostile();
    const auto figures = snapshot_figures(confined(), "n1");
    ASSERT_TRUE(figures);
    EXPECT_TRUE(figures->exists);
    EXPECT_EQ(figures->files, 6U);
    EXPECT_THAT(figures->suspicious, ElementsAre("var/become-root", "var/fifo", "var/memory"));
    EXPECT_FALSE(snapshot_figures(confined(), "n9")->exists);
}

TEST_F(SnapshotTreeTest, ADiffComparesWithTheImageNotWithTheServer) {
    fs::create_symlink("/etc/motd", in("image/etc/link"));
    write(in("image/etc/motd"), "image\n");
    prepare({"n1"});
    write(of("n1", "etc/link"), "image\n");  // the image's link means the image's file
    write(of("n1", "var/spool/cron/root"), "other\n");
    write(of("n1", "var/spool/new"), "x");
    ::mkfifo(of("n1", "var/spool/fifo").c_str(), 0600);
    const auto found = diff_snapshot(confined(), "n1", in("image"));
    ASSERT_TRUE(found);
    std::vector<std::string> shown;
    for (const auto& [kind, path] : *found)
        if (path.starts_with("var/spool") || path == "etc/link") shown.push_back(std::string(1, kind) + " " + path);
    EXPECT_THAT(shown, ElementsAre("M var/spool/cron/root", "S var/spool/fifo", "A var/spool/new"));
}

TEST_F(SnapshotTreeTest, RemovingFollowsNothing) {
    make_hostile();
    ASSERT_TRUE(remove_snapshot(confined(), "n1"));
    EXPECT_TRUE(fs::is_empty(in("snapshots")));
    EXPECT_TRUE(fs::exists(in("elsewhere/secret")));
    for (const char* name : {"..", ".", "../elsewhere", "", "a/b"})
        EXPECT_FALSE(remove_snapshot(confined(), name)) << name;
}

TEST_F(SnapshotTreeTest, RenamingOverwritesNothing) {
    prepare({"n1", "n2"});
    EXPECT_FALSE(rename_snapshot(confined(), "n1", "n2"));
    EXPECT_FALSE(rename_snapshot(confined(), "n1", "../n1"));
    ASSERT_TRUE(rename_snapshot(confined(), "n1", "n3"));
    EXPECT_EQ(read(of("n3", "etc/hostname")), "n1\n");
    EXPECT_FALSE(fs::exists(in("snapshots/n1")));
}

class NodeBootTest : public SmallTree {
  protected:
    NodeBoot boot(const std::string& current = "2026-11-20") const {
        return node_boot(confined(), in("snapshots"), "n1", "n1", current);
    }
    std::string report() const { return of("n1", ".diskless/boot.json"); }
};

TEST_F(NodeBootTest, TellsWhatWentWrongAndWhatRuns) {
    write(report(), to_json(test_report::sample_report()));
    const auto found = boot();
    EXPECT_EQ(found.state, "degraded");
    EXPECT_EQ(found.generation, "2026-11-20");
    EXPECT_FALSE(found.needs_reboot);
    EXPECT_EQ(found.since, 1'795'000'000);
    EXPECT_THAT(found.detail, HasSubstr("set-time degraded: no answer"));
    EXPECT_TRUE(boot("2026-11-21").needs_reboot);
    EXPECT_FALSE(boot("").needs_reboot);
    EXPECT_THAT(boots_text({boot("2026-11-21")}), HasSubstr("needs a reboot to 2026-11-21"));
}

TEST_F(NodeBootTest, ANodeThatNeverBootedIsNoError) { EXPECT_EQ(boot().state, "never booted"); }

TEST_F(NodeBootTest, ReadsNothingButAPlainFileOfBoundedSize) {
    fs::create_directories(of("n1", ".diskless"));
    const auto unreadable = [&](const char* what) {
        EXPECT_EQ(boot().state, "unreadable") << what;
        EXPECT_NE(boot().detail, "") << what;
        fs::remove_all(of("n1", ".diskless"));
        fs::create_directories(of("n1", ".diskless"));
    };
    write(report(), std::string(10 << 20, ' '));
    unreadable("10 MB");
    ::mkfifo(report().c_str(), 0644);
    unreadable("fifo");
    ::mknod(report().c_str(), S_IFCHR | 0666, makedev(1, 5));
    unreadable("device");
    fs::create_directories(report());
    unreadable("directory");
    write(in("elsewhere/boot.json"), to_json(test_report::sample_report()));
    fs::create_symlink(in("elsewhere/boot.json"), report());
    unreadable("symlink");
    fs::remove(of("n1", ".diskless"));
    fs::create_symlink(in("elsewhere"), of("n1", ".diskless"));
    EXPECT_EQ(boot().state, "unreadable") << "symlink on the way";
    fs::remove(of("n1", ".diskless"));
    write(report(), "{\"format\": 1, \"steps\": 7");
    unreadable("not JSON");
}

TEST_F(NodeBootTest, WordsOfTheNodeDoNotReachTheTerminalAsTheyAre) {
    auto hostile = test_report::sample_report();
    hostile.steps[3].cause = "\x1b]0;owned\x07\nnode002  done" + std::string(5000, 'x');
    hostile.root.generation = "\x1b[2J";
    write(report(), to_json(hostile));
    const auto text = boots_text({boot()});
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
    EXPECT_LT(text.size(), 1000U);
    EXPECT_THAT(boots_json({boot()}), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace diskless::server
