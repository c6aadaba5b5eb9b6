#include "common/nfs/server_verdict.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"

namespace diskless {
namespace {

/// Answers the call of that number, after a while; the others never.
struct Server {
    FakeClock clock;
    int asked = 0, answers = 0;  // 0: none
    bool refuses = false;        // what it does not answer
    ServerVerdict verdict{clock, [this](Deadline until) {
                              if (++asked == answers) return true;
                              if (!refuses) clock.advance(until.left(clock));
                              return false;
                          }};
    Nanoseconds took(Deadline end = {}) {
        const auto before = clock.now();
        gone = verdict.is_gone(end);
        return clock.now() - before;
    }
    bool gone = false;
};

TEST(ServerVerdict, OneThatAnswersIsThere) {
    Server server;
    server.answers = 1;
    EXPECT_EQ(server.took(), Seconds{0});
    EXPECT_FALSE(server.gone);
}

TEST(ServerVerdict, OneThatIsBusyIsThere) {
    Server server;
    server.answers = 2;
    EXPECT_EQ(server.took(), Seconds{2});
    EXPECT_FALSE(server.gone);
}

TEST(ServerVerdict, OneThatIsStartedAgainIsThere) {
    Server server;
    server.refuses = true;
    server.answers = 2;
    EXPECT_EQ(server.took(), Seconds{1});
    EXPECT_FALSE(server.gone);
}

TEST(ServerVerdict, TwoCallsWithoutAnAnswerAreEnoughForAWhile) {
    Server server;
    EXPECT_EQ(server.took(), server.verdict.longest());
    EXPECT_TRUE(server.gone);
    server.answers = 3;
    EXPECT_EQ(server.took(), Seconds{0}) << "just found out";
    EXPECT_TRUE(server.gone);
    server.clock.advance(ServerVerdict::kStands);
    server.took();
    EXPECT_FALSE(server.gone) << "it has come back";
}

TEST(ServerVerdict, WhoHasLittleTimeKeepsHalfOfIt) {
    Server server;
    EXPECT_EQ(server.took(Deadline::after(server.clock, Seconds{2})), Seconds{1});
    EXPECT_TRUE(server.gone);
}

TEST(ServerVerdict, NobodyToAskIsNoSign) {
    FakeClock clock;
    EXPECT_FALSE(ServerVerdict(clock, {}).is_gone());
}

}  // namespace
}  // namespace diskless
