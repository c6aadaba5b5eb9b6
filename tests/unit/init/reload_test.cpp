#include "init/reload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/executor.hpp"
#include "init/boot.hpp"
#include "init/boot_report_of.hpp"
#include "init/plan.hpp"
#include "tests/fakes/fake_cluster.hpp"

namespace diskless {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// A node that has booted; its root is still seen at /sysroot here, as the fakes cannot switch.
class ReloadTest : public ::testing::Test, protected FakeCluster {
  protected:
    ReloadTest()
        : FakeCluster("root=/dev/nfs nfsroot=10.9.0.1:/srv/images/debian/1 ip=dhcp "
                      "diskless.snapshot=10.9.0.1:/srv/snapshots") {
        files.tree({{"/server/root/opt/data", file("of the image")},
                    {"/server/root/opt/app/settings", file("default")},
                    {"/server/root/srv/own/x", file("x")}});
        list("/opt/app/settings\n");
        EXPECT_TRUE(executor.run(plan_early(boot)));
        EXPECT_TRUE(executor.run(plan_boot(boot)));
        EXPECT_TRUE(files.replace(kReportFile, to_json(boot_report_of(boot, executor.reports(), os, {}))));
    }
    void list(const std::string& text) { files.tree({{"/server/snapshots/node1/files.custom", file(text)}}); }
    std::vector<std::string> reload() {
        const auto lines = reload_state(os, {"/sysroot"});
        EXPECT_TRUE(lines) << (lines ? "" : lines.error().cause);
        return lines.value_or(std::vector<std::string>{"<failed>"});
    }
    std::size_t mounts_now() { return mounts.table()->size(); }

    Boot boot;
    Executor executor{os, {}, false};
};

TEST_F(ReloadTest, NothingNewIsNothingDone) {
    const auto before = mounts_now();
    EXPECT_THAT(reload(), IsEmpty());
    EXPECT_EQ(mounts_now(), before);
}

TEST_F(ReloadTest, WhatIsNewIsMountedAndReported) {
    EXPECT_FALSE(files.replace("/sysroot/opt/data", "no")) << "of the image, until it is listed";
    list("/opt/app/settings\n/opt/data\n");
    EXPECT_THAT(reload(), ElementsAre(StartsWith("+ persistent /opt/data")));
    EXPECT_EQ(files.text("/sysroot/opt/data"), "of the image") << "seeded";
    EXPECT_EQ(files.text("/server/snapshots/node1/opt/data"), "of the image");
    const auto report = boot_report_from_json(files.text(kReportFile));
    EXPECT_EQ(report->state.back().path, "/opt/data");
    EXPECT_THAT(reload(), IsEmpty()) << "only once";
    list("/opt/app/settings\n/opt/data\n/srv/own/x\n");
    EXPECT_THAT(reload(), ElementsAre(StartsWith("+ persistent /srv/own/x"))) << "and again";
}

TEST_F(ReloadTest, TwoAtTheSameTimeHaveEachAPlaceOfTheirOwn) {
    struct OtherProcess : FakeProcesses {
        using FakeProcesses::FakeProcesses;
        int own_pid() const override { return 43; }
    } other(clock);
    Os another{clock, files, mounts, links, devices, modules, other, sockets, machine};
    list("/opt/app/settings\n/opt/data\n");
    EXPECT_THAT(reload(), ElementsAre(StartsWith("+ persistent /opt/data")));
    list("/opt/app/settings\n/opt/data\n/srv/own/x\n");
    EXPECT_TRUE(reload_state(another, {"/sysroot"}));
    // Neither's name is one that the other could have looked for.
    EXPECT_TRUE(files.exists("/run/diskless/state/reload-42-1"));
    EXPECT_TRUE(files.exists("/run/diskless/state/reload-43-1"));
}

TEST_F(ReloadTest, SystemdIsToldOfWhatIsNew) {
    const std::string units = "/run/systemd/system";
    list("/opt/app/settings\n/opt/data\n");
    ASSERT_TRUE(files.make_directories(units));
    EXPECT_THAT(reload(), ElementsAre(StartsWith("+ persistent /opt/data")));
    EXPECT_THAT(files.text(units + "/opt-data.mount"), HasSubstr("DefaultDependencies=no"));
}

TEST_F(ReloadTest, WhatIsGoneIsSaidAndStays) {
    const auto before = mounts_now();
    list("");
    EXPECT_THAT(reload(), ElementsAre("- /opt/app/settings: no longer listed, stays until the next boot"));
    EXPECT_EQ(mounts_now(), before);
}

TEST_F(ReloadTest, NothingThatIsMountedIsHidden) {
    list("/opt/app/settings\n/opt/\n");
    const auto lines = reload();
    EXPECT_THAT(lines, Contains(HasSubstr("! /opt: holds /opt/app/settings, which is mounted")));
    EXPECT_TRUE(files.write("/sysroot/opt/app/settings", "still the node's"));
    EXPECT_EQ(files.text("/server/snapshots/node1/opt/app/settings"), "still the node's");
}

TEST_F(ReloadTest, BadLinesAreSaidAndTheRestIsDone) {
    list("/opt/app/settings\nrelative/path\n/not/there\n/opt/data\n");
    const auto lines = reload();
    EXPECT_THAT(lines, Contains(StartsWith("+ persistent /opt/data")));
    EXPECT_THAT(lines, Contains(HasSubstr("relative/path")));
    const auto report = boot_report_from_json(files.text(kReportFile));
    EXPECT_EQ(report->state.back().path, "/opt/data") << "what could not be done is not believed to be there";
}

TEST_F(ReloadTest, AServerThatIsGoneHoldsNobodyForEver) {
    processes.hanging.insert("plan and mount the state");
    const auto lines = reload_state(os, {"/sysroot"});
    ASSERT_FALSE(lines);
    EXPECT_EQ(lines.error().code, ETIMEDOUT);
}

TEST_F(ReloadTest, WithoutAReportNothingIsKnown) {
    ASSERT_TRUE(files.remove(kReportFile));
    EXPECT_FALSE(reload_state(os, {"/sysroot"}));
}

}  // namespace
}  // namespace diskless
