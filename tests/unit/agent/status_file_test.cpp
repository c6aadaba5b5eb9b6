#include "agent/status_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/small_world.hpp"
#include "tests/unit/report/sample_report.hpp"

namespace diskless {
namespace {

using namespace test_agent;

class StatusFileTest : public ::testing::Test {
  protected:
    NodeStatus now() {
        LiveFacts live;
        live.now = clock.now();
        live.wall = std::chrono::duration_cast<Seconds>(clock.wall()).count();
        live.root = server_answers ? Health{.state = "ok", .milliseconds = 2}
                                   : Health{"unreachable", 2, 9, "no answer", "start it"};
        auto report = test_report::sample_report();
        report.lease.lease_time = Seconds{0};  // its end would be a change
        return node_status(report, live);
    }
    /// Works whenever it is due; how often the file was written.
    int pass(Nanoseconds span) {
        const auto end = clock.now() + span;
        int writes = 0;
        for (; file.next_due() < end; clock.time = std::max(clock.time, file.next_due())) {
            if (clock.now() < file.next_due()) continue;
            files.content.erase(kFile);
            file.work(now());
            EXPECT_GT(file.next_due(), clock.now());
            writes += static_cast<int>(files.content.count(kFile));
        }
        clock.time = end;
        return writes;
    }

    static constexpr const char* kFile = "/snapshot/.diskless/status.json";
    SmallClock clock;
    SmallFiles files;
    SmallProcesses processes{clock};
    SmallMachine machine;
    bool server_answers = true;
    StatusFile file{{clock, files, processes, machine}, "/snapshot"};
};

TEST_F(StatusFileTest, IsWrittenEveryTenMinutesWhenNothingHappens) {
    EXPECT_EQ(pass(Seconds{9}), 0);
    EXPECT_EQ(pass(Seconds{2}), 1);
    EXPECT_EQ(pass(Seconds{590}), 0);
    EXPECT_EQ(pass(Seconds{3600}), 6);
    const auto status = node_status_from_json([&] {
        clock.time += Seconds{600};
        file.work(now());
        return files.content[kFile];
    }());
    ASSERT_TRUE(status) << status.error().cause;
    EXPECT_EQ(status->identity.hostname, "node07");
    EXPECT_EQ(files.content["/snapshot/.diskless/clock"],
              std::to_string(std::chrono::duration_cast<Seconds>(clock.wall()).count()) + "\n");
}

TEST_F(StatusFileTest, AChangeIsWrittenWithinAMinuteAndNotOftener) {
    pass(Seconds{15});
    server_answers = false;
    EXPECT_EQ(pass(Seconds{60}), 1);
    int writes = 0;
    for (int i = 0; i < 100; ++i) {
        server_answers = !server_answers;
        writes += pass(Seconds{7});
    }
    EXPECT_LE(writes, 12);
    EXPECT_GE(writes, 5);
}

TEST_F(StatusFileTest, LeavesAServerThatIsAwayAloneMoreAndMore) {
    pass(Seconds{15});
    processes.children.clear();
    processes.hanging.insert("keep the status");
    const auto before = clock.now();
    pass(Seconds{7200});
    EXPECT_LE(processes.children.size(), 9U);
    EXPECT_TRUE(file.problem());
    EXPECT_LE(clock.now() - before, Seconds{7210});
    processes.hanging.clear();
    EXPECT_GE(pass(Seconds{1900}), 1);
    EXPECT_FALSE(file.problem());
    EXPECT_EQ(pass(Seconds{1200}), 2) << "as before";
}

TEST_F(StatusFileTest, AReadOnlySnapshotIsNoDrama) {
    files.read_only = true;
    EXPECT_EQ(pass(Seconds{7200}), 0);
    EXPECT_LE(processes.children.size(), 30U) << "it is there, and may be mended any time";
    EXPECT_EQ(file.problem()->code, EROFS);
}

TEST_F(StatusFileTest, KeepsRandomBytesAndTheTimeForTheNextBoot) {
    pass(Seconds{15});
    EXPECT_EQ(files.content["/snapshot/.diskless/random-seed"].size(), 32U);
    files.content.erase("/snapshot/.diskless/random-seed");
    clock.time += Seconds{100};
    file.keep_last();
    EXPECT_EQ(files.content["/snapshot/.diskless/random-seed"].size(), 32U);
    EXPECT_EQ(files.content["/snapshot/.diskless/clock"],
              std::to_string(std::chrono::duration_cast<Seconds>(clock.wall()).count()) + "\n");
    EXPECT_THAT(processes.children.back(), "keep the time") << "NFS is for children";
}

TEST(StatusMark, OnlyLastingThingsCount) {
    NodeStatus one;
    one.wall = 1;
    one.lease.expires_in = 5;
    one.degraded = {{"snapshot", "nearly full: 10 MiB free of 2 GiB", "free room"}};
    auto other = one;
    other.wall = 2;
    other.uptime = Seconds{3};
    other.lease.expires_in = 4;
    other.space = Space{1, 2, 3, 4};
    other.degraded[0].cause = "nearly full: 9 MiB free of 2 GiB";
    one.root_health = Health{"ok", 3, 100, "", ""};
    other.root_health = Health{"ok", 7, 160, "", ""};
    other.counters.lease_renewals = 8;
    EXPECT_EQ(status_mark(one), status_mark(other));
    other.lease.address = "10.9.0.3/24";
    EXPECT_NE(status_mark(one), status_mark(other));
    other = one;
    other.degraded.clear();
    EXPECT_NE(status_mark(one), status_mark(other));
}

}  // namespace
}  // namespace diskless
