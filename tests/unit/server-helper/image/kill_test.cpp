// kill -9 at every system call that changes something: the tree is as before or as after, and the next run works.
#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <set>

#include "tests/fakes/sudden_end.hpp"
#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

namespace fs = std::filesystem;

class KillTest : public TreeTest {
  protected:
    /// Kills the command at every call (every `stride`th: where a tree takes long to make), each time on a tree made
    /// anew by `prepare`; `check` looks at what is left.
    void kill_everywhere(const std::vector<std::string>& command, const std::function<void()>& prepare,
                         const std::function<void()>& check, int stride = 1) {
        for (int at = 0;; at += stride) {
            SCOPED_TRACE("killed at call " + std::to_string(at));
            prepare();
            const auto outcome = run_and_kill([&] { run(command); }, at);
            if (outcome == SuddenEnd::untraceable) GTEST_SKIP() << "this machine lets no process be traced";
            const auto cluster = load_cluster(base);
            ASSERT_TRUE(cluster) << cluster.error().cause;
            check();
            if (HasFailure()) return;
            ASSERT_EQ(run(command), kDone) << "the next run: " << err;
            if (outcome == SuddenEnd::finished) {
                EXPECT_GT(at, 5) << "the child was killed at hardly any call";
                return;
            }
        }
    }
};

TEST_F(KillTest, NodeListIsOldOrNew) {
    const std::string before = "[node.n1]\nip = \"10.8.0.11\"\n";
    const std::string after = "[node.n1]\nip = \"10.8.0.12\"\n";
    std::set<std::string> seen;
    kill_everywhere(
        {"node", "set", "n1", "ip=10.8.0.12"}, [&] { write("nodes.toml", before); },
        [&] {
            const auto now = read("nodes.toml");
            EXPECT_TRUE(now == before || now == after) << now;
            seen.insert(now);
        });
    EXPECT_EQ(seen.size(), 2u);
}

TEST_F(KillTest, CurrentGenerationIsAlwaysAWholeOne) {
    write("source/etc/a", "1");
    write("source/etc/b", "2");
    std::set<std::string> seen;
    kill_everywhere(
        {"image", "sync", "site"},
        [&] {
            fs::remove_all(path("images/site"));
            write("images/site/image.toml", "kind = \"root\"\nsource = \"" + path("source") + "\"\n");
            write("images/site/1/etc/a", "old");
            write("images/site/1/.diskless-generation", "IMAGE=site\nGENERATION=1\n");
            fs::create_symlink("1", path("images/site/current"));
        },
        [&] {
            const std::string now = fs::read_symlink(path("images/site/current"));
            const auto file = [&](const char* rest) { return read("images/site/" + now + rest); };
            if (now == "1") {
                EXPECT_EQ(file("/etc/a"), "old");
            } else {
                EXPECT_EQ(file("/etc/a"), "1");
                EXPECT_EQ(file("/etc/b"), "2");
                EXPECT_NE(file("/.diskless-generation"), "");
            }
            seen.insert(now == "1" ? "old" : "new");
        });
    EXPECT_EQ(seen.size(), 2u);
}

TEST_F(KillTest, EveryBootFileIsOldOrNew) {
    const std::string before = "[node.n1]\nip = \"10.8.0.11\"\nmac = \"52:54:00:00:00:01\"\n";
    const std::string after = before + "[node.n2]\nip = \"10.8.0.12\"\nmac = \"52:54:00:00:00:02\"\n";
    const std::vector<std::string> apply = {"boot", "apply", "--quiet"};
    const auto files = [&] {
        std::map<std::string, std::string> found;
        for (const auto& entry : fs::recursive_directory_iterator(path("boot")))
            if (entry.is_regular_file() && !entry.path().filename().string().starts_with('.'))
                found[entry.path().string()] = read(entry.path().string().substr(base.size() + 1));
        return found;
    };
    const auto no_boot_files = [&] {
        fs::remove_all(path("boot"));
        for (const char* file : {"vmlinuz", "initrd.img"}) write(std::string("boot/tftp/debian/") + file, "");
    };
    no_boot_files();
    write("nodes.toml", before);
    ASSERT_EQ(run(apply), kDone) << err;
    const auto old_files = files();
    write("nodes.toml", after);
    ASSERT_EQ(run(apply), kDone) << err;
    const auto new_files = files();
    ASSERT_GT(new_files.size(), old_files.size());
    no_boot_files();

    bool was_old = false, was_new = false;
    kill_everywhere(
        apply,
        [&] {
            write("nodes.toml", before);
            ASSERT_EQ(run(apply), kDone) << err;
            write("nodes.toml", after);
        },
        [&] {
            const auto now = files();
            for (const auto& [name, content] : now) {
                const auto old_one = old_files.find(name), new_one = new_files.find(name);
                EXPECT_TRUE((old_one != old_files.end() && old_one->second == content) ||
                            (new_one != new_files.end() && new_one->second == content))
                    << name << " is neither old nor new:\n"
                    << content;
            }
            for (const auto& [name, content] : old_files) EXPECT_TRUE(now.contains(name)) << name << " is lost";
            was_old |= now == old_files;
            was_new |= now == new_files;
        },
        7);
    EXPECT_TRUE(was_old && was_new);
    EXPECT_EQ(files(), new_files) << "the last run did not bring it to its end";
}

}  // namespace
}  // namespace diskless::server
