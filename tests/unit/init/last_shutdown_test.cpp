// What the next boot says of the last end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/executor.hpp"
#include "common/report/node_status.hpp"
#include "init/boot_report_of.hpp"
#include "init/plan.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::HasSubstr;

struct NextBoot : FakeCluster {
    Boot boot;
    Executor executor{os, {}, false};

    NextBoot()
        : FakeCluster(
              "root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp "
              "diskless.snapshot=10.9.0.1:/srv/snapshots") {}
    void keep(const std::string& name, const std::string& text) {
        files.tree({{"/server/snapshots/node1/.diskless/" + name, file(text)}});
    }
    BootReport run() {
        EXPECT_TRUE(executor.run(plan_early(boot)) && executor.run(plan_boot(boot)));
        return boot_report_of(boot, executor.reports(), os, {});
    }
};

TEST(LastShutdown, IsNotKnownAtTheFirstBoot) { EXPECT_FALSE(NextBoot().run().last_shutdown); }

TEST(LastShutdown, IsTakenFromTheSnapshot) {
    NextBoot node;
    const LastShutdown told{.outcome = "losses",
                            .verb = "reboot",
                            .wall = 1'700'000'000,
                            .took = Seconds{3},
                            .unwritten_bytes = 4096,
                            .losses = {"process 50 (x) did not end"}};
    node.keep("last-shutdown.json", to_json(told));
    const auto report = node.run();
    EXPECT_EQ(report.last_shutdown, told);
    EXPECT_EQ(boot_report_from_json(to_json(report))->last_shutdown, told);
    const auto status = node_status(report, {});
    ASSERT_FALSE(status.degraded.empty());
    EXPECT_THAT(status_text(status), HasSubstr("4.0 KiB not written, process 50 (x) did not end"));
}

TEST(LastShutdown, ACleanOneIsNoTrouble) {
    NextBoot node;
    node.keep("last-shutdown.json", to_json(LastShutdown{.outcome = "clean", .verb = "halt"}));
    const auto report = node.run();
    ASSERT_TRUE(report.last_shutdown);
    EXPECT_EQ(report.last_shutdown->verb, "halt");
    for (const auto& item : node_status(report, {}).degraded) EXPECT_NE(item.what, "last end") << item.cause;
}

TEST(LastShutdown, AMarkThatIsStillThereTellsOfNoEnd) {
    NextBoot node;
    node.keep("running", "");
    node.keep("clock", "1600000000\n");
    node.keep("last-shutdown.json", to_json(LastShutdown{.outcome = "clean"}));  // an older one
    const auto report = node.run();
    ASSERT_TRUE(report.last_shutdown);
    EXPECT_EQ(report.last_shutdown->outcome, "unclean");
    EXPECT_EQ(report.last_shutdown->wall, 1'600'000'000);
    EXPECT_THAT(status_text(node_status(report, {})), HasSubstr("no word of an end"));
}

TEST(LastShutdown, RubbishInTheSnapshotIsNothing) {
    for (const char* rubbish : {"", "{", "[]", "{\"outcome\": 5}", "\xff\xfe"}) {
        NextBoot node;
        node.keep("last-shutdown.json", rubbish);
        EXPECT_FALSE(node.run().last_shutdown) << rubbish;
    }
}

}  // namespace
}  // namespace diskless
