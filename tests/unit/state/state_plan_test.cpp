#include "common/state/state_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.hpp"
#include "tests/fakes/fake_files.hpp"

namespace diskless {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PlanState : public ::testing::Test {
  protected:
    PlanState() {
        input_.snapshot = "/snap";
        input_.defaults = false;
        files_.tree({{"/sysroot/etc/hosts", file("127.0.0.1 localhost\n")},
                     {"/sysroot/etc/passwd", file("root\n")},
                     {"/sysroot/var/log/old.log", file("image's")},
                     {"/sysroot/var/lib/app/data", file("data")},
                     {"/sysroot/tmp", directory(01777)},
                     {"/snap", directory()}});
    }
    void list(const std::string& path, const std::string& text) { files_.tree({{path, file(text)}}); }
    StatePlan plan() { return plan_state(input_, files_); }

    /// "kind path" in order, "skipped path" for what is not done.
    static std::vector<std::string> shown(const StatePlan& plan) {
        std::vector<std::string> result;
        for (const auto& entry : plan.entries)
            result.push_back((entry.skipped ? "skipped" : std::string(text(entry.kind))) + " " + entry.path);
        return result;
    }
    static const StateEntry& entry(const StatePlan& plan, const std::string& path) {
        for (const auto& each : plan.entries)
            if (each.path == path) return each;
        static const StateEntry kNone;
        ADD_FAILURE() << "no entry " << path << " in\n" << describe(plan);
        return kNone;
    }

    FakeFiles files_;
    StateInput input_;
};

TEST_F(PlanState, SortsParentsBeforeChildren) {
    list("/snap/files", "/var/lib/app\n/var/log\n/etc/hosts\n/var\n");
    list("/sysroot/etc/rwtab", "empty /tmp\n");
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("persistent /etc/hosts", "volatile empty /tmp", "persistent /var",
                                         "persistent /var/lib/app", "persistent /var/log"));
    EXPECT_THAT(made.problems, IsEmpty());
    EXPECT_TRUE(entry(made, "/var/log").covered) << "the copy of /var has it";
}

TEST_F(PlanState, ReadsEveryListAndTheStrongerWins) {
    files_.tree({{"/sysroot/p", file()}, {"/sysroot/q", file()}});
    input_.location = "/location";
    list("/snap/files.custom", "/p\n");
    list("/snap/files", "/p\n");
    list("/location/snapshot/files.custom", "/p\n");
    list("/location/snapshot/files", "/p\n/q\n");
    list("/sysroot/etc/litefile", "ALL,/p,tmpfs,,\n");
    list("/sysroot/etc/statetab", "/p\n");
    list("/sysroot/etc/statetab.d/a", "/p\n");
    list("/sysroot/etc/rwtab", "files /p\nempty /q\n");
    list("/sysroot/etc/rwtab.d/b", "files /p\n");
    list("/sysroot/etc/rwtab.d/b.rpmsave", "files /never\n");
    const auto made = plan();
    EXPECT_THAT(made.lists,
                ElementsAre("snapshot/files.custom", "snapshot/files", "location/files.custom", "location/files",
                            "/etc/litefile", "/etc/statetab", "/etc/statetab.d/a", "/etc/rwtab", "/etc/rwtab.d/b"));
    EXPECT_THAT(shown(made), ElementsAre("persistent /p", "persistent /q"));
    EXPECT_EQ(entry(made, "/p").origin.text(), "snapshot/files.custom:1");
    EXPECT_EQ(entry(made, "/p").notes.size(), 8u);
    EXPECT_THAT(entry(made, "/q").notes, ElementsAre("overrides /etc/rwtab:2 (volatile empty)"));
}

TEST_F(PlanState, AcceptsTheSnapshotDirectoryAsLocation) {
    input_.location = "/location";
    list("/location/files", "/etc/hosts\n");
    EXPECT_THAT(shown(plan()), ElementsAre("persistent /etc/hosts"));
}

TEST_F(PlanState, TheNodesOwnStatetabReplacesTheImages) {
    list("/sysroot/etc/statetab", "/etc/passwd\n");
    list("/snap/etc/statetab", "/etc/hosts\n");
    EXPECT_THAT(shown(plan()), ElementsAre("persistent /etc/hosts"));
}

