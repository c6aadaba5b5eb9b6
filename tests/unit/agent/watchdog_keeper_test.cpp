#include "agent/watchdog_keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diskless {
namespace {

using ::testing::HasSubstr;

/// Bites when it was not fed in time.
class FakeWatchdog : public Watchdog {
  public:
    Nanoseconds now{0};
    std::optional<Error> problem = Error{"open /dev/watchdog: No such file or directory", {}, ENOENT};
    Seconds most{1000};  // the hardware can
    Nanoseconds bites_at = Nanoseconds::max();
    Seconds time{0};

    Result<Seconds> start(Seconds wanted) override {
        if (problem) return Failure(*problem);
        time = std::min(wanted, most);
        bites_at = now + time;
        return time;
    }
    Result<> feed() override {
        if (problem) return Failure(*problem);
        bites_at = now + time;
        return {};
    }
};

class WatchdogKeeperTest : public ::testing::Test {
  protected:
    void pass(Seconds span) {
        const auto end = dog.now + span;
        while (keeper.next_due() < end) {
            dog.now = std::max(dog.now, keeper.next_due());
            ASSERT_LT(dog.now, dog.bites_at);
            if (const auto line = keeper.work(dog.now); !line.empty()) said.push_back(line);
        }
        dog.now = end;
    }
    FakeWatchdog dog;
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
    EXPECT_GT(dog.bites_at, dog.now);
    EXPECT_EQ(said.size(), 2U);
    EXPECT_THAT(keeper.text(), HasSubstr("fed, resets"));
}

TEST_F(WatchdogKeeperTest, HardwareHasTheLastWordOnTheTime) {
    dog.problem.reset();
    dog.most = Seconds{4};
    pass(Seconds{60});
    EXPECT_GT(dog.bites_at, dog.now);
    EXPECT_THAT(keeper.text(), HasSubstr("4 s"));
}

TEST_F(WatchdogKeeperTest, BitesWhenNobodyWorks) {
    dog.problem.reset();
    pass(Seconds{60});
    EXPECT_LE(dog.bites_at, dog.now + Seconds{60});
}

TEST_F(WatchdogKeeperTest, TheWayDownGetsItsTimeAndNoMore) {
    dog.problem.reset();
    pass(Seconds{60});
    keeper.last_meal(Seconds{90});
    EXPECT_EQ(dog.bites_at, dog.now + Seconds{100});
    EXPECT_EQ(keeper.next_due(), Nanoseconds::max());
    const auto end = dog.bites_at;
    keeper.work(dog.now + Seconds{1});
    keeper.last_meal(Seconds{500});
    EXPECT_EQ(dog.bites_at, end) << "the last one";
    EXPECT_THAT(keeper.text(), HasSubstr("last time"));
}

TEST_F(WatchdogKeeperTest, WithoutAWatchdogTheWayDownIsAsItIs) {
    pass(Seconds{5});
    keeper.last_meal(Seconds{30});
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
