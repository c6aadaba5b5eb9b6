#include "server-helper/snapshot/prepare.hpp"

#include <gmock/gmock.h>

#include <set>

#include "server-helper/snapshot/overlay.hpp"
#include "tests/fakes/sudden_end.hpp"
#include "tests/unit/server-helper/snapshot/small_tree.hpp"

namespace diskless::server {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class PrepareTest : public SmallTree {};

TEST_F(PrepareTest, MakesWhatTheNodeWouldSeed) {
    const auto done = prepare({"n1"});
    EXPECT_EQ(done[0].outcome, Prepared::made);
    EXPECT_EQ(done[0].error.cause, "");
    EXPECT_EQ(read(of("n1", "var/spool/cron/root")), "0 * * * * date\n");
    EXPECT_EQ(read(of("n1", "var/spool/large")), std::string(200'000, 'x'));
    EXPECT_TRUE(fs::is_directory(of("n1", "var/log/journal")));
    EXPECT_FALSE(fs::exists(of("n1", "var/log/messages"))) << "logs of the golden node are nobody's";
    EXPECT_FALSE(fs::exists(in("snapshots/.prepare")));
}

TEST_F(PrepareTest, EveryNodeIsItself) {
    std::vector<std::string> nodes;
    for (int i = 0; i < 40; ++i) nodes.push_back("n" + std::to_string(i));
    prepare(nodes);
    std::set<std::string> ids, keys;
    for (const auto& node : nodes) {
        EXPECT_EQ(read(of(node, "etc/hostname")), node + "\n");
        ids.insert(read(of(node, "etc/machine-id")));
        keys.insert(read(of(node, "etc/ssh/ssh_host_ed25519_key")));
        EXPECT_EQ(mode_of(of(node, "etc/ssh/ssh_host_ed25519_key")), 0600U);
        EXPECT_EQ(read(of(node, "etc/ssh/ssh_host_rsa_key")), "") << "the image's key must be no node's";
    }
    EXPECT_EQ(ids.size(), nodes.size());
    EXPECT_EQ(keys.size(), nodes.size());
    EXPECT_EQ(ids.begin()->size(), 33U);
}

TEST_F(PrepareTest, ASecondRunChangesNothing) {
    prepare({"n1"});
    write(of("n1", "var/spool/cron/root"), "the node's own\n");
    const auto key = read(of("n1", "etc/ssh/ssh_host_ed25519_key"));
    const auto again = prepare({"n1"});
    EXPECT_EQ(again[0].outcome, Prepared::unchanged);
    EXPECT_THAT(again[0].changes, IsEmpty());
    EXPECT_EQ(read(of("n1", "var/spool/cron/root")), "the node's own\n");
    EXPECT_EQ(read(of("n1", "etc/ssh/ssh_host_ed25519_key")), key);
}

TEST_F(PrepareTest, CompletesASnapshotThatLacksSomething) {
    fs::create_directories(of("n1", "var"));
    const auto done = prepare({"n1"});
    EXPECT_EQ(done[0].outcome, Prepared::completed);
    EXPECT_EQ(read(of("n1", "var/spool/cron/root")), "0 * * * * date\n");
    EXPECT_EQ(read(of("n1", "etc/hostname")), "n1\n");
    EXPECT_EQ(mode_of(of("n1", "etc/ssh/ssh_host_ed25519_key")), 0600U);
    EXPECT_NE(read(of("n1", "etc/ssh/ssh_host_ed25519_key")), "");
}

TEST_F(PrepareTest, ALaterListFillsWhatIsOnlyScaffold) {
    prepare({"n1"});  // makes etc/ for etc/hostname: no copy of the image's
    write(in("image/etc/statetab"), "/etc\n");
    prepare({"n1"});
    EXPECT_TRUE(fs::exists(of("n1", "etc/motd")));
    EXPECT_EQ(read(of("n1", "etc/hostname")), "n1\n");
}

TEST_F(PrepareTest, OverlaysReplaceTheImageAndAreShown) {
    write(in("overlays/compute/etc/motd.in"), "${node} in ${rack}, ${HOME} stays, $node too ${");
    write(in("overlays/compute/var/spool/cron/root"), "group\n");
    write(in("overlays/n1/var/spool/cron/root"), "node\n");
    write(in("overlays/n1/etc/issue"), "${node}\n");
    prepare({"n1", "n2"});
    EXPECT_EQ(read(of("n1", "etc/motd")), "n1 in r7, ${HOME} stays, $node too ${");
    EXPECT_EQ(read(of("n1", "var/spool/cron/root")), "node\n");
    EXPECT_EQ(read(of("n2", "var/spool/cron/root")), "group\n");
    EXPECT_EQ(read(of("n1", "etc/issue")), "${node}\n") << "it did not ask for substitution";
    EXPECT_THAT(read(of("n1", "files")), HasSubstr("\n/etc/issue\n/etc/motd\n"));
    EXPECT_EQ(prepare({"n1"})[0].outcome, Prepared::unchanged);
    write(in("overlays/n1/etc/issue"), "new\n");
    EXPECT_EQ(prepare({"n1"})[0].changes, std::vector<std::string>{"/etc/issue"});
    EXPECT_EQ(read(of("n1", "etc/issue")), "new\n");
}

TEST_F(PrepareTest, ATemplateMayBeListedByName) {
    write(in("overlays/n1/etc/issue"), "${node}\n");
    write(in("overlays/n1/.templates"), "# those that keep their name\n/etc/issue\n");
    prepare({"n1"});
    EXPECT_EQ(read(of("n1", "etc/issue")), "n1\n");
    EXPECT_FALSE(fs::exists(of("n1", ".templates")));
}

TEST_F(PrepareTest, AnOverlayFileThatTheImageCannotShowIsTold) {
    write(in("overlays/n1/etc/unknown"), "x");
    EXPECT_THAT(prepare({"n1"})[0].warnings, Contains(HasSubstr("/etc/unknown")));
}

/// The node makes the name, in memory or in a root of its own.
TEST_F(PrepareTest, WhereTheRootIsWrittenNoNameNeedBeInTheImage) {
    for (const char* mode : {"overlay", "rw"}) {
        const std::string node = mode;
        write(in("overlays/" + node + "/etc/unknown"), "x");
        write(in("overlays/" + node + "/var/spool/cron/root"), "mine\n");
        auto one = job(node);
        one.root_mode = mode;
        const auto done = prepare_snapshots({one}, options_);
        ASSERT_TRUE(done) << done.error().cause;
        EXPECT_THAT((*done)[0].warnings, IsEmpty()) << mode;
        EXPECT_THAT(read(of(node, "files")), HasSubstr("\n/etc/unknown\n")) << mode;

        write(of(node, "files.custom"), "/opt/new/\n");
        const auto again = prepare_snapshots({one}, options_);
        ASSERT_TRUE(again) << again.error().cause;
        EXPECT_THAT((*again)[0].warnings, IsEmpty()) << mode;
        EXPECT_THAT((*again)[0].changes, Contains("/opt/new")) << mode;
    }
    // No default is mounted on a root of the node's own: what an overlay has there is listed, and what it has not is
    // not kept.
    EXPECT_THAT(read(of("rw", "files")), HasSubstr("\n/var/spool/cron/root\n"));
    EXPECT_FALSE(fs::exists(of("rw", "var/log")));
    EXPECT_THAT(read(of("overlay", "files")), Not(HasSubstr("/var/spool")));
    EXPECT_TRUE(fs::exists(of("overlay", "var/log/journal")));
}

/// A node that changes from one to the other is not given what was planned for those beside it.
TEST_F(PrepareTest, NodesOfOneImageMayHaveItInDifferentWays) {
    auto shared = job("n1"), own = job("n2");
    own.root_mode = "rw";
    ASSERT_TRUE(prepare_snapshots({shared, own}, options_));
    EXPECT_TRUE(fs::exists(of("n1", "var/spool/cron/root")));
    EXPECT_FALSE(fs::exists(of("n2", "var/spool/cron/root")));
}

TEST_F(PrepareTest, LazyLeavesTheImagesPartToTheNode) {
    options_.seed = SeedWhat::nothing;
    prepare({"n1"});
    EXPECT_EQ(read(of("n1", "etc/hostname")), "n1\n");
    EXPECT_FALSE(fs::exists(of("n1", "var")));
}

TEST_F(PrepareTest, ALargeEntryIsLeftToTheNodeUnlessItIsCloned) {
    const bool clones = can_clone(in("image"), top_);
    write(in("image/var/spool/huge"), std::string(kSmallEntry + 1, 'x'));
    const auto made = prepare({"n1"});
    EXPECT_EQ(fs::exists(of("n1", "var/spool/huge")), clones);
    EXPECT_EQ(made[0].left, clones ? std::vector<std::string>{} : std::vector<std::string>{"/var/spool"});
    EXPECT_TRUE(fs::is_directory(of("n1", "var/log"))) << "small entries are copied in any case";
    EXPECT_EQ(prepare({"n1"})[0].left, made[0].left) << "a second run does not copy it either";
    options_.seed = SeedWhat::everything;
    const auto full = prepare({"n1"});
    EXPECT_THAT(full[0].left, IsEmpty());
    EXPECT_EQ(full[0].outcome, clones ? Prepared::unchanged : Prepared::completed);
    EXPECT_EQ(fs::file_size(of("n1", "var/spool/huge")), kSmallEntry + 1);
}

TEST_F(PrepareTest, ManyEmptyFilesAreNotSmall) {
    StateEntry entry;
    entry.seed = in("many");
    fs::create_directories(entry.seed);
    EXPECT_TRUE(is_seeded_beforehand(entry, SeedWhat::cheap, false));
    for (int i = 0; i < 1100; ++i) write(entry.seed + "/" + std::to_string(i), "");
    EXPECT_FALSE(is_seeded_beforehand(entry, SeedWhat::cheap, false));
    EXPECT_TRUE(is_seeded_beforehand(entry, SeedWhat::cheap, true));
    EXPECT_TRUE(is_seeded_beforehand(entry, SeedWhat::everything, false));
    entry.copy = CopyWhat::directories;
    EXPECT_TRUE(is_seeded_beforehand(entry, SeedWhat::cheap, false));
    EXPECT_FALSE(is_seeded_beforehand(entry, SeedWhat::nothing, true));
}

TEST_F(PrepareTest, ADryRunMakesNothing) {
    options_.dry_run = true;
    EXPECT_EQ(prepare({"n1"})[0].outcome, Prepared::made);
    EXPECT_TRUE(fs::is_empty(in("snapshots")));
}

TEST_F(PrepareTest, AnewKeepsWhoTheNodeIs) {
    prepare({"n1"});
    const auto id = read(of("n1", "etc/machine-id")), key = read(of("n1", "etc/ssh/ssh_host_ed25519_key"));
    write(of("n1", "var/spool/mess"), "x");
    options_.anew = true;
    prepare({"n1"});
    EXPECT_FALSE(fs::exists(of("n1", "var/spool/mess")));
    EXPECT_EQ(read(of("n1", "etc/machine-id")), id);
    EXPECT_EQ(read(of("n1", "etc/ssh/ssh_host_ed25519_key")), key);
    options_.new_identity = true;
    prepare({"n1"});
    EXPECT_NE(read(of("n1", "etc/machine-id")), id);
    EXPECT_FALSE(fs::exists(in("snapshots/.prepare")));
}

TEST_F(PrepareTest, NothingIsWrittenThroughPlantedSymlinks) {
    fs::create_directories(in("snapshots/n1/var"));
    fs::create_symlink(in("elsewhere"), of("n1", "etc"));
    fs::create_symlink(in("elsewhere"), of("n1", "var/spool"));
    fs::create_symlink(in("elsewhere"), of("n1", ".diskless"));
    fs::create_symlink(in("elsewhere"), in("snapshots/n2"));
    fs::create_directories(in("snapshots/n3/etc"));
    fs::create_symlink(in("elsewhere/secret"), of("n3", "etc/machine-id"));
    write(in("overlays/compute/etc/motd"), "x");
    const auto done = prepare({"n1", "n2", "n3", "n4"});
    EXPECT_NE(done[0].error.cause, "");
    EXPECT_NE(done[1].error.cause, "");
    EXPECT_EQ(done[3].error.cause, "") << "one hostile node does not stop the others";
    EXPECT_EQ(std::distance(fs::directory_iterator(in("elsewhere")), {}), 1);
    EXPECT_EQ(read(in("elsewhere/secret")), "secret\n");
}

TEST_F(PrepareTest, AResetReadsNoIdentityThroughASymlink) {
    prepare({"n1"});
    fs::remove(of("n1", "etc/machine-id"));
    fs::create_symlink(in("elsewhere/secret"), of("n1", "etc/machine-id"));
    options_.anew = true;
    EXPECT_NE(prepare({"n1"})[0].error.cause, "");
    EXPECT_TRUE(fs::is_symlink(of("n1", "etc/machine-id"))) << "the old snapshot stands";
}

TEST_F(PrepareTest, BadNamesAndImagesAreRefused) {
    for (const char* name : {"../n1", "", ".", ".prepare", "a/b", "a\nb"}) {
        auto bad = job("n1");
        bad.snapshot = name;
        const auto done = prepare_snapshots({bad}, options_);
        ASSERT_TRUE(done);
        EXPECT_NE((*done)[0].error.cause, "") << name;
    }
    auto bad = job("n1");
    bad.root = in("no-image");
    EXPECT_FALSE(prepare_snapshots({bad}, options_));
}

TEST_F(PrepareTest, AKillAtAnyWriteLeavesASnapshotAbsentOrWhole) {
    options_.threads = 1;
    write(in("overlays/n1/etc/issue"), "x\n");
    std::size_t kills = 0;
    for (int n = 0;; n += 3) {
        const auto end = run_and_kill([&] { (void)prepare_snapshots({job("n1")}, options_); }, n);
        if (end == SuddenEnd::untraceable) GTEST_SKIP() << "this machine lets no process be traced";
        if (fs::exists(in("snapshots/n1"))) {
            EXPECT_EQ(read(of("n1", "etc/issue")), "x\n") << n;
            EXPECT_EQ(read(of("n1", "var/spool/large")).size(), 200'000U) << n;
            EXPECT_EQ(read(of("n1", "etc/machine-id")).size(), 33U) << n;
            EXPECT_EQ(mode_of(of("n1", "etc/ssh/ssh_host_ed25519_key")), 0600U) << n;
        }
        if (end == SuddenEnd::finished) break;
        ++kills;
        if (n % 5 == 0) {  // the next run goes on from whatever was left
            EXPECT_EQ(prepare({"n1"})[0].error.cause, "") << n;
            EXPECT_FALSE(fs::exists(in("snapshots/.prepare"))) << n;
            EXPECT_EQ(read(of("n1", "etc/hostname")), "n1\n") << n;
        }
        fs::remove_all(in("snapshots/n1"));
    }
    EXPECT_GT(kills, 20U) << "nothing was ever killed";
}

TEST_F(PrepareTest, AKillAtAnyWriteOfAResetLeavesTheOldOrTheNewOne) {
    options_.threads = 1;
    prepare({"n1"});
    const auto id = read(of("n1", "etc/machine-id"));
    options_.anew = true;
    for (int n = 0;; n += 7) {
        const auto end = run_and_kill([&] { (void)prepare_snapshots({job("n1")}, options_); }, n);
        if (end == SuddenEnd::untraceable) GTEST_SKIP() << "this machine lets no process be traced";
        EXPECT_EQ(read(of("n1", "etc/machine-id")), id) << n;
        EXPECT_EQ(read(of("n1", "var/spool/large")).size(), 200'000U) << n;
        if (end == SuddenEnd::finished) break;
    }
}

TEST(SubstituteTest, ReplacesDeclaredVariablesOnly) {
    const std::map<std::string, std::string> variables{{"node", "n1"}, {"loop", "${node}"}, {"none", ""}};
    for (const auto& [text, wanted] :
         std::initializer_list<std::pair<const char*, const char*>>{{"", ""},
                                                                    {"${node}", "n1"},
                                                                    {"a${node}b${node}", "an1bn1"},
                                                                    {"${unknown}", "${unknown}"},
                                                                    {"$node ${", "$node ${"},
                                                                    {"${${node}}", "${n1}"},
                                                                    {"${loop}", "${node}"},
                                                                    {"[${none}]", "[]"}})
        EXPECT_EQ(substitute(text, variables), wanted) << text;
}

}  // namespace
}  // namespace diskless::server
