#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "common/os/files_linux.hpp"
#include "server-helper/image/generation.hpp"
#include "server-helper/image/image_check.hpp"
#include "server-helper/image/image_use.hpp"
#include "server-helper/image/pack.hpp"
#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class ImageTest : public TreeTest {
  protected:
    ImageTest() {
        write("source/etc/hostname", "golden\n");
        write("source/etc/passwd", "root\n");
        write("source/usr/bin/tool", "1");
        write("source/proc/version", "not to be taken");
        fs::create_symlink("usr/bin", path("source/bin"));
        fs::create_hard_link(path("source/usr/bin/tool"), path("source/usr/bin/tool2"));
    }
    std::string current(const std::string& image = "site") {
        return fs::read_symlink(path("images/" + image + "/current"));
    }
    std::string in(const std::string& generation, const std::string& rest) {
        return "images/site/" + generation + "/" + rest;
    }
    ino_t inode(const std::string& rest) {
        struct stat status {};
        EXPECT_EQ(::lstat(path(rest).c_str(), &status), 0) << rest;
        return status.st_ino;
    }
    void report(const std::string& node, const std::string& root) {
        write("snapshots/" + node + "/.diskless/boot.json", "{\"format\":1,\"root\":{\"path\":\"" + root + "\"}}");
    }
};

TEST_F(ImageTest, FirstGenerationIsTheSourceWithoutWhatIsMounted) {
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source"), "--exclude", "/etc/passwd"}), kDone) << err;
    const auto first = current();
    EXPECT_EQ(read(in(first, "etc/hostname")), "golden\n");
    EXPECT_EQ(fs::read_symlink(path(in(first, "bin"))), "usr/bin");
    EXPECT_EQ(inode(in(first, "usr/bin/tool")), inode(in(first, "usr/bin/tool2")));
    EXPECT_NE(inode(in(first, "usr/bin/tool")), inode("source/usr/bin/tool")) << "never shared with the source";
    EXPECT_TRUE(fs::is_empty(path(in(first, "proc"))));
    EXPECT_FALSE(exists(in(first, "etc/passwd")));
    EXPECT_THAT(read(in(first, ".diskless-generation")), HasSubstr("IMAGE=site\nGENERATION=" + first + "\n"));
}

TEST_F(ImageTest, ExcludesAreTakenHoweverTheyAreWritten) {
    for (const char* file : {"home/a/mail", "var/cache/apt/x.deb", "var/cache/apt/y.txt", "var/cache/top", "srv/data"})
        write("source/" + std::string(file), "x");
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source"), "--exclude", "/home/", "--exclude",
                   "var//cache/*/*.deb", "--exclude", "./srv/d?ta", "--exclude", "/absent"}),
              kDone)
        << err;
    const auto first = current();
    EXPECT_TRUE(fs::is_empty(path(in(first, "home"))));
    EXPECT_FALSE(exists(in(first, "var/cache/apt/x.deb")));
    EXPECT_TRUE(exists(in(first, "var/cache/apt/y.txt")));
    EXPECT_TRUE(exists(in(first, "var/cache/top")));
    EXPECT_FALSE(exists(in(first, "srv/data")));
    EXPECT_THAT(err, HasSubstr("exclude \"absent\" matches nothing"));
    EXPECT_THAT(err, Not(HasSubstr("\"home\"")));
    EXPECT_THAT(read("images/site/image.toml"), HasSubstr("\"home\", \"var/cache/*/*.deb\""));
    write("images/site/image.toml",
          "kind = \"root\"\nsource = \"" + path("source") + "\"\nexclude = [\"/var/cache/\"]\n");
    ASSERT_EQ(run({"image", "sync", "site"}), kDone) << err;
    EXPECT_TRUE(fs::is_empty(path(in(current(), "var/cache"))));
    for (const char* bad : {"/", "", "home/../etc"})
        EXPECT_EQ(run({"image", "add", "other", "--root", path("source"), "--exclude", bad}), kBadUsage) << bad;
}

