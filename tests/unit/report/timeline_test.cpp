#include "common/report/timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/unit/report/sample_report.hpp"

namespace diskless {
namespace {

using test_report::sample_report;
using test_report::step;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> critical(const Timeline& timeline) {
    std::vector<std::string> names;
    for (const auto& row : timeline.rows)
        if (row.critical) names.push_back(row.name);
    return names;
}

/// The golden file; with DISKLESS_WRITE_GOLDEN set it is written instead.
void expect_golden(const std::string& name, const std::string& text) {
    const std::string path = std::string(DISKLESS_FIXTURES) + "/report/" + name;
    if (std::getenv("DISKLESS_WRITE_GOLDEN") != nullptr) std::ofstream(path) << text;
    std::ifstream file(path);
    ASSERT_TRUE(file) << path;
    std::ostringstream expected;
    expected << file.rdbuf();
    EXPECT_EQ(text, expected.str()) << "differs from " << path;
}

TEST(Timeline, MarksWhatTheBootWaitedFor) {
    const auto timeline = lay_out(sample_report());
    EXPECT_THAT(critical(timeline),
                ElementsAre("kernel", "api-filesystems", "load-drivers", "network", "mount-root", "state"));
    EXPECT_THAT(timeline.totals, ElementsAre("kernel 1.8 s", "init 0.9 s", "handed over at 2.7 s"));
    EXPECT_EQ(timeline.title, "node07: booted, degraded");
}

TEST(Timeline, ChainGoesThroughTheStepThatEndedLastBefore) {
    BootReport report;
    report.started = Seconds{1};
    report.steps = {step("a", "", 1000, 1500), step("b", "", 1000, 1900), step("c", "", 1900, 2000)};
    EXPECT_THAT(critical(lay_out(report)), ElementsAre("kernel", "b", "c"));
}

TEST(Timeline, TakesTimesThatCannotBe) {
    BootReport report;
    report.steps = {step("backwards", "", 500, 100), step("negative", "", -500, -100), step("nothing", "", 0, 0),
                    step("nothing-again", "", 0, 0)};
    for (const auto& row : lay_out(report).rows) {
        EXPECT_LE(row.started, row.ended) << row.name;
        EXPECT_GE(row.started.count(), 0) << row.name;
    }
    EXPECT_FALSE(timeline_text(report).empty());
    EXPECT_FALSE(timeline_svg(report).empty());
    EXPECT_FALSE(timeline_text(BootReport{}, -5).empty());
    EXPECT_FALSE(timeline_svg(BootReport{}).empty());
}

TEST(Timeline, ShowsABootThatDidNotEnd) {
    auto report = sample_report();
    report.handed_over = {};
    report.steps[4].outcome = StepOutcome::failed;
    report.steps[4].attempts = 3;
    report.steps[4].cause = "mount 10.9.0.1:/srv/root on /sysroot: Connection refused";
    report.steps[4].remedy = "start the NFS server";
    report.steps[5] = {};
    report.steps[5].id = "state";
    const auto text = timeline_text(report);
    EXPECT_THAT(text, HasSubstr("node07: boot failed\n"));
    EXPECT_THAT(text, HasSubstr("not handed over"));
    EXPECT_THAT(text, HasSubstr("failed, 3 attempts"));
    EXPECT_THAT(text, HasSubstr("  mount-root failed: mount 10.9.0.1:/srv/root on /sysroot: Connection refused\n"
                                "    -> start the NFS server\n"));
    EXPECT_THAT(text, HasSubstr(" waiting\n"));
}

TEST(TimelineText, KeepsToItsWidthInAscii) {
    for (const int width : {60, 80, 100, 140}) {
        std::istringstream rows(timeline_text(sample_report(), width));
        for (std::string row; std::getline(rows, row) && row != "notes";)
            EXPECT_LE(row.size(), static_cast<std::size_t>(width)) << row;
    }
    const auto text = timeline_text(sample_report());
    for (const char c : text) EXPECT_LT(static_cast<unsigned char>(c), 0x80u);
}

TEST(TimelineText, IsAsItWas) { expect_golden("timeline.txt", timeline_text(sample_report())); }
TEST(TimelineText, IsAsItWasInUtf8) { expect_golden("timeline.utf8.txt", timeline_text(sample_report(), 80, true)); }
TEST(TimelineSvg, IsAsItWas) { expect_golden("timeline.svg", timeline_svg(sample_report())); }

TEST(TimelineSvg, EscapesWhatTheNetworkSaid) {
    auto report = sample_report();
    report.identity.hostname = "<script>\x01&\"";
    report.steps[0].sentence = "</title><script>";
    const auto svg = timeline_svg(report);
    EXPECT_THAT(svg, Not(HasSubstr("<script")));
    EXPECT_THAT(svg, HasSubstr("&lt;script&gt;\\x01&amp;&quot;"));
}

}  // namespace
}  // namespace diskless
