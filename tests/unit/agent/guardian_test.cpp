#include "agent/guardian.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/unit/agent/small_world.hpp"

namespace diskless {
namespace {

using namespace test_agent;
using ::testing::HasSubstr;

/// Plays the guardian: children live as long as the list says, and then this is the child.
class FakeForks : public Forks {
  public:
    explicit FakeForks(SmallClock& clock) : clock_(clock) {}
    struct Life {
        Nanoseconds span;
        int status;
    };
    std::vector<Life> lives;
    int failures = 0;  // of fork(2), at first
    std::string name;
    int parent_id = 7;

    Result<int> split() override {
        if (failures-- > 0) return fail_errno("fork", ENOMEM);
        if (next_ == lives.size()) return 0;
        return 100 + static_cast<int>(next_);
    }
    int wait_for(int pid) override {
        EXPECT_EQ(pid, 100 + static_cast<int>(next_));
        clock_.time += lives[next_].span;
        return lives[next_++].status;
    }
    int parent() const override { return parent_id; }
    void be_called(const char* text) override { name = text; }

  private:
    SmallClock& clock_;
    std::size_t next_ = 0;
};

class GuardianTest : public ::testing::Test {
  protected:
    SmallClock clock;
    SmallMachine machine;
    FakeForks forks{clock};
    int forgotten = 0;
    Guardian guardian{{clock, machine, forks}, [this] { ++forgotten; }};
};

TEST_F(GuardianTest, StartsAgainAtOnceWhateverEndedIt) {
    forks.lives = {{Seconds{100}, SIGKILL}, {Seconds{1}, SIGSEGV}, {Seconds{50}, 1 << 8}};
    const auto before = clock.now();
    EXPECT_EQ(guardian.guard(), 3U);
    EXPECT_LT(clock.now() - before - Seconds{151}, Milliseconds{200}) << "nobody misses it for long";
    EXPECT_THAT(machine.said, HasSubstr("it was killed by signal 9 after 100.0 s, starting it again"));
    EXPECT_THAT(machine.said, HasSubstr("it ended with status 1"));
    EXPECT_EQ(forgotten, 0);
    EXPECT_EQ(forks.name, "diskless-agent");
    EXPECT_TRUE(guardian.is_guarded());
    forks.parent_id = 1;
    EXPECT_FALSE(guardian.is_guarded());
}

TEST_F(GuardianTest, KilledEachSecondItIsThereNearlyAllTheTime) {
    forks.lives.assign(60, {Milliseconds{950}, SIGKILL});
    const auto before = clock.now();
    EXPECT_EQ(guardian.guard(), 60U);
    EXPECT_LE(clock.now() - before, Seconds{60} + Seconds{1});
}

TEST_F(GuardianTest, ACrashLoopEatsNeitherProcessorNorLog) {
    forks.lives.assign(5000, {Milliseconds{1}, SIGABRT});
    const auto before = clock.now();
    guardian.guard();
    EXPECT_GT(clock.now() - before, Seconds{4 * 5000});
    EXPECT_LT(std::count(machine.said.begin(), machine.said.end(), '\n'), 60);
    EXPECT_THAT(machine.said, HasSubstr(" times since this was said last"));
    EXPECT_GT(forgotten, 0) << "what it keeps may be what kills it";
}

TEST_F(GuardianTest, ForgetsAfterThreeDeathsInARowOnly) {
    forks.lives = {
        {Milliseconds{1}, 6}, {Milliseconds{1}, 6}, {Seconds{5}, 9}, {Milliseconds{1}, 6}, {Milliseconds{1}, 6}};
    guardian.guard();
    EXPECT_EQ(forgotten, 0);
}

TEST_F(GuardianTest, WaitsForMemory) {
    forks.failures = 100;
    const auto before = clock.now();
    EXPECT_EQ(guardian.guard(), 0U);
    EXPECT_GE(clock.now() - before, Seconds{100}) << "without spinning";
}

}  // namespace
}  // namespace diskless
