// An image, its nodes' snapshots and overlays in a temporary directory.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "common/os/confined_files_linux.hpp"
#include "server-helper/snapshot/prepare.hpp"
#include "tests/fakes/temporary_directory.hpp"

namespace diskless::server {

class SmallTree : public ::testing::Test {
  protected:
    void SetUp() override {
        for (const char* path : {"image/etc/ssh", "image/var/log/journal", "image/var/spool/cron", "image/root",
                                 "snapshots", "overlays", "elsewhere"})
            std::filesystem::create_directories(in(path));
        for (const char* path : {"hostname", "machine-id", "motd", "issue"}) write(in("image/etc/") + path, "");
        write(in("image/etc/ssh/sshd_config"), "UsePAM yes\n");
        write(in("image/etc/ssh/ssh_host_rsa_key"), "the image's own\n");
        write(in("image/var/spool/cron/root"), "0 * * * * date\n");
        write(in("image/var/log/messages"), "of the golden node\n");
        write(in("image/var/spool/large"), std::string(200'000, 'x'));
        write(in("elsewhere/secret"), "secret\n");
        options_.snapshots = in("snapshots");
        options_.staging = in("snapshots/.prepare");
        options_.overlays = in("overlays");
    }

    std::string in(const std::string& path) const { return top_ + "/" + path; }
    std::string of(const std::string& node, const std::string& path) const {
        return in("snapshots/") + node + "/" + path;
    }
    static void write(const std::string& path, const std::string& content) {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path, std::ios::binary) << content;
    }
    static std::string read(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    static unsigned mode_of(const std::string& path) {
        struct stat found {};
        EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
        return found.st_mode & 07777;
    }
    SnapshotJob job(const std::string& node) const {
        SnapshotJob made;
        made.node = made.snapshot = made.hostname = node;
        made.root = in("image");
        made.overlays = {"compute", node};
        made.variables = {{"rack", "r7"}};
        return made;
    }
    std::vector<PreparedNode> prepare(const std::vector<std::string>& nodes) const {
        std::vector<SnapshotJob> jobs;
        for (const auto& node : nodes) jobs.push_back(job(node));
        auto done = prepare_snapshots(jobs, options_);
        EXPECT_TRUE(done) << done.error().cause;
        return done ? *done : std::vector<PreparedNode>(nodes.size());
    }
    ConfinedFiles confined() const { return std::move(*ConfinedFiles::open(in("snapshots"))); }

    const TemporaryDirectory directory_ = TemporaryDirectory::in_memory();  // the kill tests flush it
    const std::string top_ = directory_.path;
    PrepareOptions options_;
};

}  // namespace diskless::server