TEST_F(ImageTest, WhatRsyncHasBroughtIsKeptUnlessTheDiskIsFull) {
    const std::string old_path = ::getenv("PATH");
    const auto rsync_ends_with = [&](int status) {
        write("bin/rsync", "#!/bin/sh\nfor to; do :; done\necho x >$to/brought\nexit " + std::to_string(status) + "\n");
        fs::permissions(path("bin/rsync"), fs::perms(0755));
        return run({"image", "add", "site", "--rsync", "node004:/"});
    };
    ::setenv("PATH", (path("bin") + ":" + old_path).c_str(), 1);
    const auto kept = [&] {
        for (const auto& entry : fs::directory_iterator(path("images/site")))
            if (fs::exists(entry.path() / "brought")) return true;
        return false;
    };
    EXPECT_EQ(rsync_ends_with(12), kFailed) << "the line was cut";
    EXPECT_TRUE(kept());
    EXPECT_EQ(rsync_ends_with(11), kFailed);
    EXPECT_FALSE(kept());
    EXPECT_THAT(err, HasSubstr("make room: "));
    ::setenv("PATH", old_path.c_str(), 1);
}

TEST_F(ImageTest, GcRemovesWhatKilledRunsHaveLeft) {
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    for (const char* left : {".staging-x/etc/a", ".unpacked/etc/a", ".removing-1/etc/a"})
        write("images/site/" + std::string(left), "x");
    ASSERT_EQ(run({"image", "gc", "--dry-run"}), kDone) << err;
    EXPECT_THAT(out, HasSubstr("would remove site/.unpacked"));
    EXPECT_TRUE(exists("images/site/.staging-x"));
    write("snapshots/n1/.diskless/boot.json", "{");
    write("nodes.toml", "[node.n1]\n");
    (void)run({"image", "gc"});
    EXPECT_THAT(out, HasSubstr("removed site/.staging-x"));
    EXPECT_FALSE(exists("images/site/.staging-x") || exists("images/site/.unpacked") ||
                 exists("images/site/.removing-1"));
    EXPECT_TRUE(exists("images/site/" + current()));
}

TEST_F(ImageTest, NextGenerationSharesWhatHasNotChanged) {
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    const auto first = current();
    ASSERT_EQ(run({"image", "sync", "site"}), kDone) << err;
    EXPECT_EQ(current(), first) << "nothing has changed";
    write("source/etc/hostname", "other\n");
    fs::remove(path("source/bin"));
    fs::permissions(path("source/etc/passwd"), fs::perms::owner_all);
    ASSERT_EQ(run({"image", "sync", "site"}), kDone) << err;
    const auto second = current();
    ASSERT_GT(second, first);
    EXPECT_EQ(inode(in(second, "usr/bin/tool")), inode(in(first, "usr/bin/tool")));
    EXPECT_NE(inode(in(second, "etc/hostname")), inode(in(first, "etc/hostname")));
    EXPECT_NE(inode(in(second, "etc/passwd")), inode(in(first, "etc/passwd"))) << "another mode is another file";
    EXPECT_FALSE(exists(in(second, "bin")));
    EXPECT_EQ(read(in(first, "etc/hostname")), "golden\n") << "running nodes keep theirs";
    ASSERT_EQ(run({"image", "rollback", "site"}), kDone) << err;
    EXPECT_EQ(current(), first);
    EXPECT_EQ(run({"image", "rollback", "site"}), kFailed);
}

TEST_F(ImageTest, APackedImageHasEachGenerationInOneFileThatOnlyRootMayRead) {
    write("source/.diskless-root.squashfs", "of another image's generation");
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    const auto first = current();
    const auto packed = [&](const std::string& generation) { return in(generation, ".diskless-root.squashfs"); };
    EXPECT_FALSE(exists(packed(first)));
    ASSERT_EQ(run({"image", "pack", "site", "--quiet"}), kDone) << err;
    EXPECT_EQ(read(packed(first)).substr(0, 4), "hsqs");
    EXPECT_EQ(fs::status(path(packed(first))).permissions(), fs::perms(0600)) << "it holds etc/shadow";
    const auto file = inode(packed(first));
    ASSERT_EQ(run({"image", "pack", "site", "--json"}), kDone) << err;
    EXPECT_THAT(out, HasSubstr("\"generation\": \"" + first + "\""));
    EXPECT_EQ(inode(packed(first)), file) << "nodes may run from it";

    ASSERT_EQ(run({"image", "sync", "site"}), kDone) << err;
    EXPECT_EQ(current(), first) << "it is no change of the image";
    write("source/etc/hostname", "changed\n");
    ASSERT_EQ(run({"image", "sync", "site"}), kDone) << err;
    const auto second = current();
    ASSERT_NE(second, first);
    EXPECT_EQ(read(packed(second)).substr(0, 4), "hsqs");
    EXPECT_NE(inode(packed(second)), file);
    EXPECT_EQ(std::system(("unsquashfs -l " + path(packed(second)) + " >" + path("list")).c_str()), 0);
    EXPECT_THAT(read("list"), AllOf(HasSubstr("/etc/hostname\n"), HasSubstr("/.diskless-generation\n"),
                                    Not(HasSubstr(".diskless-root"))));

    ASSERT_EQ(run({"image", "pack", "site", "--stop"}), kDone) << err;
    write("source/etc/hostname", "again\n");
    ASSERT_EQ(run({"image", "sync", "site"}), kDone) << err;
    EXPECT_FALSE(exists(packed(current())));
    ASSERT_EQ(run({"image", "pack", "site", current(), "--quiet"}), kDone) << err;
    EXPECT_THAT(read("images/site/image.toml"), Not(HasSubstr("pack"))) << "that one only";
    EXPECT_EQ(run({"image", "pack", "site", "absent"}), kFailed);
    EXPECT_EQ(run({"image", "pack", "site", first, "--stop"}), kBadUsage);
}

