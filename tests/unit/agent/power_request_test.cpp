#include "agent/power_request.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

using Action = PowerRequest::Action;

/// PID 1 as the story wants it, looked at every 200 ms; when it was given up (and why), by the second.
struct Story {
    PowerRequest request;
    Nanoseconds start = Seconds{1000};
    Nanoseconds now = start;

    explicit Story(PowerRequest::Settings settings) : request(settings, Seconds{1000}) {}

    /// Runs until something else than waiting is to be done; `sight` tells of PID 1 at so many seconds after the start.
    template <class Sight>
    Action until_action(Sight sight) {
        for (;;) {
            const auto action = request.next(now, sight(seconds()));
            if (action != Action::wait) return action;
            now += PowerRequest::kLookEvery;
        }
    }
    double seconds() const { return std::chrono::duration<double>(now - start).count(); }
};

InitSight asleep(double) { return {false, 7}; }

TEST(PowerRequest, AsksOnceThenWaitsForAnInitThatWorks) {
    Story story({.total = Seconds{30}});
    EXPECT_EQ(story.until_action(asleep), Action::ask_init);
    const auto busy = [](double at) { return InitSight{false, static_cast<std::uint64_t>(at * 10)}; };
    EXPECT_EQ(story.until_action(busy), Action::take_down);
    EXPECT_NEAR(story.seconds(), 20, 0.3) << "two thirds of the total";
    EXPECT_EQ(story.request.reason(), "it takes too long");
}

TEST(PowerRequest, AnInitThatReactedMayWaitForItsServices) {
    Story story({.total = Seconds{60}});
    story.until_action(asleep);
    EXPECT_EQ(story.until_action([](double at) { return InitSight{false, at < 1 ? 7u : 8u}; }), Action::take_down);
    EXPECT_NEAR(story.seconds(), 40, 0.3);
}

TEST(PowerRequest, AnInitThatSaysSoIsOnItsWay) {
    Story story({.total = Seconds{60}});
    story.until_action(asleep);
    EXPECT_EQ(story.until_action([](double at) { return InitSight{false, 7, at >= 2}; }), Action::take_down);
    EXPECT_NEAR(story.seconds(), 40, 0.3) << "run level 6: its scripts take their time";
    Story begun({.total = Seconds{60}, .begun = true});
    EXPECT_EQ(begun.until_action([](double) { return InitSight{false, 7, true}; }), Action::take_down);
    EXPECT_NEAR(begun.seconds(), 40, 0.3);
    Story stuck({.total = Seconds{60}});
    stuck.until_action(asleep);
    EXPECT_EQ(stuck.until_action([](double at) { return InitSight{at >= 8, 7, true}; }), Action::take_down);
    EXPECT_NEAR(stuck.seconds(), 13, 0.3) << "what it has told does not bring it back";
}

TEST(PowerRequest, GivesUpOnADeafInit) {
    Story story({.total = Seconds{30}});
    story.until_action(asleep);
    EXPECT_EQ(story.until_action(asleep), Action::take_down);
    EXPECT_NEAR(story.seconds(), 5, 0.3);
    EXPECT_EQ(story.request.reason(), "it does not react");
}

TEST(PowerRequest, AnInitThatHasBegunIsWaitedForAndNotAsked) {
    Story working({.total = Seconds{30}, .begun = true});
    const auto busy = [](double at) { return InitSight{false, static_cast<std::uint64_t>(at * 10)}; };
    EXPECT_EQ(working.until_action(busy), Action::take_down);
    EXPECT_NEAR(working.seconds(), 20, 0.3);
    Story deaf({.total = Seconds{30}, .begun = true});
    EXPECT_EQ(deaf.until_action(asleep), Action::take_down);
    EXPECT_NEAR(deaf.seconds(), 5, 0.3);
    Story dead({.begun = true, .root_is_dead = true});
    EXPECT_EQ(dead.until_action(asleep), Action::take_down);
    EXPECT_EQ(dead.seconds(), 0);
}

TEST(PowerRequest, GivesUpOnAnInitThatHangsOnItsRootLater) {
    Story story({.total = Seconds{60}});
    story.until_action(asleep);
    const auto hangs = [](double at) {
        return at < 8 ? InitSight{false, static_cast<std::uint64_t>(at * 10)} : InitSight{true, 80};
    };
    EXPECT_EQ(story.until_action(hangs), Action::take_down);
    EXPECT_NEAR(story.seconds(), 13, 0.5);
    EXPECT_EQ(story.request.reason(), "it hangs in the kernel");
}

TEST(PowerRequest, ASlowDiskIsNoHang) {
    Story story({.total = Seconds{30}});
    story.until_action(asleep);
    // In state D half of the time, but moving.
    const auto slow = [](double at) {
        return InitSight{static_cast<int>(at) % 2 == 0, static_cast<std::uint64_t>(at)};
    };
    story.until_action(slow);
    EXPECT_NEAR(story.seconds(), 20, 0.3);
}

TEST(PowerRequest, DoesNotAskWhenThatIsUseless) {
    for (const PowerRequest::Settings settings :
         {PowerRequest::Settings{.now = true}, {.root_is_dead = true}, {.can_ask = false}}) {
        Story story(settings);
        EXPECT_EQ(story.until_action(asleep), Action::take_down);
        EXPECT_EQ(story.now, story.start);
        EXPECT_FALSE(story.request.reason().empty());
    }
}

TEST(PowerRequest, EndsAtOnceWhenTakingDownCameBackOrTheTotalIsOver) {
    Story story({.now = true});
    story.until_action(asleep);
    EXPECT_EQ(story.until_action(asleep), Action::end_now);
    Story late({.total = Seconds{30}});
    late.until_action(asleep);
    late.now += Seconds{31};
    EXPECT_EQ(late.until_action(asleep), Action::end_now);
}

TEST(PowerRequest, CanBeHurried) {
    Story story({.total = Seconds{600}});
    story.until_action(asleep);
    EXPECT_EQ(story.request.next(story.now, {false, 9}), Action::wait);
    story.request.hurry();
    EXPECT_EQ(story.request.next(story.now, {false, 9}), Action::take_down);
}

TEST(PowerRequest, ShortTotalsKeepTheirShares) {
    Story story({.total = Seconds{3}});
    story.until_action(asleep);
    story.until_action(asleep);
    EXPECT_NEAR(story.seconds(), 0.5, 0.3);
}

}  // namespace
}  // namespace diskless