TEST_F(PlanState, PatternsWithoutEndAreLeftOut) {
    std::string hostile = "/etc/hosts\n";
    for (int at = 0; at < 300; ++at) files_.tree({{"/sysroot/many/" + std::to_string(at) + "/x", file()}});
    for (int at = 0; at < 20'000; ++at) hostile += "/*/*/*N" + std::to_string(at) + "\n";
    list("/snap/files", hostile);
    const auto made = plan();
    EXPECT_EQ(entry(made, "/etc/hosts").skipped, false);
    ASSERT_EQ(made.problems.size(), 1u);
    EXPECT_THAT(made.problems[0].text, testing::HasSubstr("further patterns are left out"));
    EXPECT_LT(made.entries.size(), 15'000u);
}

TEST_F(PlanState, SkipsWhatIsMissingWithANote) {
    list("/snap/files", "/etc/nothing\n/etc/no*\n/none/\n");
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("skipped /etc/no*", "skipped /etc/nothing", "skipped /none"));
    EXPECT_THAT(entry(made, "/etc/no*").notes, ElementsAre("matches nothing"));
    EXPECT_THAT(made.problems, IsEmpty()) << "lists are shared by many images";
}

TEST_F(PlanState, MissingInTheRootButKeptInTheSnapshotIsAProblemWithARemedy) {
    list("/snap/files", "/etc/gone\n");
    list("/snap/etc/gone", "precious");
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("skipped /etc/gone"));
    ASSERT_EQ(made.problems.size(), 1u);
    EXPECT_EQ(made.problems[0].origin.text(), "snapshot/files:1");
    EXPECT_THAT(made.problems[0].remedy, HasSubstr("touch /etc/gone"));
}

TEST_F(PlanState, ExpandsGlobsInRootAndSnapshot) {
    files_.tree({{"/sysroot/etc/ssh/ssh_host_rsa_key", file()},
                 {"/sysroot/etc/ssh/sshd_config", file()},
                 {"/sysroot/etc/ssh/.hidden", file()},
                 {"/snap/var/log/app1", directory()},
                 {"/sysroot/var/log/app2", directory()}});
    list("/snap/files", "/etc/ssh/ssh_host_*\n/var/log/app?\n/var/log/\n");
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("persistent /etc/ssh/ssh_host_rsa_key", "persistent /var/log",
                                         "persistent /var/log/app1", "persistent /var/log/app2"));
}

TEST_F(PlanState, GlobsDoNotFollowSymlinksInTheSnapshot) {
    files_.tree({{"/outside/secret", file()}, {"/snap/var", symlink("/outside")}});
    list("/snap/files", "/var/s*\n");
    EXPECT_THAT(shown(plan()), ElementsAre("skipped /var/s*"));
}

TEST_F(PlanState, FollowsSymlinksWithinTheRootOnly) {
    files_.tree({{"/sysroot/usr/bin/tool", file("x")},
                 {"/sysroot/bin", symlink("usr/bin")},
                 {"/sysroot/etc/link", symlink("/etc/passwd")},
                 {"/sysroot/etc/up", symlink("../../../../../../etc/hosts")},
                 {"/etc/hosts", file("outside")}});
    list("/snap/files", "/bin/tool\n/etc/link\n/etc/up\n");
    const auto made = plan();
    EXPECT_THAT(shown(made),
                ElementsAre("persistent /etc/hosts", "persistent /etc/passwd", "persistent /usr/bin/tool"));
    EXPECT_EQ(entry(made, "/etc/hosts").seed, "/sysroot/etc/hosts");
    EXPECT_THAT(entry(made, "/usr/bin/tool").notes, ElementsAre("written as /bin/tool"));
}

TEST_F(PlanState, LeavesWhatLeadsOutOfTheRootAlone) {
    files_.tree({{"/sysroot/var/run", symlink("/run")},
                 {"/sysroot/etc/mtab", symlink("../proc/self/mounts")},
                 {"/sysroot/etc/resolv.conf", symlink("../run/systemd/resolve/stub-resolv.conf")},
                 {"/sysroot/etc/self", symlink("self")}});
    list("/snap/files", "/var/run/x\n/etc/mtab\n/etc/self\n");
    input_.generated = {{"/etc/resolv.conf", "nameserver 10.0.0.1\n", 0644, {}},
                        {"/etc/mtab", {}, 0644, "../proc/self/mounts"}};
    const auto made = plan();
    for (const auto& each : made.entries) EXPECT_TRUE(each.skipped) << each.path;
    ASSERT_EQ(made.problems.size(), 1u) << describe(made);
    EXPECT_THAT(made.problems[0].text, HasSubstr("loop"));
    EXPECT_THAT(entry(made, "/run/x").notes, Contains(HasSubstr("no part of the root")));
    EXPECT_THAT(entry(made, "/etc/resolv.conf").notes, Contains(HasSubstr("left alone")));
}