TEST_F(ImageTest, APackThatFailsLeavesNothingBehind) {
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    write("bin/mksquashfs", "#!/bin/sh\necho half >$2\nexit 1\n");
    fs::permissions(path("bin/mksquashfs"), fs::perms(0755));
    const std::string old_path = ::getenv("PATH");
    ::setenv("PATH", (path("bin") + ":" + old_path).c_str(), 1);
    EXPECT_EQ(run({"image", "pack", "site"}), kFailed);
    EXPECT_THAT(err, HasSubstr("mksquashfs"));
    EXPECT_THAT(read("images/site/image.toml"), Not(HasSubstr("pack"))) << "nothing was promised";
    write("source/etc/hostname", "changed\n");
    const auto before = current();
    write("images/site/image.toml", read("images/site/image.toml") + "pack = true\n");
    EXPECT_EQ(run({"image", "sync", "site"}), kFailed) << "an image that is to be packed";
    EXPECT_EQ(current(), before);
    ::setenv("PATH", old_path.c_str(), 1);
    for (const auto& entry : fs::directory_iterator(path("images/site/" + before)))
        EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr(".diskless-root")));
    ASSERT_EQ(run({"image", "sync", "site", "--quiet"}), kDone) << err;
    EXPECT_TRUE(exists(in(current(), ".diskless-root.squashfs")));
}

TEST_F(ImageTest, APackThatIsCutShortIsMadeAnewAndOneThatIsMissingIsMadeBySync) {
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    ASSERT_EQ(run({"image", "pack", "site", "--quiet"}), kDone) << err;
    const auto packed = in(current(), ".diskless-root.squashfs");
    const auto whole = read(packed);
    write(packed, whole.substr(0, 90));
    ASSERT_EQ(run({"image", "sync", "site", "--quiet"}), kDone) << err;
    EXPECT_EQ(read(packed).size(), whole.size());
    fs::remove(path(packed));
    write(in(current(), ".diskless-root.partial"), "of a run that was killed");
    ASSERT_EQ(run({"image", "sync", "site", "--quiet"}), kDone) << err;
    EXPECT_EQ(read(packed).size(), whole.size());
    EXPECT_FALSE(exists(in(current(), ".diskless-root.partial")));
}

TEST_F(ImageTest, APackOfWhatCannotBeReadFails) {
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    EXPECT_THAT(pack_arguments("/g", "/g/x", "gzip", true),
                ElementsAre("mksquashfs", "/g", "/g/x", "-noappend", "-exit-on-error", "-comp", "gzip", "-quiet",
                            "-no-progress", "-wildcards", "-e", ".diskless-root.*"));
    ASSERT_EQ(run({"image", "add", "empty", "--root", path("source"), "--no-sync"}), kDone) << err;
    EXPECT_EQ(run({"image", "pack", "empty"}), kFailed);
    EXPECT_THAT(err, HasSubstr("image sync empty"));
}

