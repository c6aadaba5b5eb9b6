#include "common/state/apply_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_mounts.hpp"

namespace diskless {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A node while it boots: a read-only root, a snapshot, RAM.
class Node {
  public:
    Node() {
        files.tree({{"/sysroot", directory()}, {"/snap", directory()}, {"/run/diskless/state", directory()}});
        root = files.file_system("/sysroot");
        snapshot = files.file_system("/snap");
        ram = files.file_system("/run/diskless/state");
        files.tree({{"/sysroot/etc/hosts", file("image\n", 0640, 3, 4)},
                    {"/sysroot/etc/ssh/sshd_config", file("Port 22\n")},
                    {"/sysroot/var", directory(0755, 0, 5)},
                    {"/sysroot/var/lib/app/data", file("data", 0600, 7, 7)},
                    {"/sysroot/var/lib/app/current", symlink("data")},
                    {"/sysroot/var/log/old.log", file("old")},
                    {"/sysroot/tmp", directory(01777)}});
        input.snapshot = target.snapshot = "/snap";
        input.defaults = false;
    }
    void list(const std::string& path, const std::string& text) { files.tree({{path, file(text)}}); }
    std::vector<StateFacts> boot() {
        root->read_only = true;
        auto facts = apply_state(plan_state(input, files), target, files, mounts);
        EXPECT_TRUE(facts) << (facts ? "" : facts.error().cause);
        return facts ? *facts : std::vector<StateFacts>{};
    }
    /// What a reboot leaves: the root and the snapshot.
    void power_cut() {
        while (files.mounted.back().type != "fake") files.mounted.pop_back();
        files.kill_at(0);
        const auto full = ram->room;
        const auto names = files.list("/run/diskless/state");
        for (const auto& name : *names) (void)files.remove_tree("/run/diskless/state/" + name);
        ram->room = full;
    }
    std::string problem(const std::vector<StateFacts>& facts, const std::string& path) {
        for (const auto& each : facts)
            if (each.path == path) return each.problem;
        return "<no such entry>";
    }

