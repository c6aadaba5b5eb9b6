#include "server-helper/render/install.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/os/file_batch.hpp"
#include "common/os/files_linux.hpp"
#include "tests/fakes/temporary_directory.hpp"

namespace diskless::server {
namespace {

class InstallTest : public testing::Test {
  protected:
    Result<Installed> install(std::vector<RenderedDialect> rendered, InstallOptions options = {}) {
        return install_rendered(boot_, rendered, options);
    }
    std::string read(const std::string& path) const { return files_.read(boot_ + "/" + path).value_or("(absent)"); }
    static std::size_t count(const Result<Installed>& installed, ChangeKind kind) {
        return static_cast<std::size_t>(std::count_if(installed->changes.begin(), installed->changes.end(),
                                                      [&](const auto& change) { return change.kind == kind; }));
    }

    LinuxFiles files_;
    const TemporaryDirectory directory_;
    const std::string base_ = directory_.path, boot_ = base_ + "/boot";
    const RenderedDialect two_{"pxelinux", {{"tftp/a", "A", "n1", {}}, {"tftp/b", "B", "n2", {}}}};
};

TEST_F(InstallTest, MakesFilesOnceAndThenLeavesThemAlone) {
    const auto first = install({two_});
    ASSERT_TRUE(first) << first.error().cause;
    EXPECT_EQ(count(first, ChangeKind::created), 2u);
    EXPECT_EQ(read("tftp/a"), "A");
    const auto inode = files_.status(boot_ + "/tftp/a")->inode;
    const auto again = install({two_});
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->changes.empty());
    EXPECT_EQ(again->unchanged, 2u);
    EXPECT_EQ(files_.status(boot_ + "/tftp/a")->inode, inode);
}

TEST_F(InstallTest, RemovesWhatIsOfARemovedNodeAndNothingElse) {
    ASSERT_TRUE(install({two_}));
    ASSERT_TRUE(files_.replace(boot_ + "/tftp/by-hand", "mine"));
    const auto removed = install({{"pxelinux", {{"tftp/a", "A", "n1", {}}}}});
    ASSERT_TRUE(removed);
    EXPECT_EQ(count(removed, ChangeKind::removed), 1u);
    EXPECT_EQ(read("tftp/b"), "(absent)");
    EXPECT_EQ(read("tftp/by-hand"), "mine");
}

TEST_F(InstallTest, OtherDialectsStayWhenOnlySomeAreAskedFor) {
    ASSERT_TRUE(install({two_, {"grub", {{"tftp/g", "G", "n1", {}}}}}));
    InstallOptions only;
    only.everything = false;
    ASSERT_TRUE(install({two_}, only));
    EXPECT_EQ(read("tftp/g"), "G");
    ASSERT_TRUE(install({two_}));
    EXPECT_EQ(read("tftp/g"), "(absent)") << "grub is no longer wanted";
}

TEST_F(InstallTest, WritesTheFilesOfTheNamedNodesOnly) {
    InstallOptions options;
    options.nodes = {"n2"};
    ASSERT_TRUE(install({two_}, options));
    EXPECT_EQ(read("tftp/a"), "(absent)");
    EXPECT_EQ(read("tftp/b"), "B");
}

TEST_F(InstallTest, AFileOfSomebodyElseIsNotReplaced) {
    ASSERT_TRUE(files_.make_directories(boot_ + "/tftp"));
    ASSERT_TRUE(files_.replace(boot_ + "/tftp/b", "by hand"));
    const auto refused = install({two_});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().cause.find("tftp/b"), std::string::npos);
    EXPECT_EQ(read("tftp/a"), "(absent)") << "nothing is written before all is known to be possible";
    InstallOptions force;
    force.force = true;
    ASSERT_TRUE(install({two_}, force));
    EXPECT_EQ(read("tftp/b"), "B");
}

TEST_F(InstallTest, ADryRunShowsADiffAndChangesNothing) {
    InstallOptions dry;
    dry.dry_run = true;
    const auto shown = install({two_}, dry);
    ASSERT_TRUE(shown);
    EXPECT_NE(diff_text(shown->changes).find("+A"), std::string::npos);
    EXPECT_FALSE(files_.exists(boot_));
}

TEST_F(InstallTest, LinksAreSwitchedAndKept) {
    const RenderedDialect link{"http", {{"http/debian", "", "", "../tftp/debian"}}};
    ASSERT_TRUE(install({link}));
    EXPECT_EQ(files_.read_link(boot_ + "/http/debian").value_or(""), "../tftp/debian");
    EXPECT_EQ(install({link})->unchanged, 1u);
    ASSERT_TRUE(install({{"http", {{"http/debian", "", "", "../tftp/other"}}}}));
    EXPECT_EQ(files_.read_link(boot_ + "/http/debian").value_or(""), "../tftp/other");
}

TEST_F(InstallTest, TwoFilesOfOneNameAreAnError) {
    EXPECT_FALSE(install({{"pxelinux", {{"tftp/a", "A", "n1", {}}, {"tftp/a", "B", "n2", {}}}}}));
}

TEST_F(InstallTest, ARecordThatPointsOutsideIsRefused) {
    ASSERT_TRUE(files_.make_directories(boot_));
    ASSERT_TRUE(files_.replace(base_ + "/precious", "x"));
    ASSERT_TRUE(files_.replace(boot_ + "/.rendered", "pxelinux\t../precious\n"));
    EXPECT_FALSE(install({two_}));
    EXPECT_EQ(files_.read(base_ + "/precious").value_or(""), "x");
}

TEST_F(InstallTest, WhatAKilledRunLeftIsTakenAway) {
    ASSERT_TRUE(files_.make_directories(boot_ + "/tftp"));
    ASSERT_TRUE(files_.replace(boot_ + "/.rendered", "unfinished\npxelinux\ttftp/a\npxelinux\ttftp/gone\n"));
    ASSERT_TRUE(files_.replace(FileBatch::staging_path(boot_ + "/tftp/a"), "half"));
    ASSERT_TRUE(files_.replace(FileBatch::staging_path(boot_ + "/tftp/gone"), "half"));
    ASSERT_TRUE(install({two_}));
    EXPECT_EQ(files_.list(boot_ + "/tftp").value_or(std::vector<std::string>{}), (std::vector<std::string>{"a", "b"}));
}

TEST_F(InstallTest, ABatchThatIsNotCommittedLeavesNothing) {
    ASSERT_TRUE(files_.make_directories(boot_));
    {
        FileBatch batch;
        ASSERT_TRUE(batch.stage(boot_ + "/x", "new", 0640));
    }
    EXPECT_TRUE(files_.list(boot_)->empty());
    FileBatch batch;
    ASSERT_TRUE(batch.stage(boot_ + "/x", "new", 0640));
    ASSERT_TRUE(batch.commit());
    EXPECT_EQ(files_.status(boot_ + "/x")->mode, 0640u);
    EXPECT_FALSE(batch.stage(boot_ + "/no/such/directory", "x", 0644));
}

}  // namespace
}  // namespace diskless::server
