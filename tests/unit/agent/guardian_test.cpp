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
        Nanoseconds hangs_after = Nanoseconds::max();  // gives signs of life until then
        bool in_kernel = false;                        // does not even die of SIGKILL
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
    std::optional<int> wait_for(int pid, Deadline deadline) override {
        EXPECT_EQ(pid, 100 + static_cast<int>(next_));
        const auto& life = lives[next_];
        if (born_ == Nanoseconds::max()) born_ = clock_.now();
        const auto end = killed_ ? (life.in_kernel ? Nanoseconds::max() : clock_.now()) : born_ + life.span;
        while (clock_.now() < std::min(end, deadline.at)) {
            clock_.time += std::min({Nanoseconds{Seconds{1}}, end - clock_.now(), deadline.at - clock_.now()});
            const auto age = clock_.now() - born_;
            if (!killed_ && age < life.hangs_after) promise(clock_.now() + Seconds{20});
        }
        if (clock_.now() < end) {
            if (killed_) begin_next();
            return std::nullopt;
        }
        const int status = killed_ ? SIGKILL : life.status;
        begin_next();
        return status;
    }
    void kill(int pid) override {
        killed_ = true;
        kills.push_back(pid);
    }
    void promise(Nanoseconds until) override { until_ = until; }
    Nanoseconds promised() const override { return until_; }
    std::vector<int> kills;
    int parent() const override { return parent_id; }
    void be_called(const char* text) override { name = text; }

  private:
    void begin_next() {
        ++next_;
        killed_ = false;
        born_ = Nanoseconds::max();
    }
    SmallClock& clock_;
    std::size_t next_ = 0;
    bool killed_ = false;
    Nanoseconds born_ = Nanoseconds::max(), until_{0};
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

TEST_F(GuardianTest, KillsAnAgentThatHangs) {
    forks.lives = {{Seconds{100'000}, 0, Seconds{50}}};
    const auto before = clock.now();
    EXPECT_EQ(guardian.guard(), 1U);
    EXPECT_LT(clock.now() - before, Seconds{80});
    EXPECT_GT(clock.now() - before, Seconds{50});
    EXPECT_EQ(forks.kills, std::vector<int>{100});
    EXPECT_THAT(machine.said, HasSubstr("it gives no sign of life, killing it after"));
}

TEST_F(GuardianTest, AnAgentThatDoesNotEvenBeginIsNoExcuse) {
    forks.lives = {{Seconds{100'000}, 0, Nanoseconds{0}}};
    const auto before = clock.now();
    EXPECT_EQ(guardian.guard(), 1U);
    EXPECT_LT(clock.now() - before, Guardian::kToBegin + Seconds{5});
}

TEST_F(GuardianTest, OneThatHangsInTheKernelIsLeftThere) {
    forks.lives = {{Seconds{100'000}, 0, Seconds{5}, true}};
    const auto before = clock.now();
    EXPECT_EQ(guardian.guard(), 1U);
    EXPECT_LT(clock.now() - before, Seconds{40});
}

TEST_F(GuardianTest, WhoGivesSignsOfLifeIsLeftAlone) {
    forks.lives = {{Seconds{100'000}, SIGTERM}};
    EXPECT_EQ(guardian.guard(), 1U);
    EXPECT_TRUE(forks.kills.empty());
}

TEST_F(GuardianTest, WaitsForMemory) {
    forks.failures = 100;
    const auto before = clock.now();
    EXPECT_EQ(guardian.guard(), 0U);
    EXPECT_GE(clock.now() - before, Seconds{100}) << "without spinning";
}

}  // namespace
}  // namespace diskless