TEST_F(ImageTest, AccessListsThatAPackLosesAreTold) {
    // One user, who may read: version 2, then tag, permissions, id of owner, user 12345, group, mask, others.
    const unsigned char list[] = {2, 0,  0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  4,
                                  0, 57, 48,  0,   0,   4,   0,  0, 0,   255, 255, 255, 255, 16, 0,
                                  4, 0,  255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};
    if (::setxattr(path("source/etc/passwd").c_str(), "system.posix_acl_access", list, sizeof list, 0) != 0)
        GTEST_SKIP() << "no access lists here";
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    ASSERT_EQ(run({"image", "pack", "site", "--quiet"}), kDone) << err;
    EXPECT_THAT(err, HasSubstr("cannot keep access lists, as /etc/passwd has one"));
}

TEST_F(ImageTest, APackIsWhatEveryKernelOfTheImageCanRead) {
    LinuxFiles files;
    EXPECT_EQ(compressor_for(files, path("source")), "gzip") << "nothing is known";
    write("source/boot/config-6.1.0-1", "CONFIG_SQUASHFS=m\nCONFIG_SQUASHFS_ZSTD=y\n");
    EXPECT_EQ(compressor_for(files, path("source")), "zstd");
    write("source/boot/config-3.16.0-4", "CONFIG_SQUASHFS=m\nCONFIG_SQUASHFS_XZ=y\n");
    EXPECT_EQ(compressor_for(files, path("source")), "gzip");
}

TEST_F(ImageTest, ChecksumFindsWhatHasTheOldTime) {
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    const auto time = fs::last_write_time(path("source/etc/passwd"));
    write("source/etc/passwd", "toor\n");
    fs::last_write_time(path("source/etc/passwd"), time);
    ASSERT_EQ(run({"image", "sync", "site", "--checksum"}), kDone) << err;
    EXPECT_EQ(read(in(current(), "etc/passwd")), "toor\n");
}

TEST_F(ImageTest, AnInterruptedRunIsContinued) {
    // What a killed run leaves: one complete file, one half, one that the source has no more.
    const auto boot = LinuxFiles().read("/proc/sys/kernel/random/boot_id")->substr(0, 36);
    const auto staging = "images/site/.staging-" + boot + "/";
    write(staging + "etc/hostname", "gol");
    write(staging + "gone/file", "x");
    ASSERT_TRUE(LinuxFiles().copy(path("source/etc/passwd"), path(staging + "etc/passwd"), CopyWhat::everything));
    const auto kept = inode(staging + "etc/passwd");
    write("images/site/.staging-of-another-boot/file", "x");
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    const auto first = current();
    EXPECT_EQ(inode(in(first, "etc/passwd")), kept);
    EXPECT_EQ(read(in(first, "etc/hostname")), "golden\n");
    EXPECT_FALSE(exists(in(first, "gone")));
    EXPECT_FALSE(exists("images/site/.staging-of-another-boot"));
}

TEST_F(ImageTest, NeverCopiesTheTreeIntoItself) {
    const auto outer = base;
    write("tree/cluster.toml", "[server]\naddress = \"10.8.0.1\"\n");
    write("tree/snapshots/n1/etc/key", "secret");
    base = outer + "/tree";
    EXPECT_EQ(run({"image", "add", "site", "--root", outer}), kDone) << err;
    EXPECT_EQ(read(in(current(), "source/etc/hostname")), "golden\n");
    EXPECT_TRUE(fs::is_empty(path(in(current(), "tree"))));
    for (const auto& source : {base, path("images"), path("images/other")}) {
        fs::create_directories(source);
        EXPECT_EQ(run({"image", "add", "other", "--root", source}), kFailed) << source;
        EXPECT_THAT(err, HasSubstr("holds the image itself"));
        fs::remove_all(path("images/other"));
    }
    base = outer;
}