    FakeFiles files;
    FakeMounts mounts{files};
    std::shared_ptr<FakeFileSystem> root, snapshot, ram;
    StateInput input;
    StateTarget target;
};

TEST(ApplyState, SeedsBindsAndKeepsTheNodesOwn) {
    Node node;
    node.list("/snap/files", "/var/lib/app\n/etc/hosts\n");
    auto facts = node.boot();
    ASSERT_EQ(facts.size(), 2u);
    EXPECT_EQ(facts[0], (StateFacts{"/etc/hosts", "persistent", "/snap/etc/hosts", 6, ""}));
    EXPECT_EQ(facts[1], (StateFacts{"/var/lib/app", "persistent", "/snap/var/lib/app", 4, ""}));
    EXPECT_THAT(node.mounts.lines(),
                ElementsAre("/sysroot/etc/hosts <- /snap/etc/hosts", "/sysroot/var/lib/app <- /snap/var/lib/app"));
    ASSERT_TRUE(node.files.write("/sysroot/var/lib/app/data", "mine"));
    EXPECT_FALSE(node.files.write("/sysroot/var/log/old.log", "mine")) << "the root stays read-only";

    node.power_cut();
    EXPECT_EQ(node.files.text("/sysroot/var/lib/app/data"), "data") << "the image is untouched";
    facts = node.boot();
    EXPECT_EQ(node.files.text("/sysroot/var/lib/app/data"), "mine");
    EXPECT_EQ(facts[1].bytes, 0u) << "an existing copy is never seeded again";
    EXPECT_EQ(node.files.dump("/snap/var"),
              "/snap/var/lib 755 0:0 /\n"
              "/snap/var/lib/app 755 0:0 /\n"
              "/snap/var/lib/app/current 777 0:0 -> data\n"
              "/snap/var/lib/app/data 600 7:7 mine\n");
    EXPECT_EQ(node.files.status("/snap/var")->gid, 5u) << "directories above are like the root's";
    EXPECT_FALSE(node.files.exists("/snap/.diskless/seed"));
}

TEST(ApplyState, VolatileKindsComeFromTheRootAndAreForgotten) {
    Node node;
    node.list("/sysroot/etc/rwtab", "empty /tmp\ndirs /var/lib\nfiles /etc/hosts\n");
    const auto facts = node.boot();
    for (const auto& each : facts) EXPECT_EQ(each.problem, "") << each.path;
    EXPECT_EQ(node.files.status("/sysroot/tmp")->mode, 01777u);
    EXPECT_TRUE(node.files.is_directory("/sysroot/var/lib/app"));
    EXPECT_FALSE(node.files.exists("/sysroot/var/lib/app/data"));
    EXPECT_EQ(node.files.status("/sysroot/etc/hosts")->uid, 3u);
    ASSERT_TRUE(node.files.write("/sysroot/etc/hosts", "changed"));
    ASSERT_TRUE(node.files.write("/sysroot/tmp/x", "y"));
    node.power_cut();
    EXPECT_EQ(node.files.text("/sysroot/etc/hosts"), "image\n");
    EXPECT_EQ(node.files.dump("/snap"), "");
}

TEST(ApplyState, GeneratedFilesCoverTheImages) {
    Node node;
    node.input.generated = {{"/etc/hosts", "10.9.0.7 n7\n", 0644, {}}};
    node.boot();
    EXPECT_EQ(node.files.text("/sysroot/etc/hosts"), "10.9.0.7 n7\n");
    EXPECT_EQ(node.files.status("/sysroot/etc/hosts")->mode, 0644u);
}

TEST(ApplyState, GeneratedFilesInRamDirectoriesNeedNoMount) {
    Node node;
    node.list("/sysroot/etc/rwtab", "files /etc\n");
    node.input.generated = {
        {"/etc/hosts", "new", 0644, {}}, {"/etc/hostname", "n7", 0644, {}}, {"/etc/mtab", {}, 0644, "../proc/mounts"}};
    for (const auto& each : node.boot()) EXPECT_EQ(each.problem, "") << each.path;
    EXPECT_EQ(node.mounts.lines().size(), 1u);
    EXPECT_EQ(node.files.text("/sysroot/etc/hosts"), "new");
    EXPECT_EQ(node.files.text("/sysroot/etc/hostname"), "n7");
    EXPECT_EQ(*node.files.read_link("/sysroot/etc/mtab"), "../proc/mounts");
    EXPECT_EQ(node.files.text("/sysroot/etc/ssh/sshd_config"), "Port 22\n");
}

TEST(ApplyState, TheSnapshotsCopyOfAGeneratedFileWins) {
    Node node;
    node.list("/snap/files", "/etc/hosts\n");
    node.input.generated = {{"/etc/hosts", "first", 0600, {}}};
    node.boot();
    EXPECT_EQ(node.files.text("/sysroot/etc/hosts"), "first");
    node.power_cut();
    node.input.generated[0].content = "second";
    node.boot();
    EXPECT_EQ(node.files.text("/sysroot/etc/hosts"), "first");
    EXPECT_EQ(node.files.status("/snap/etc/hosts")->mode, 0600u);
}

TEST(ApplyState, SharedHostKeysNeverReachASnapshot) {
    Node node;
    node.files.tree({{"/sysroot/etc/ssh/ssh_host_rsa_key", file("SHARED", 0600)}});
    node.input.defaults = true;
    node.list("/snap/files", "/etc/ssh/\n");
    node.input.generated = {{"/etc/ssh/ssh_host_rsa_key", "own", 0600, {}}};
    node.boot();
    EXPECT_EQ(node.files.text("/sysroot/etc/ssh/ssh_host_rsa_key"), "own");
    EXPECT_THAT(node.files.dump("/snap"), Not(HasSubstr("SHARED")));
    EXPECT_EQ(node.files.text("/sysroot/etc/ssh/sshd_config"), "Port 22\n");
}

TEST(ApplyState, LinksConcatenationsAndReadOnlyDirectories) {
    Node node;
    node.files.tree({{"/sysroot/tree/etc/hosts", file("tree\n")}, {"/sysroot/tree/etc/ssh/known", file("k")}});
    node.list("/sysroot/etc/litetree", "1,ALL,/tree,,,\n");
    node.list("/sysroot/etc/litefile",
              "ALL,/etc/hosts,con,,\nALL,/etc/ssh/,ro,,\nALL,/var/,tmpfs,,\nALL,/var/log/,link,,\n");
    for (const auto& each : node.boot()) EXPECT_EQ(each.problem, "") << each.path;
    EXPECT_EQ(node.files.text("/sysroot/etc/hosts"), "tree\nimage\n");
    EXPECT_EQ(node.files.status("/sysroot/etc/hosts")->mode, 0644u);
    EXPECT_EQ(node.files.text("/sysroot/etc/ssh/known"), "k");
    EXPECT_FALSE(node.files.write("/sysroot/etc/ssh/known", "x"));
    EXPECT_THAT(*node.files.read_link("/sysroot/var/log"), HasSubstr("/run/diskless/state/"));
    EXPECT_EQ(node.files.text("/sysroot/var/log/old.log"), "old");
}

/// Every kind beneath every kind: the child is there, writable as its kind says, and the parent's other content too.
TEST(ApplyState, AnyKindBeneathAnyKind) {
    struct Kind {
        std::string name, list, before, after;
        bool keeps_content, writable, persists;
    };
    const std::vector<Kind> kinds{
        {"persistent", "/snap/files", "", "", true, true, true},
        {"empty", "/sysroot/etc/rwtab", "empty ", "", false, true, false},
        {"dirs", "/sysroot/etc/rwtab", "dirs ", "", false, true, false},
        {"files", "/sysroot/etc/rwtab", "files ", "", true, true, false},
        {"ro", "/sysroot/etc/litefile", "ALL,", ",ro,,", true, false, false},
        {"link", "/sysroot/etc/litefile", "ALL,", ",link,,", true, true, false},
    };
    for (const auto& parent : kinds)
        for (const auto& child : kinds) {
            SCOPED_TRACE(parent.name + " > " + child.name);
            Node node;
            node.files.tree({{"/sysroot/srv/parent/file", file("p")},
                             {"/sysroot/srv/parent/child/file", file("c")},
                             {"/sysroot/tree/srv/parent/file", file("p")},
                             {"/sysroot/tree/srv/parent/child/file", file("c")}});
            node.list("/sysroot/etc/litetree", "1,ALL,/tree,,,\n");
            std::map<std::string, std::string> lists;
            lists[child.list] += child.before + "/srv/parent/child" + child.after + "\n";
            lists[parent.list] += parent.before + "/srv/parent" + parent.after + "\n";
            for (const auto& [path, text] : lists) node.list(path, text);
            for (const auto& each : node.boot()) EXPECT_EQ(each.problem, "") << each.path;
            EXPECT_EQ(node.files.exists("/sysroot/srv/parent/file"), parent.keeps_content);
            EXPECT_EQ(node.files.exists("/sysroot/srv/parent/child/file"), child.keeps_content);
            EXPECT_EQ(node.files.write("/sysroot/srv/parent/new", "x").has_value(), parent.writable);
            EXPECT_EQ(node.files.write("/sysroot/srv/parent/child/new", "x").has_value(), child.writable);
            node.power_cut();
            for (const auto& each : node.boot()) EXPECT_EQ(each.problem, "") << each.path;
            EXPECT_EQ(node.files.exists("/sysroot/srv/parent/new"), parent.persists);
            EXPECT_EQ(node.files.exists("/sysroot/srv/parent/child/new"), child.persists);
        }
}

TEST(ApplyState, MountPointsAreMadeInTheParentsCopy) {
    Node node;
    node.list("/snap/files", "/var\n");
    node.boot();
    node.power_cut();
    // the image has got a directory since, and a list names it
    node.root->read_only = false;
    node.files.tree({{"/sysroot/var/lib/new/file", file("n")}});
    node.list("/sysroot/etc/rwtab", "files /var/lib/new\n");
    for (const auto& each : node.boot()) EXPECT_EQ(each.problem, "") << each.path;
    EXPECT_EQ(node.files.text("/sysroot/var/lib/new/file"), "n");
}

TEST(ApplyState, ADirectoryThatWasOnlyScaffoldIsFilledWhenItIsListed) {
    Node node;
    node.list("/snap/files", "/var/lib/app\n");
    node.boot();
    ASSERT_TRUE(node.files.write("/sysroot/var/lib/app/data", "mine"));
    node.power_cut();
    node.list("/snap/files", "/var\n");
    node.boot();
    EXPECT_EQ(node.files.text("/sysroot/var/lib/app/data"), "mine");
    EXPECT_EQ(node.files.text("/sysroot/var/log/old.log"), "old") << "/var is no copy because /var/lib/app was seeded";
    ASSERT_TRUE(node.files.remove("/sysroot/var/log/old.log"));
    node.power_cut();
    node.boot();
    EXPECT_FALSE(node.files.exists("/sysroot/var/log/old.log")) << "now it is a copy";
}

TEST(ApplyState, ASnapshotThatCannotBeWrittenMakesItsEntriesVolatile) {
    for (const int code : {ENOSPC, EROFS, EACCES}) {
        Node node;
        node.list("/snap/files", "/var/lib/app\n/var/log\n/etc/hosts\n");
        node.files.tree({{"/snap/var/log/mine", file("kept")}});
        if (code == ENOSPC) node.snapshot->room = 1;
        if (code == EROFS) node.snapshot->read_only = true;
        if (code == EACCES) node.snapshot->forbidden = true;
        const auto facts = node.boot();
        EXPECT_THAT(node.problem(facts, "/var/lib/app"), HasSubstr(error_text(code)));
        EXPECT_THAT(node.problem(facts, "/var/lib/app"), HasSubstr("kept in RAM"));
        EXPECT_EQ(facts[1].kind, "volatile copy");
        EXPECT_TRUE(node.files.write("/sysroot/var/lib/app/data", "writable"));
        EXPECT_EQ(node.files.text("/sysroot/var/log/mine"), "kept") << "what was seeded is used";
        EXPECT_EQ(node.problem(facts, "/var/log"), "");
    }
}

TEST(ApplyState, WhatDoesNotFitLeavesItsRoomToTheOthers) {
    Node node;
    node.list("/snap/files", "/var/lib/app\n/var/log\n");
    node.files.tree({{"/sysroot/var/lib/app/a", file(std::string(400, 'x'))},
                     {"/sysroot/var/lib/app/b", file(std::string(4000, 'x'))}});
    node.snapshot->room = 500;
    const auto facts = node.boot();
    EXPECT_THAT(node.problem(facts, "/var/lib/app"), HasSubstr("kept in RAM"));
    EXPECT_EQ(node.problem(facts, "/var/log"), "");
    EXPECT_TRUE(node.files.exists("/snap/var/log/old.log"));
}

TEST(ApplyState, AFullDiskLeavesNoHalfCopy) {
    Node node;
    node.list("/snap/files", "/var/lib/app\n");
    node.files.tree({{"/sysroot/var/lib/app/big", file(std::string(1000, 'x'))}});
    node.snapshot->room = 500;
    node.boot();
    EXPECT_FALSE(node.files.exists("/snap/var/lib/app"));
    node.power_cut();
    node.snapshot->room.reset();
    node.boot();
    EXPECT_EQ(node.files.text("/snap/var/lib/app/big").size(), 1000u);
}

TEST(ApplyState, OneFailureDoesNotStopTheOthers) {
    Node node;
    node.list("/snap/files", "/etc/hosts\n/var/log\n");
    node.mounts.refuse("/sysroot/etc/hosts", EPERM);
    const auto facts = node.boot();
    EXPECT_THAT(node.problem(facts, "/etc/hosts"), HasSubstr("Operation not permitted"));
    EXPECT_EQ(node.problem(facts, "/var/log"), "");
    EXPECT_THAT(node.mounts.lines(), ElementsAre("/sysroot/var/log <- /snap/var/log"));
}

TEST(ApplyState, RamThatIsFullIsSaidPerEntry) {
    Node node;
    node.files.tree({{"/sysroot/big", file(std::string(5000, 'x'))}});
    node.list("/sysroot/etc/rwtab", "files /big\nempty /tmp\n");
    node.ram->room = 2000;
    const auto facts = node.boot();
    EXPECT_THAT(node.problem(facts, "/big"), HasSubstr("No space left"));
    EXPECT_EQ(node.problem(facts, "/tmp"), "");
}

TEST(ApplyState, NothingIsFollowedThroughTheSnapshotsSymlinks) {
    Node node;
    node.files.tree({{"/outside/app/secret", file("s")}, {"/snap/var/lib", symlink("/outside")}});
    node.list("/snap/files", "/var/lib/app\n");
    const auto facts = node.boot();
    EXPECT_THAT(node.problem(facts, "/var/lib/app"), HasSubstr("symlink"));
    EXPECT_EQ(facts[0].kind, "skipped");
    EXPECT_THAT(node.mounts.lines(), IsEmpty());
}

TEST(ApplyState, MountPointsAreNotFollowedThroughThemEither) {
    Node node;
    node.files.tree({{"/outside/app", directory()}, {"/snap/var/lib", symlink("/outside")}});
    node.list("/snap/files", "/var\n");
    node.list("/sysroot/etc/rwtab", "files /var/lib/app\n");
    const auto facts = node.boot();
    EXPECT_EQ(node.problem(facts, "/var"), "");
    EXPECT_THAT(node.problem(facts, "/var/lib/app"), HasSubstr("symlink"));
    EXPECT_THAT(node.mounts.lines(), ElementsAre("/sysroot/var <- /snap/var"));
    EXPECT_EQ(node.files.dump("/outside"), "/outside/app 755 0:0 /\n");
}

TEST(ApplyState, OurOwnDirectoryIsNotFollowedEither) {
    Node node;
    node.files.tree({{"/outside", directory()}, {"/snap/.diskless", symlink("/outside")}});
    node.list("/snap/files", "/etc/hosts\n");
    const auto facts = node.boot();
    EXPECT_THAT(facts[0].problem, HasSubstr("/.diskless is a symlink"));
    EXPECT_EQ(node.files.dump("/outside"), "");
    EXPECT_EQ(node.files.text("/sysroot/etc/hosts"), "image\n");
}

/// A kill at any call, then a whole boot: what the node wrote is there, every copy is whole.
TEST(ApplyState, SurvivesAKillAtEveryCall) {
    for (const bool scaffold : {false, true}) {
        for (std::size_t n = 1;; ++n) {
            SCOPED_TRACE("killed at call " + std::to_string(n));
            Node node;
            node.files.tree({{"/snap/etc/hosts", file("mine")}});
            if (scaffold) {
                node.list("/snap/files", "/var/lib/app\n");
                node.boot();
                ASSERT_TRUE(node.files.write("/sysroot/var/lib/app/data", "mine"));
                node.power_cut();
            }
            node.list("/snap/files",
                      scaffold ? "/var\n/etc/hosts\n" : "/var/lib/app\n/var/log\n/etc/hosts\n/etc/ssh/id\n");
            node.files.tree({{"/sysroot/etc/ssh/id", file()}});
            node.input.generated = {{"/etc/ssh/id", "key", 0600, {}}};
            node.files.kill_at(n);
            bool killed = false;
            try {
                node.boot();
            } catch (const FakeKilled&) {
                killed = true;
            }
            node.power_cut();
            for (const auto& each : node.boot()) EXPECT_EQ(each.problem, "") << each.path;
            EXPECT_EQ(node.files.text("/sysroot/etc/hosts"), "mine");
            EXPECT_EQ(node.files.text("/sysroot/var/lib/app/data"), scaffold ? "mine" : "data");
            EXPECT_EQ(*node.files.read_link("/sysroot/var/lib/app/current"), "data");
            EXPECT_EQ(node.files.text("/sysroot/var/log/old.log"), "old");
            EXPECT_EQ(node.files.status("/snap/var/lib/app/data")->uid, 7u);
            EXPECT_EQ(node.files.status("/snap/var")->gid, 5u);
            if (!scaffold) {
                EXPECT_EQ(node.files.text("/snap/etc/ssh/id"), "key");
            }
            EXPECT_EQ(node.files.dump("/snap/.diskless/seed"), "");
            if (!killed) {
                EXPECT_GT(n, 20u);
                break;
            }
        }
    }
}

/// Every single failing call: the boot goes on, and nothing of the node's is lost.
TEST(ApplyState, SurvivesAnErrorAtEveryCall) {
    for (std::size_t n = 1; n < 80; ++n) {
        SCOPED_TRACE("failed at call " + std::to_string(n));
        Node node;
        node.list("/snap/files", "/var/lib/app\n/var/log\n/etc/hosts\n");
        node.list("/sysroot/etc/rwtab", "empty /tmp\n");
        node.files.tree({{"/snap/etc/hosts", file("mine")}});
        std::size_t count = 0;
        node.files.hook = [&](const FakeCall& call) -> std::optional<Error> {
            if (++count != n) return std::nullopt;
            return Error{"call of " + call.path + ": Input/output error", "", EIO};
        };
        node.root->read_only = true;
        (void)apply_state(plan_state(node.input, node.files), node.target, node.files, node.mounts);
        node.files.hook = nullptr;
        EXPECT_EQ(node.files.text("/snap/etc/hosts"), "mine");
        node.power_cut();
        for (const auto& each : node.boot()) EXPECT_EQ(each.problem, "") << each.path;
        EXPECT_EQ(node.files.text("/sysroot/etc/hosts"), "mine");
        EXPECT_EQ(node.files.text("/sysroot/var/lib/app/data"), "data");
    }
}

TEST(UndoState, LetsTheStepBeTriedAgain) {
    Node node;
    node.list("/snap/files", "/var\n");
    node.list("/sysroot/etc/rwtab", "files /var/log\nempty /tmp\n");
    EXPECT_TRUE(undo_state(node.target, node.files, node.mounts)) << "nothing to do at first";
    node.boot();
    const auto first = node.mounts.lines();
    EXPECT_EQ(first.size(), 3u);
    const auto again = apply_state(plan_state(node.input, node.files), node.target, node.files, node.mounts);
    ASSERT_FALSE(again) << "nothing is mounted twice";
    EXPECT_EQ(again.error().code, EEXIST);
    EXPECT_EQ(node.mounts.lines(), first);
    ASSERT_TRUE(undo_state(node.target, node.files, node.mounts));
    EXPECT_THAT(node.mounts.lines(), IsEmpty());
    EXPECT_EQ(node.files.dump("/run/diskless/state"), "");
    for (const auto& each : node.boot()) EXPECT_EQ(each.problem, "") << each.path;
    EXPECT_EQ(node.mounts.lines(), first);
}

TEST(UndoState, AfterAKillAtEveryCallInTheSameBoot) {
    for (std::size_t n = 1; n < 60; ++n) {
        SCOPED_TRACE("killed at call " + std::to_string(n));
        Node node;
        node.list("/snap/files", "/var\n");
        node.list("/sysroot/etc/rwtab", "files /var/log\nempty /tmp\n");
        node.files.kill_at(n);
        try {
            node.boot();
        } catch (const FakeKilled&) {
        }
        node.files.kill_at(0);
        ASSERT_TRUE(undo_state(node.target, node.files, node.mounts));
        for (const auto& each : node.boot()) EXPECT_EQ(each.problem, "") << each.path;
        EXPECT_EQ(node.files.text("/sysroot/var/log/old.log"), "old");
        EXPECT_EQ(node.mounts.lines().size(), 3u);
    }
}

TEST(ApplyState, WithoutSnapshotEverythingIsInRamAndSaidSo) {
    Node node;
    node.input.snapshot = node.target.snapshot = "";
    node.list("/sysroot/etc/statetab", "/var/lib/app\n");
    const auto facts = node.boot();
    EXPECT_EQ(facts[0].kind, "volatile copy");
    EXPECT_THAT(facts[0].problem, HasSubstr("lost at the next boot"));
    EXPECT_TRUE(node.files.write("/sysroot/var/lib/app/data", "x"));
}

TEST(ApplyState, AsksTheServerLittleWhenNothingIsNew) {
    Node node;
    node.list("/snap/files", "/var/lib/app\n/var/log\n/etc/hosts\n");
    node.boot();
    node.power_cut();
    const auto plan = plan_state(node.input, node.files);
    node.files.calls.clear();
    ASSERT_TRUE(apply_state(plan, node.target, node.files, node.mounts));
    std::size_t on_server = 0;
    for (const auto& call : node.files.calls)
        on_server += call.path.starts_with("/snap") || call.path.starts_with("/sysroot");
    EXPECT_LE(on_server, 9u) << "one question for each name on the way, one for what it is";
}

}  // namespace
}  // namespace diskless
