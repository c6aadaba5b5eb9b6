#include "agent/mount_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_background.hpp"
#include "tests/unit/agent/small_world.hpp"

namespace diskless {
namespace {

using namespace test_agent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class MountWatchTest : public ::testing::Test {
  public:
    /// Works whenever it is due.
    void pass(Nanoseconds span) {
        const auto end = clock.time + span;
        while (watch.next_due() < end) {
            clock.time = std::max(clock.time, watch.next_due());
            int level = 0;
            if (const auto line = watch.work(clock.time, level); !line.empty())
                said.push_back(std::to_string(level) + " " + line);
            clock.time += Milliseconds{1};
        }
        clock.time = end;
    }
    std::string state() const { return watch.health() ? watch.health()->state : "?"; }

    SmallClock clock;
    FakeBackground background;
    Space room{500, 1000, 50, 100};
    std::optional<Error> look_fails, server_silent;
    Nanoseconds takes{0};
    std::vector<std::string> said;
    MountWatch watch{clock,
                     background,
                     {"snapshot server", "10.9.0.1", true},
                     {[this]() -> Result<Space> {
                          clock.time += takes;
                          if (look_fails) return Failure(*look_fails);
                          return room;
                      },
                      [this]() -> Result<> {
                          if (server_silent) return Failure(*server_silent);
                          return {};
                      }}};
};

TEST_F(MountWatchTest, LooksOftenEnoughAndSaysNothingWhileAllIsWell) {
    EXPECT_EQ(watch.health(), std::nullopt);
    clock.time = watch.next_due();
    pass(Seconds{600});
    EXPECT_EQ(state(), "ok");
    EXPECT_THAT(said, IsEmpty());
    EXPECT_GE(background.started, 55);
    EXPECT_LE(background.started, 61) << "the server alone is never asked";
    EXPECT_EQ(background.alive, 0);
    EXPECT_EQ(watch.space()->free_bytes, 500U);
    EXPECT_EQ(watch.health()->since, 599);
}

TEST_F(MountWatchTest, KnowsNothingWhileNothingComesBack) {
    background.hang = true;
    clock.time = watch.next_due();
    pass(Seconds{60});
    EXPECT_EQ(watch.health(), std::nullopt);
    EXPECT_EQ(background.alive, 2);
    background.release();
    pass(Seconds{1});
    EXPECT_EQ(state(), "ok");
    EXPECT_EQ(background.alive, 0);
}

TEST_F(MountWatchTest, TheMemoryOverARootIsTheNodesOwnToFree) {
    MountWatch root{
        clock, background, {"root server", "10.9.0.1", false, true}, {[this]() -> Result<Space> { return room; }, {}}};
    int level = 0;
    for (const auto free : {500U, 9U}) {
        room.free_bytes = free;
        clock.time = root.next_due();
        for (int i = 0; i < 3; ++i) {
            clock.time += Milliseconds{300};
            (void)root.work(clock.time, level);
        }
        EXPECT_EQ(root.health()->state, free == 9 ? "full" : "ok");
    }
    EXPECT_THAT(root.health()->cause, HasSubstr("memory for what is written to the root is full"));
    EXPECT_THAT(root.health()->remedy, HasSubstr("diskless.overlay.size="));
    EXPECT_EQ(root.dead_since(), std::nullopt) << "the server is well";
}

/// Looks hang, questions do not.
class HangingLook : public MountWatchTest {
  protected:
    HangingLook() {
        clock.time = watch.next_due();
        pass(Seconds{25});
        background.hang_next = 1;
    }
};

TEST_F(HangingLook, ServerThatAnswersCallsIsSlow) {
    pass(Seconds{15});
    EXPECT_EQ(state(), "slow");
    EXPECT_THAT(said, IsEmpty()) << "not every hiccup is worth a line";
    EXPECT_EQ(watch.dead_since(), std::nullopt);
    pass(Seconds{30});
    EXPECT_THAT(said, ElementsAre(StartsWith("5 snapshot server is slow: 10.9.0.1 answers calls")));
    background.release();
    pass(Seconds{1});
    EXPECT_EQ(state(), "ok");
    EXPECT_THAT(said.back(), HasSubstr("quick again"));
    EXPECT_EQ(background.alive, 0);
}

TEST_F(HangingLook, ServerThatIsSilentIsUnreachableUntilTheLookComesBack) {
    server_silent = Error{"connect to 10.9.0.1: Connection refused", {}, ECONNREFUSED};
    pass(Seconds{20});
    EXPECT_EQ(state(), "unreachable");
    EXPECT_THAT(said, ElementsAre(StartsWith("3 snapshot server is unreachable: 10.9.0.1 does not answer: connect to "
                                             "10.9.0.1: Connection refused: start the NFS server")));
    EXPECT_GE(clock.time - *watch.dead_since(), Seconds{10}) << "since the question, not since patience ended";
    EXPECT_EQ(watch.outages(), 1U);
    const auto before = background.started;
    pass(Seconds{3600});
    EXPECT_EQ(said.size(), 1U) << "said once";
    EXPECT_LE(background.alive, 2) << "children do not pile up";
    EXPECT_LE(background.started - before, 3600 / 5 + 1);
    server_silent.reset();
    background.release();
    pass(Seconds{1});
    EXPECT_EQ(state(), "ok");
    EXPECT_THAT(said.back(), StartsWith("5 snapshot server 10.9.0.1 is well again, unreachable for 1 h"));
    EXPECT_EQ(watch.dead_since(), std::nullopt);
}

TEST_F(HangingLook, TimeInWhichTheServerAnsweredIsNotDead) {
    pass(Seconds{600});
    ASSERT_EQ(state(), "slow");
    server_silent = Error{"connect to 10.9.0.1: Connection refused", {}, ECONNREFUSED};
    pass(Seconds{6});
    ASSERT_EQ(state(), "unreachable") << "its server is started again";
    EXPECT_LE(clock.time - *watch.dead_since(), Seconds{12});
    EXPECT_LE(watch.health()->since, 12);
    server_silent.reset();
    pass(Seconds{6});
    EXPECT_EQ(watch.dead_since(), std::nullopt);
    pass(Seconds{600});
    look_fails = Error{"statvfs: Stale file handle", {}, ESTALE};
    background.release();
    pass(Seconds{1});
    ASSERT_EQ(state(), "stale");
    EXPECT_LE(clock.time - *watch.dead_since(), Seconds{12});
}

TEST_F(MountWatchTest, EveryStateHasItsRemedy) {
    const struct {
        const char* state;
        const char* words;
        std::function<void(MountWatchTest&)> harm;
    } cases[] = {
        {"stale", "reboot",
         [](auto& t) {
             t.look_fails = Error{"statvfs: Stale file handle", {}, ESTALE};
         }},
        {"unreachable", "start the NFS server",
         [](auto& t) {
             t.look_fails = Error{"statvfs: EIO", {}, EIO};
         }},
        {"read-only", "export it rw", [](auto& t) { t.room.read_only = true; }},
        {"read-only", "export it rw",
         [](auto& t) {
             t.watch.wrote(Error{"replace", {}, EROFS});
         }},
        {"read-only", "export it rw",
         [](auto& t) {
             t.watch.wrote(Error{"replace", {}, EACCES});
         }},
        {"full", "free room", [](auto& t) { t.room.free_bytes = 9; }},
        {"full", "free room", [](auto& t) { t.room.free_inodes = 0; }},
        {"full", "free room",
         [](auto& t) {
             t.watch.wrote(Error{"replace", {}, EDQUOT});
         }},
        {"slow", "see load", [](auto& t) { t.takes = Milliseconds{1500}; }},
        {"ok", "",
         [](auto& t) {
             t.watch.wrote(Error{"keep the status: no end in time", {}, ETIMEDOUT});
         }},
        {"ok", "",
         [](auto& t) {
             t.room = {500, 1000, 0, 0};
         }},
        {"ok", "", [](auto& t) { t.room = {}; }},
    };
    clock.time = watch.next_due();
    for (const auto& c : cases) {
        c.harm(*this);
        pass(Seconds{45});
        EXPECT_EQ(state(), c.state);
        EXPECT_THAT(watch.health()->remedy, HasSubstr(c.words));
        EXPECT_EQ(watch.dead_since().has_value(),
                  std::string_view(c.state) == "stale" || std::string_view(c.state) == "unreachable");
        look_fails.reset();
        room = {500, 1000, 50, 100};
        takes = {};
        watch.wrote({});
        pass(Seconds{45});
        EXPECT_EQ(state(), "ok") << "after " << c.state;
        EXPECT_EQ(watch.health()->cause + watch.health()->remedy, "");
    }
    EXPECT_EQ(watch.outages(), 2U);
}

TEST_F(MountWatchTest, OneSlowLookIsNotWorthALine) {
    clock.time = watch.next_due();
    pass(Seconds{15});
    takes = Milliseconds{1200};
    pass(Seconds{10});
    takes = {};
    pass(Seconds{20});
    EXPECT_THAT(said, IsEmpty());
    EXPECT_EQ(watch.health()->milliseconds, 0);
}

TEST_F(MountWatchTest, WithoutMemoryItTriesLater) {
    background.no_memory = true;
    clock.time = watch.next_due();
    pass(Seconds{60});
    EXPECT_EQ(watch.health(), std::nullopt);
    background.no_memory = false;
    pass(Seconds{15});
    EXPECT_EQ(state(), "ok");
}

}  // namespace
}  // namespace diskless