TEST_F(ImageTest, GcLeavesWhatAnybodyNeeds) {
    for (const char* name : {"20260102-000000", "20260103-000000", "20260104-000000", "20260105-000000"})
        generation("debian", name);
    write("nodes.toml", "[node.n1]\n[node.n2]\ngeneration = \"20260102-000000\"\n");
    report("n1", "/export/images/debian/20260101-000000");
    report("n3", "/elsewhere/root");
    ASSERT_EQ(run({"image", "pin", "debian", "20260103-000000"}), kDone) << err;
    ASSERT_EQ(run({"image", "gc", "--keep", "1", "--dry-run"}), kDone) << err;
    EXPECT_EQ(out, "would remove debian/20260104-000000\n");
    EXPECT_TRUE(exists("images/debian/20260104-000000"));
    ASSERT_EQ(run({"image", "gc", "--keep", "0"}), kDone) << err;
    EXPECT_FALSE(exists("images/debian/20260104-000000"));
    for (const char* name : {"20260101-000000", "20260102-000000", "20260103-000000", "20260105-000000"})
        EXPECT_TRUE(exists(std::string("images/debian/") + name)) << name;
    ASSERT_EQ(run({"image", "unpin", "debian", "20260103-000000"}), kDone) << err;
    ASSERT_EQ(run({"image", "remove", "debian", "20260103-000000"}), kDone) << err;
    EXPECT_EQ(run({"image", "remove", "debian", "20260101-000000"}), kFailed);
    EXPECT_THAT(err, HasSubstr("n1 runs it"));
    EXPECT_EQ(run({"image", "remove", "debian"}), kFailed);
    EXPECT_EQ(run({"image", "remove", "debian", "../debian"}), kFailed);
}

TEST_F(ImageTest, GcRemovesNothingWhenANodeCannotBeRead) {
    generation("debian", "20260102-000000");
    generation("debian", "20260103-000000");
    const std::function<void()> plants[] = {
        [&] { write("snapshots/n1/.diskless/boot.json", "{ broken"); },
        [&] { report("n1", "/srv/images/debian/current"); },
        [&] {
            write("elsewhere/boot.json", "{}");
            fs::create_directories(path("snapshots/n1"));
            fs::create_symlink(path("elsewhere"), path("snapshots/n1/.diskless"));
        },
        [&] { write("snapshots/n1/.diskless/running", ""); },  // its report did not reach the server
        [&] {
            report("n1", "/srv/images/debian/20260103-000000");
            write("snapshots/n1/.diskless/running", "");
            fs::last_write_time(
                path("snapshots/n1/.diskless/running"),
                fs::last_write_time(path("snapshots/n1/.diskless/boot.json")) + std::chrono::minutes{9});
        },
    };
    for (const auto& plant : plants) {
        fs::remove_all(path("snapshots"));
        plant();
        EXPECT_EQ(run({"image", "gc", "--keep", "0"}), kFailed);
        EXPECT_THAT(err, HasSubstr("n1"));
        EXPECT_TRUE(exists("images/debian/20260101-000000"));
    }
    fs::remove_all(path("snapshots"));
    EXPECT_EQ(run({"image", "gc", "--keep", "0"}), kDone) << err;
    EXPECT_FALSE(exists("images/debian/20260101-000000"));
}

TEST_F(ImageTest, RemovesAWholeImageThatNobodyBoots) {
    generation("old", "1");
    write("nodes.toml", "[node.n1]\n");
    EXPECT_EQ(run({"image", "remove", "debian"}), kFailed);
    ASSERT_EQ(run({"image", "remove", "old"}), kDone) << err;
    EXPECT_FALSE(exists("images/old"));
    EXPECT_TRUE(exists("images/debian"));
}

TEST_F(ImageTest, RefusesWhatCannotBeMeant) {
    EXPECT_EQ(run({"image", "add", "site"}), kBadUsage);
    EXPECT_EQ(run({"image", "add", "../site", "--root", path("source")}), kBadUsage);
    EXPECT_EQ(run({"image", "add", "site", "--root", path("source"), "--rsync", "host:/"}), kBadUsage);
    EXPECT_EQ(run({"image", "add", "site", "--rsync", "host"}), kBadUsage);
    EXPECT_EQ(run({"image", "add", "site", "--root", path("absent")}), kFailed);
    EXPECT_THAT(err, HasSubstr("name the root"));
    EXPECT_EQ(run({"image", "sync", "site"}), kFailed);
    EXPECT_EQ(run({"image", "sync", "debian"}), kFailed) << "it has no source";
    fs::create_directory(path("empty"));
    EXPECT_EQ(run({"image", "add", "none", "--root", path("empty")}), kFailed) << "a source that is not mounted";
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    EXPECT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << "again is fine: " << err;
    EXPECT_EQ(run({"image", "add", "site", "--root", base}), kFailed);
}