TEST_F(PlanState, WithoutSnapshotPersistentBecomesVolatile) {
    input_.snapshot.clear();
    list("/sysroot/etc/statetab", "/var/lib/app\n/etc/hosts\n");
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("volatile copy /etc/hosts", "volatile copy /var/lib/app"));
    EXPECT_TRUE(made.entries[0].degraded);
    EXPECT_TRUE(made.entries[1].degraded);
}

TEST_F(PlanState, AnUnusableSnapshotIsAProblem) {
    input_.snapshot = "/nowhere";
    list("/sysroot/etc/statetab", "/etc/hosts\n");
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("volatile copy /etc/hosts"));
    EXPECT_EQ(made.problems.size(), 1u);
}

TEST_F(PlanState, RefusesSymlinksOfTheSnapshot) {
    files_.tree({{"/snap/var/log", symlink("/etc")}, {"/snap/etc", symlink("/outside")}});
    list("/snap/files", "/var/log\n/etc/hosts\n");
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("skipped /etc/hosts", "skipped /var/log"));
    ASSERT_EQ(made.problems.size(), 2u);
    EXPECT_THAT(made.problems[0].text, HasSubstr("/etc is a symlink"));
    EXPECT_THAT(made.problems[1].remedy, HasSubstr("remove /snap/var/log"));
}

TEST_F(PlanState, AListThatIsASymlinkIsNotRead) {
    files_.tree({{"/outside", file("/etc/hosts\n")}, {"/snap/files", symlink("/outside")}});
    const auto made = plan();
    EXPECT_THAT(made.entries, IsEmpty());
    ASSERT_EQ(made.problems.size(), 1u);
    EXPECT_THAT(made.problems[0].text, HasSubstr("symlink"));
}

TEST_F(PlanState, FileHereAndDirectoryThereIsAProblem) {
    files_.tree({{"/snap/etc/hosts", directory()}, {"/snap/var/log", file()}});
    list("/snap/files", "/etc/hosts\n/var/log\n");
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("skipped /etc/hosts", "skipped /var/log"));
    ASSERT_EQ(made.problems.size(), 2u);
    EXPECT_THAT(made.problems[0].remedy, HasSubstr("move /snap/etc/hosts away"));
}

TEST_F(PlanState, LitefileLooksForContentInTheLitetree) {
    files_.tree({{"/sysroot/litetree/etc/hosts", file("tree")},
                 {"/mnt/first/etc/hosts", file("first")},
                 {"/mnt/first/etc/ro.d/x", file()},
                 {"/sysroot/etc/ro.d", directory()},
                 {"/sysroot/.default/etc/passwd", file("default")}});
    input_.node = "n1";
    input_.litetree = {{"srv:/lite/n1", "/mnt/first"}};
    list("/sysroot/etc/litetree", "2,ALL,/litetree,,,\n1,ALL,srv:/lite/$node,,,\n3,ALL,srv:/not/mounted,,,\n");
    list("/sysroot/etc/litefile",
         "ALL,/etc/hosts,con,,\nALL,/etc/ro.d/,ro,,\nALL,/etc/passwd,tmpfs,,\nALL,/var/log/,ro,,\n");
    const auto made = plan();
    EXPECT_THAT(entry(made, "/etc/hosts").parts,
                ElementsAre("/mnt/first/etc/hosts", "/sysroot/litetree/etc/hosts", "/sysroot/etc/hosts"));
    EXPECT_EQ(entry(made, "/etc/ro.d").source, "/mnt/first/etc/ro.d");
    EXPECT_EQ(entry(made, "/etc/passwd").source, "/sysroot/.default/etc/passwd");
    EXPECT_TRUE(entry(made, "/var/log").skipped);
    ASSERT_EQ(made.problems.size(), 1u);
    EXPECT_THAT(made.problems[0].text, HasSubstr("srv:/not/mounted"));
}

TEST_F(PlanState, LinksOnlyWhereASymlinkCanBeMade) {
    list("/sysroot/etc/litefile", "ALL,/etc/hosts,link,,\nALL,/var/,tmpfs,,\nALL,/var/log/,link,,\n");
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("volatile copy /etc/hosts", "volatile copy /var", "link /var/log"));
}

