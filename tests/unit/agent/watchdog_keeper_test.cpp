#include "agent/watchdog_keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_watchdog.hpp"

namespace diskless {
namespace {

using ::testing::HasSubstr;

class WatchdogKeeperTest : public ::testing::Test {
  protected:
    WatchdogKeeperTest() { dog.problem = Error{"open /dev/watchdog: No such file or directory", {}, ENOENT}; }
    void pass(Seconds span) {
        const auto end = now + span;
        while (keeper.next_due() < end) {
            now = std::max(now, keeper.next_due());
            ASSERT_LT(now, dog.bites_at);
            if (const auto line = keeper.work(now); !line.empty()) said.push_back(line);
        }
        now = end;
    }
    void goes_down_for_five_minutes() {
        dog.problem.reset();
        pass(Seconds{50});
        keeper.last_meal(now, Seconds{300});
        const auto end = now + Seconds{310};
        EXPECT_THAT(keeper.text(), HasSubstr("on the way down"));
        keeper.last_meal(now, Seconds{3000});
        while (keeper.next_due() < end) {
            now = keeper.next_due();
            ASSERT_LT(now, dog.bites_at);
            keeper.work(now);
        }
        EXPECT_EQ(dog.bites_at, end);
        EXPECT_EQ(keeper.next_due(), Nanoseconds::max());
        EXPECT_THAT(keeper.text(), HasSubstr("last time"));
    }
    Nanoseconds now{0};
    FakeWatchdog dog{[this] { return now; }};
    WatchdogKeeper keeper{dog, Seconds{60}};
    std::vector<std::string> said;
};

TEST_F(WatchdogKeeperTest, WaitsForItsDriverAndFeedsFromThenOn) {
    pass(Seconds{100});
    ASSERT_EQ(said.size(), 1U) << "said once";
    EXPECT_THAT(said[0], HasSubstr("No such file"));
    EXPECT_THAT(keeper.text(), HasSubstr("none: open /dev/watchdog"));
    dog.problem.reset();
    pass(Seconds{15});
    EXPECT_EQ(said.back(), "the watchdog resets the node when it is not fed for 60 s");
    pass(Seconds{3600});
    EXPECT_GT(dog.bites_at, now);
    EXPECT_EQ(said.size(), 2U);
    EXPECT_THAT(keeper.text(), HasSubstr("fed, resets"));
}

TEST_F(WatchdogKeeperTest, HardwareHasTheLastWordOnTheTime) {
    dog.problem.reset();
    dog.most = Seconds{4};
    pass(Seconds{60});
    EXPECT_GT(dog.bites_at, now);
    EXPECT_THAT(keeper.text(), HasSubstr("4 s"));
}

TEST_F(WatchdogKeeperTest, BitesWhenNobodyWorks) {
    dog.problem.reset();
    pass(Seconds{60});
    EXPECT_LE(dog.bites_at, now + Seconds{60});
}

TEST_F(WatchdogKeeperTest, TheWayDownGetsItsTimeAndNoMore) {
    dog.problem.reset();
    pass(Seconds{60});
    keeper.last_meal(now, Seconds{90});
    EXPECT_EQ(dog.bites_at, now + Seconds{100});
    EXPECT_EQ(keeper.next_due(), Nanoseconds::max());
    const auto end = dog.bites_at;
    keeper.work(now + Seconds{1});
    keeper.last_meal(now, Seconds{500});
    EXPECT_EQ(dog.bites_at, end) << "the last one";
    EXPECT_THAT(keeper.text(), HasSubstr("last time"));
}

TEST_F(WatchdogKeeperTest, HardwareThatCannotHoldSoLongIsFedOnTheWayDown) {
    dog.most = Seconds{255};
    goes_down_for_five_minutes();
}

TEST_F(WatchdogKeeperTest, HardwareWithOneTimeIsFedOnTheWayDown) {
    dog.fixed = true;
    goes_down_for_five_minutes();
}

TEST_F(WatchdogKeeperTest, AnAgentThatIsEndedForAnotherReasonStopsIt) {
    dog.problem.reset();
    pass(Seconds{50});
    EXPECT_EQ(keeper.stop(now), "the watchdog is stopped");
    EXPECT_EQ(dog.bites_at, Nanoseconds::max());
    EXPECT_EQ(keeper.text(), "not started");
    pass(Seconds{59});
    EXPECT_EQ(dog.bites_at, Nanoseconds::max());
    pass(Seconds{2});
    EXPECT_NE(dog.bites_at, Nanoseconds::max()) << "nobody has ended it";
    dog.no_way_out = true;
    EXPECT_THAT(keeper.stop(now), HasSubstr("cannot stop the watchdog: stop /dev/watchdog"));
    pass(Seconds{500});
    EXPECT_GT(dog.bites_at, now) << "fed on";
    keeper.last_meal(now, Seconds{30});
    EXPECT_EQ(keeper.stop(now), "") << "the way down is bounded";
}

TEST_F(WatchdogKeeperTest, WithoutAWatchdogTheWayDownIsAsItIs) {
    pass(Seconds{5});
    keeper.last_meal(now, Seconds{30});
    dog.problem.reset();
    EXPECT_EQ(keeper.work(Seconds{100}), "");
    EXPECT_EQ(dog.bites_at, Nanoseconds::max()) << "not started on the way down";
}

TEST_F(WatchdogKeeperTest, SaysThatItCannotFeed) {
    dog.problem.reset();
    pass(Seconds{30});
    dog.problem = Error{"write /dev/watchdog: Input/output error", {}, EIO};
    pass(Seconds{25});
    EXPECT_THAT(said.back(), HasSubstr("cannot feed"));
    dog.problem.reset();
    pass(Seconds{30});
    EXPECT_THAT(keeper.text(), HasSubstr("fed, resets"));
}

}  // namespace
}  // namespace diskless