std::string tar(const std::string& file, const std::vector<std::pair<std::string, std::string>>& entries) {
    auto* writer = archive_write_new();
    archive_write_set_format_pax_restricted(writer);
    archive_write_add_filter_gzip(writer);
    archive_write_open_filename(writer, file.c_str());
    for (const auto& [name, content] : entries) {
        auto* entry = archive_entry_new();
        archive_entry_set_pathname(entry, name.c_str());
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_mtime(entry, 1'000'000, 0);
        if (content.starts_with("->")) {
            archive_entry_set_filetype(entry, AE_IFLNK);
            archive_entry_set_symlink(entry, content.c_str() + 2);
        } else {
            archive_entry_set_filetype(entry, AE_IFREG);
            archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
        }
        archive_write_header(writer, entry);
        if (!content.starts_with("->")) archive_write_data(writer, content.data(), content.size());
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    return file;
}

TEST_F(ImageTest, TakesArchivesAndComparesTheirContent) {
    const auto file = tar(path("image.tar.gz"), {{"./etc/a", "1"}, {"/etc/b", "2"}, {"bin", "->usr/bin"}});
    ASSERT_EQ(run({"image", "add", "site", "--tar", file}), kDone) << err;
    const auto first = current();
    EXPECT_EQ(read(in(first, "etc/b")), "2");
    tar(file, {{"./etc/a", "9"}, {"/etc/b", "2"}, {"bin", "->usr/bin"}});
    ASSERT_EQ(run({"image", "sync", "site"}), kDone) << err;
    EXPECT_EQ(read(in(current(), "etc/a")), "9") << "the same time and size, another content";
    EXPECT_EQ(inode(in(current(), "etc/b")), inode(in(first, "etc/b")));
}

TEST_F(ImageTest, ArchivesThatLeadOutAreRefused) {
    EXPECT_EQ(run({"image", "add", "a", "--tar", tar(path("a.tar"), {{"../../planted", "x"}})}), kFailed);
    EXPECT_EQ(run({"image", "add", "b", "--tar", tar(path("b.tar"), {{"link", "->" + base}, {"link/planted", "x"}})}),
              kFailed);
    EXPECT_FALSE(exists("planted"));
    EXPECT_FALSE(exists("images/planted"));
    EXPECT_FALSE(exists("images/a/current"));
}

TEST_F(ImageTest, TextIsNoArchiveAndAMistakenSourceIsReplaced) {
    for (const auto* text : {"this is no archive at all", "root:x:0:0:root:/root:/bin/bash\nbin:x:2:2::/bin:/bin/sh\n",
                             "#mtree\n./planted type=dir\n", "\x1f\x8b\x08junk", ""}) {
        write("no.tar", text);
        EXPECT_EQ(run({"image", "add", "site", "--tar", path("no.tar")}), kFailed) << text;
        EXPECT_THAT(err, HasSubstr("no.tar is no tar, cpio or zip archive")) << text;
        EXPECT_FALSE(exists("images/site/current"));
    }
    const auto good = tar(path("good.tar.gz"), {{"etc/a", "1"}});
    ASSERT_EQ(run({"image", "add", "site", "--tar", good}), kDone) << err;
    EXPECT_THAT(read("images/site/image.toml"), HasSubstr("good.tar.gz"));
    EXPECT_EQ(run({"image", "add", "site", "--root", path("source")}), kFailed) << "it has a generation now";
    EXPECT_THAT(err, HasSubstr("image remove site"));
    EXPECT_THAT(read("images/site/image.toml"), HasSubstr("good.tar.gz"));
}

TEST_F(ImageTest, ASourceThatIsGoneIsToldWithARemedy) {
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source")}), kDone) << err;
    fs::rename(path("source"), path("away"));
    EXPECT_EQ(run({"image", "sync", "site"}), kFailed);
    EXPECT_THAT(err, HasSubstr("the source of image site is gone: root " + path("source")));
    EXPECT_THAT(err, HasSubstr("bring it back"));
}

TEST_F(ImageTest, WhatDiffersFromTheImageThatIsThereIsTold) {
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source"), "--exclude", "home"}), kDone) << err;
    ASSERT_EQ(run({"image", "add", "site", "--root", path("source"), "--exclude", "home"}), kDone) << err;
    EXPECT_EQ(run({"image", "add", "site", "--root", path("source")}), kFailed);
    EXPECT_THAT(err,
                HasSubstr("image site is there already, from root " + path("source") + ": --exclude none, was home"));
}

TEST_F(ImageTest, WhatWasDoneIsTold) {
    EXPECT_EQ(run({"image", "pin", "debian"}), kDone) << err;
    EXPECT_EQ(out, "debian: generation 20260101-000000 is pinned\n");
    EXPECT_EQ(run({"image", "unpin", "debian"}), kDone) << err;
    EXPECT_EQ(out, "debian: generation 20260101-000000 is not pinned any more\n");
    EXPECT_EQ(run({"image", "unpin", "debian", "--quiet"}), kDone) << err;
    EXPECT_EQ(out, "");
    EXPECT_EQ(run({"image", "remove", "debian"}), kDone) << err;
    EXPECT_EQ(out, "removed debian\n");
}

/// Which generations are pinned is not known then: gc leaves all of them.
TEST_F(ImageTest, ABadRecordStopsNothingElse) {
    for (const char* name : {"20260102-000000", "20260103-000000"}) generation("site", name);
    write("images/site/image.toml", "kind = root\n");
    EXPECT_EQ(run({"image", "list"}), kDone) << err;
    EXPECT_THAT(err, HasSubstr("text stands in double quotes"));
    EXPECT_THAT(out, HasSubstr("debian"));
    EXPECT_EQ(run({"image", "gc", "--keep", "0"}), kDone) << err;
    EXPECT_TRUE(exists("images/site/20260102-000000"));
    EXPECT_EQ(run({"image", "remove", "site", "20260102-000000"}), kFailed);
    EXPECT_THAT(err, HasSubstr("perhaps pinned"));
    EXPECT_EQ(run({"image", "sync", "site"}), kFailed);
    EXPECT_EQ(run({"image", "remove", "site"}), kDone) << err;
    EXPECT_FALSE(exists("images/site"));
}

TEST(ImageFetch, ArgumentsOfPrograms) {
    const ImageRecord golden{"rsync", "node004:/", "", {"var/cache"}, {}};
    const auto rsync = rsync_arguments(golden, "/base/images/a/1", "/base/images/a/.staging");
    EXPECT_THAT(rsync, Contains("--exclude=/proc/*"));
    EXPECT_THAT(rsync, Contains("--exclude=/sys/*"));
    EXPECT_THAT(rsync, Contains("--exclude=/var/cache"));
    EXPECT_THAT(rsync, Contains("--link-dest=/base/images/a/1"));
    EXPECT_EQ(rsync[rsync.size() - 2], "node004:/");
    EXPECT_THAT(rsync_arguments(golden, "", "/x"), Not(Contains(HasSubstr("link-dest"))));
    EXPECT_THAT(debootstrap_arguments({"debootstrap", "bookworm", "http://mirror", {}, {}, {}}, "/to"),
                ElementsAre("debootstrap", "bookworm", "/to", "http://mirror"));
    EXPECT_THAT(debootstrap_arguments({"debootstrap", "bookworm", "", {}, {}, {"linux-image-amd64", "ssh"}}, "/to"),
                ElementsAre("debootstrap", "--include=linux-image-amd64,ssh", "bookworm", "/to"));
}

TEST_F(ImageTest, PackagesOfDebootstrapAreWrittenDown) {
    ASSERT_EQ(run({"image", "add", "deb", "--debootstrap", "bookworm", "--include", "linux-image-amd64,ssh",
                   "--include", "vim", "--no-sync"}),
              kDone)
        << err;
    EXPECT_THAT(read("images/deb/image.toml"), HasSubstr("include = [\"linux-image-amd64\", \"ssh\", \"vim\"]\n"));
    EXPECT_EQ(run({"image", "add", "other", "--debootstrap", "bookworm", "--include", "a b", "--no-sync"}), kBadUsage);
    EXPECT_EQ(run({"image", "add", "other", "--root", path("source"), "--include", "vim"}), kBadUsage);
}

TEST_F(ImageTest, RsyncSharesWithTheLastGeneration) {
    if (::system("command -v rsync >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no rsync here";
    // A remote shell that stays here: its first argument is the host.
    write("shell", "#!/bin/sh\nshift\nexec \"$@\"\n");
    fs::permissions(path("shell"), fs::perms::owner_all);
    ::setenv("RSYNC_RSH", path("shell").c_str(), 1);
    ASSERT_EQ(run({"image", "add", "site", "--rsync", "golden:" + path("source") + "/"}), kDone) << err;
    const auto first = current();
    EXPECT_TRUE(fs::is_empty(path(in(first, "proc"))));
    ASSERT_EQ(run({"image", "sync", "site"}), kDone) << err;
    EXPECT_EQ(current(), first) << "nothing has changed";
    write("source/etc/hostname", "a longer name\n");
    ASSERT_EQ(run({"image", "sync", "site"}), kDone) << err;
    EXPECT_NE(current(), first);
    EXPECT_EQ(inode(in(current(), "usr/bin/tool")), inode(in(first, "usr/bin/tool")));
    EXPECT_EQ(read(in(first, "etc/hostname")), "golden\n");
    ::setenv("RSYNC_RSH", "/bin/false", 1);
    const auto second = current();
    EXPECT_EQ(run({"image", "sync", "site"}), kFailed);
    EXPECT_EQ(current(), second);
    ::unsetenv("RSYNC_RSH");
}

TEST(ImageUse, KnowsPathsOfGenerations) {
    const std::tuple<const char*, const char*, const char*> cases[] = {{"/srv/diskless/images/debian/1", "debian", "1"},
                                                                       {"/images/debian/1/", "debian", "1"},
                                                                       {"/srv/root", "", ""},
                                                                       {"", "", ""},
                                                                       {"/images/debian", "", ""},
                                                                       {"/srv/images/a/b/c", "", ""}};
    for (const auto& [text, image, name] : cases)
        EXPECT_EQ(generation_of_path(text), (std::pair<std::string, std::string>(image, name))) << text;
}

TEST_F(ImageTest, CheckNamesEveryDefectAndItsRemedy) {
    std::string all;
    const auto check = [&] {
        all.clear();
        for (const auto& finding : check_image(path("source")))
            all += (finding.fatal ? "error: " : "warning: ") + finding.what + " / " + finding.remedy + "\n";
    };
    write("source/etc/fstab", "UUID=1 / ext4 defaults 0 1\nUUID=2 /data ext4 nofail 0 2\n# /dev/sda1 / ext4 x\n");
    write("source/etc/mtab", "");
    write("source/etc/ssh/ssh_host_rsa_key", "");
    check();
    for (const char* text :
         {"error: there is no /sbin/init", "error: there is no directory /dev", "warning: there are no kernel modules",
          "machine-id is absent", "/etc/fstab:1", "/etc/mtab is a file", "resolv.conf is absent", "ssh host keys"})
        EXPECT_THAT(all, HasSubstr(text));
    EXPECT_THAT(all, Not(HasSubstr("/etc/fstab:2")));
    EXPECT_THAT(all, Not(HasSubstr("/etc/fstab:3")));

    for (const char* name : {"fstab", "mtab", "ssh"}) fs::remove_all(path("source/etc/" + std::string(name)));
    for (const char* name : {"sys", "dev", "run", "tmp", "var"})
        fs::create_directory(path("source/" + std::string(name)));
    write("source/etc/machine-id", "");
    write("source/etc/resolv.conf", "");
    write("source/usr/lib/systemd/systemd", "x");
    fs::permissions(path("source/usr/lib/systemd/systemd"), fs::perms::owner_all);
    fs::create_directory(path("source/usr/sbin"));
    fs::create_symlink("usr/sbin", path("source/sbin"));
    fs::create_symlink("/lib/systemd/systemd", path("source/usr/sbin/init"));
    fs::create_symlink("usr/lib", path("source/lib"));
    write("source/usr/lib/modules/6.1/modules.dep", "");
    write("source/boot/vmlinuz-6.1", "");
    check();
    EXPECT_THAT(all, HasSubstr("/lib/modules/6.1 has no modules.dep.bin"));
    write("source/usr/lib/modules/6.1/modules.dep.bin", "");
    check();
    EXPECT_EQ(all, "");
}

TEST_F(ImageTest, LinksOfAnImageLeadWithinIt) {
    fs::create_symlink("../../../../etc/passwd", path("source/out"));
    fs::create_symlink("loop", path("source/loop"));
    EXPECT_EQ(resolve_in_root(path("source"), "/out"), path("source/etc/passwd"));
    EXPECT_EQ(resolve_in_root(path("source"), "/loop"), "");
    EXPECT_EQ(resolve_in_root(path("source"), "/bin/tool"), path("source/usr/bin/tool"));
}

}  // namespace
}  // namespace diskless::server