TEST_F(PlanState, ChildrenOfReadOnlyDirectoriesNeedAName) {
    files_.tree({{"/sysroot/tree/etc/ssh/known", file()},
                 {"/sysroot/etc/ssh/known", file()},
                 {"/sysroot/etc/ssh/new", file()}});
    list("/sysroot/etc/litetree", "1,ALL,/tree,,,\n");
    list("/sysroot/etc/litefile",
         "ALL,/etc/ssh/,ro,,\nALL,/etc/ssh/known,persistent,,\nALL,/etc/ssh/new,persistent,,\n");
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("read-only /etc/ssh", "persistent /etc/ssh/known", "skipped /etc/ssh/new"));
    ASSERT_EQ(made.problems.size(), 1u);
    EXPECT_THAT(made.problems[0].remedy, HasSubstr("create /sysroot/tree/etc/ssh/new"));
}

TEST_F(PlanState, GeneratedFilesNeedAName) {
    input_.generated = {
        {"/etc/hosts", "made\n", 0644, {}}, {"/etc/hostname", "n1\n", 0644, {}}, {"/proc/x", "", 0644, {}}};
    const auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("skipped /etc/hostname", "generated /etc/hosts"));
    EXPECT_EQ(made.problems.size(), 1u) << "/proc/x";
    EXPECT_THAT(entry(made, "/etc/hostname").notes, Contains(HasSubstr("touch /etc/hostname")));
}

TEST_F(PlanState, GeneratedFilesBeneathWritableDirectoriesAreMade) {
    list("/sysroot/etc/rwtab", "files /etc\n");
    input_.generated = {{"/etc/hostname", "n1\n", 0644, {}}, {"/etc/mtab", {}, 0644, "../proc/self/mounts"}};
    EXPECT_THAT(shown(plan()), ElementsAre("volatile copy /etc", "generated /etc/hostname", "generated /etc/mtab"));
}

TEST_F(PlanState, AGeneratedFileInAPersistentListIsItsFirstContent) {
    list("/snap/files", "/etc/hosts\n");
    input_.generated = {{"/etc/hosts", "made\n", 0600, {}}};
    auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("persistent /etc/hosts"));
    EXPECT_EQ(made.entries[0].content, "made\n");
    EXPECT_FALSE(made.entries[0].seeded);
    files_.tree({{"/snap/etc/hosts", file("kept")}});
    made = plan();
    EXPECT_TRUE(made.entries[0].seeded);
}

TEST_F(PlanState, HostKeysGetRoomAndStayTheNodesOwn) {
    input_.defaults = true;
    files_.tree({{"/sysroot/etc/ssh/sshd_config", file()}, {"/sysroot/etc/machine-id", file("shared\n", 0444)}});
    input_.generated = {{"/etc/ssh/ssh_host_ed25519_key", "secret", 0600, {}}, {"/etc/machine-id", "own\n", 0444, {}}};
    const auto made = plan();
    EXPECT_EQ(entry(made, "/etc/ssh").kind, StateKind::volatile_copy);
    EXPECT_EQ(entry(made, "/etc/ssh/ssh_host_ed25519_key").kind, StateKind::persistent);
    EXPECT_EQ(entry(made, "/etc/ssh/ssh_host_ed25519_key").mode, 0600u);
    EXPECT_EQ(entry(made, "/etc/machine-id").content, "own\n");
    EXPECT_EQ(entry(made, "/etc/machine-id").kind, StateKind::persistent);
}

TEST_F(PlanState, DefaultsFillWhatNoListCovers) {
    input_.defaults = true;
    files_.tree({{"/sysroot/var/tmp", directory(01777)},
                 {"/sysroot/var/run", symlink("/run")},
                 {"/sysroot/var/cache/man", directory()},
                 {"/sysroot/var/spool/mail", directory()},
                 {"/sysroot/var/mail", symlink("spool/mail")},
                 {"/sysroot/var/lib/systemd", directory()}});
    EXPECT_THAT(shown(plan()),
                ElementsAre("volatile empty /tmp", "volatile tree /var/cache", "persistent /var/lib/systemd",
                            "persistent /var/log", "persistent /var/spool", "volatile empty /var/tmp"));
    list("/snap/files", "/var/\n");
    EXPECT_THAT(shown(plan()), ElementsAre("volatile empty /tmp", "persistent /var"));
}

