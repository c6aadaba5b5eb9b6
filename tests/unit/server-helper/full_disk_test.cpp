// A disk that fills up at any moment: the command says so, nothing of the old state is lost, and with room again the
// same command does its work.
#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "tests/fakes/sudden_end.hpp"
#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDisk = 4 << 20, kPage = 4096;  // a tmpfs is handed out by pages

class FullDisk : public TreeTest {
  protected:
    std::map<std::string, std::string> everything() const {
        std::map<std::string, std::string> found;
        for (const auto& entry : fs::recursive_directory_iterator(base)) {
            const auto name = entry.path().string().substr(base.size() + 1);
            if (entry.is_symlink())
                found[name] = "-> " + fs::read_symlink(entry.path()).string();
            else if (entry.is_regular_file() && name != "ballast")
                found[name] = read(name);
        }
        return found;
    }

    /// Leaves that many pages of the disk.
    void leave(std::size_t pages) {
        fs::remove(path("ballast"));
        std::ofstream ballast(path("ballast"), std::ios::binary);
        const auto room = fs::space(base).available;
        for (std::size_t page = 0; page + pages < room / kPage; ++page) ballast << std::string(kPage, 'x');
        ballast.flush();
    }

    /// In the child: the command with ever more room until it succeeds. `kept`: files that must stay as they are as
    /// long as it fails.
    int fill(const std::function<void()>& prepare, const std::vector<std::string>& command,
             const std::vector<std::string>& kept) {
        int failures = 0;
        for (std::size_t pages = 0;; pages += 1 + pages / 8) {
            for (const auto& entry : fs::directory_iterator(base)) fs::remove_all(entry.path());
            write("cluster.toml",
                  "[server]\naddress = \"10.8.0.1\"\nnetwork = \"10.8.0.0/16\"\n[defaults]\nimage = \"debian\"\n");
            generation("debian", "20260101-000000");
            write("images/debian/20260101-000000/etc/hostname", "");
            write("images/debian/20260101-000000/etc/machine-id", "");
            prepare();
            const auto before = everything();
            leave(pages);
            const int code = run(command);
            const auto told = err;
            fs::remove(path("ballast"));
            const auto after = everything();
            if (code == kDone) return failures >= 3 ? 0 : 1;
            ++failures;
            if (told.find("No space left") == std::string::npos || told.find("make room") == std::string::npos) {
                std::cerr << pages << " pages: not told: " << told << '\n';
                return 2;
            }
            for (const auto& [name, content] : after)
                if (name.find("/.staging-") != name.npos || name.find("/.unpacked") != name.npos) {
                    std::cerr << pages << " pages: " << name << " takes room\n";
                    return 6;
                }
            if (command[0] == "image" && told.find("make room: ") == std::string::npos &&
                told.find("synchronise image") != std::string::npos) {
                std::cerr << pages << " pages: no remedy: " << told << '\n';
                return 2;
            }
            for (const auto& name : kept)
                if (!after.contains(name) || after.at(name) != before.at(name)) {
                    std::cerr << pages << " pages: " << name << " is not what it was\n";
                    return 3;
                }
            for (const auto& [name, content] : before)
                if (!after.contains(name)) {
                    std::cerr << pages << " pages: " << name << " is lost\n";
                    return 4;
                }
            if (run(command) != kDone) {
                std::cerr << pages << " pages: the next run: " << err << '\n';
                return 5;
            }
        }
    }

    void expect_safe(const std::function<void()>& prepare, const std::vector<std::string>& command,
                     const std::vector<std::string>& kept) {
        const int code = on_small_disk(base, kDisk, [&] { return fill(prepare, command, kept); });
        if (code == 77) GTEST_SKIP() << "no mount namespace here";
        EXPECT_EQ(code, 0) << "1: never failed, 2: not told, 3: changed, 4: lost, 5: the next run failed, 6: left";
    }

    const std::string node_ = "[node.n1]\nip = \"10.8.0.11\"\nmac = \"52:54:00:00:00:01\"\n";
};

TEST_F(FullDisk, NodeAdd) {
    // a list of more than a page: one that grew in place would be torn
    expect_safe([&] { write("nodes.toml", node_ + "# " + std::string(3 * kPage, 'x') + "\n"); },
                {"node", "add", "n2", "--ip", "10.8.0.12"}, {"nodes.toml"});
}

TEST_F(FullDisk, ImageSync) {
    expect_safe(
        [&] {
            write("source/etc/a", std::string(3 * kPage, 'a'));
            write("source/etc/b", "new");
            write("images/site/image.toml", "kind = \"root\"\nsource = \"" + path("source") + "\"\n");
            generation("site", "1");
            write("images/site/1/etc/a", "old");
        },
        {"image", "sync", "site", "--quiet"}, {"images/site/current", "images/site/1/etc/a"});
}

TEST_F(FullDisk, SnapshotPrepare) {
    expect_safe(
        [&] {
            write("nodes.toml", node_);
            write("snapshots/other/etc/hostname", "other\n");
        },
        {"snapshot", "prepare", "--quiet"}, {"nodes.toml", "snapshots/other/etc/hostname"});
}

TEST_F(FullDisk, BootApply) {
    expect_safe(
        [&] {
            write("nodes.toml", node_);
            write("boot/tftp/debian/vmlinuz", "");
            write("boot/tftp/debian/initrd.img", "");
        },
        {"boot", "apply", "--quiet"}, {"nodes.toml"});
}

}  // namespace
}  // namespace diskless::server