TEST_F(PlanState, DefaultsAreLeftToWhatFstabMountsOverNfs) {
    input_.defaults = true;
    files_.tree({{"/sysroot/var/cache/man", directory()},
                 {"/sysroot/etc/fstab", file("# the page's\n"
                                             "10.9.0.1:/srv/root / nfs ro 0 0\n"
                                             "10.9.0.1:/srv/var /var/ nfs rw,hard,nolock 0 0\n"
                                             "10.9.0.1:/srv/home /home nfs4 rw 0 0\n"
                                             "10.9.0.1:/srv/tmp /tmp nfs rw 0 0\n"
                                             "none /var/lib tmpfs defaults 0 0\n")}});
    auto made = plan();
    EXPECT_THAT(shown(made), ElementsAre("skipped /tmp", "skipped /var"))
        << "one at the very place would be taken for fstab's, and beneath /home is no default";
    input_.init_mounts_over = true;
    EXPECT_THAT(shown(plan()), ElementsAre("volatile empty /tmp", "skipped /var")) << "needed until it is mounted";
    input_.init_mounts_over = false;
    EXPECT_EQ(entry(made, "/var").origin.text(), "/etc/fstab:3");
    EXPECT_THAT(entry(made, "/var").notes, ElementsAre(HasSubstr("mounted from 10.9.0.1:/srv/var")));
    EXPECT_THAT(made.problems, IsEmpty());

    list("/snap/files", "/var/log\n/tmp\n");
    EXPECT_THAT(shown(plan()), ElementsAre("persistent /tmp", "skipped /var", "persistent /var/log"))
        << "what a list names is meant";
}

TEST_F(PlanState, TheNodesOwnFstabCountsWhenAListKeepsIt) {
    input_.defaults = true;
    files_.tree({{"/sysroot/var/lib/systemd", directory()},
                 {"/sysroot/etc/fstab", file("10.9.0.1:/srv/var /var nfs rw 0 0\n")},
                 {"/snap/etc/fstab", file("10.9.0.1:/srv/lib /var/lib nfs rw 0 0\n")}});
    EXPECT_THAT(shown(plan()), ElementsAre("volatile empty /tmp", "skipped /var")) << "no list names it";
    list("/snap/files", "/etc/fstab\n");
    EXPECT_THAT(shown(plan()),
                ElementsAre("persistent /etc/fstab", "volatile empty /tmp", "skipped /var/lib", "persistent /var/log"));
}

TEST_F(PlanState, DefaultsAreInOrderAndSound) {
    for (const auto& row : state_defaults()) {
        EXPECT_EQ(refused_path(row.path), "") << row.path;
        EXPECT_FALSE(row.reason.empty()) << row.path;
    }
}

TEST_F(PlanState, AsksTheServerLittle) {
    input_.defaults = true;
    (void)plan();
    std::map<std::string, int> asked;
    for (const auto& call : files_.calls) ++asked[call.name + " " + call.path];
    for (const auto& [call, times] : asked) EXPECT_EQ(times, 1) << call;
    EXPECT_LT(files_.calls.size(), 60u);
}

TEST_F(PlanState, AnUnreadableDirectoryIsSaid) {
    list("/snap/files", "/var/log\n");
    files_.hook = [](const FakeCall& call) -> std::optional<Error> {
        if (call.path == "/sysroot/var/log") return Error{"stat /sysroot/var/log: Stale file handle", "", ESTALE};
        return std::nullopt;
    };
    const auto made = plan();
    ASSERT_EQ(made.problems.size(), 1u);
    EXPECT_THAT(made.problems[0].text, HasSubstr("Stale file handle"));
}

TEST_F(PlanState, DescribesItselfInAlignedLines) {
    list("/snap/files", "/etc/hosts\n/var/log\n/etc/nothing\nbad\n");
    list("/sysroot/etc/rwtab", "empty /tmp\n");
    EXPECT_EQ(describe(plan()),
              "list  snapshot/files\n"
              "list  /etc/rwtab\n"
              "persistent      /etc/hosts   snapshot/files:1 /snap/etc/hosts, new: /sysroot/etc/hosts\n"
              "skipped         /etc/nothing snapshot/files:3\n"
              "                . neither in the root nor in the snapshot\n"
              "volatile empty  /tmp/        /etc/rwtab:1     empty, like /sysroot/tmp\n"
              "persistent      /var/log/    snapshot/files:2 /snap/var/log, new: /sysroot/var/log\n"
              "! snapshot/files:4: path \"bad\" is not absolute\n"
              "  -> write an absolute path without \"..\", outside /proc, /sys and /dev\n");
}

}  // namespace
}  // namespace diskless
