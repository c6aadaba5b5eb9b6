#include "common/plan/executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_devices.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_links.hpp"
#include "tests/fakes/fake_machine.hpp"
#include "tests/fakes/fake_mounts.hpp"
#include "tests/fakes/fake_processes.hpp"
#include "tests/fakes/fake_sockets.hpp"

namespace diskless {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Only clock and machine are used by the executor itself.
template <class C>
struct Bench {
    C clock;
    FakeMachine machine;
    FakeClock idle;
    FakeFiles files;
    FakeMounts mounts{files};
    FakeLinks links{idle};
    FakeDevices devices;
    FakeModules modules;
    FakeProcesses processes{idle};
    FakeSockets sockets{idle};
    Os os{clock, files, mounts, links, devices, modules, processes, sockets, machine};
};

class RealClock : public Clock {
  public:
    Nanoseconds now() const override { return std::chrono::steady_clock::now().time_since_epoch(); }
    Nanoseconds wall() const override { return now(); }
    Result<> set_wall(Nanoseconds) override { return {}; }
    void sleep(Nanoseconds duration) override { std::this_thread::sleep_for(duration); }
};

Step step(std::string id, std::vector<std::string> needs, std::function<Result<>(StepContext&)> run) {
    Step made;
    made.id = id;
    made.sentence = "do " + id;
    made.needs = std::move(needs);
    made.run = std::move(run);
    return made;
}

std::function<Result<>(StepContext&)> works(std::vector<std::string>& log, std::string name) {
    return [&log, name](StepContext&) -> Result<> {
        log.push_back(name);
        return {};
    };
}

TEST(ProblemsOf, NamesWhatCannotEnd) {
    EXPECT_TRUE(problems_of({step("a", {}, {}), step("b", {"a"}, {})}).empty());
    EXPECT_THAT(problems_of({step("a", {"x"}, {})}), ElementsAre(HasSubstr("needs x")));
    EXPECT_THAT(problems_of({step("a", {"b"}, {}), step("b", {"a"}, {})}), ElementsAre(HasSubstr("circle")));
    EXPECT_THAT(problems_of({step("a", {}, {}), step("a", {}, {})}), ElementsAre(HasSubstr("twice")));
}

TEST(Backoff, GrowsIsCappedAndJitters) {
    const Retry retry{0, Milliseconds{100}, Milliseconds{1000}};
    EXPECT_LE(backoff_delay(retry, 0, 77777).count(), 100);
    EXPECT_LE(backoff_delay(retry, 60, 77777).count(), 1000);
    std::set<long long> spread;
    for (std::uint64_t random = 0; random < 500; ++random)
        spread.insert(backoff_delay(retry, 10, random * 7919).count());
    EXPECT_GT(spread.size(), 300U) << "nodes switched on together must not stay together";
}

TEST(Executor, RunsWhatIsNeededFirst) {
    Bench<FakeClock> bench;
    std::vector<std::string> log;
    Executor executor(bench.os, {}, false);
    ASSERT_TRUE(executor.run(
        {step("c", {"b"}, works(log, "c")), step("b", {"a"}, works(log, "b")), step("a", {}, works(log, "a"))}));
    EXPECT_THAT(log, ElementsAre("a", "b", "c"));
}

TEST(Executor, StopsAtAnAbortAndGoesOnFromThere) {
    Bench<FakeClock> bench;
    std::vector<std::string> log;
    bool server_up = false;
    Plan plan{step("net", {}, works(log, "net")),
              step("root", {"net"},
                   [&](StepContext&) -> Result<> {
                       if (!server_up) return fail("mount: refused", "start nfsd");
                       return {};
                   }),
              step("state", {"root"}, works(log, "state"))};
    Executor executor(bench.os, {}, false);
    const auto failed = executor.run(plan);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().cause, "do root: mount: refused");
    EXPECT_EQ(failed.error().remedy, "start nfsd");
    EXPECT_EQ(executor.reports()[2].outcome, StepOutcome::waiting);
    server_up = true;
    ASSERT_TRUE(executor.run(plan));
    EXPECT_THAT(log, ElementsAre("net", "state")) << "what was done is not done again";
}

TEST(Executor, DegradedStepsLetTheOthersGoOn) {
    Bench<FakeClock> bench;
    std::vector<std::string> log;
    auto clock = step("clock", {}, [](StepContext&) -> Result<> { return fail("no answer"); });
    clock.failure = FailureMeans::degrade;
    Executor executor(bench.os, {}, false);
    ASSERT_TRUE(executor.run({clock, step("after", {"clock"}, works(log, "after"))}));
    EXPECT_EQ(executor.reports()[0].outcome, StepOutcome::degraded);
    EXPECT_EQ(executor.reports()[0].cause, "no answer");
    EXPECT_EQ(log.size(), 1U);
}

TEST(Executor, RetriesWithDelayAndTellsOfIt) {
    Bench<FakeClock> bench;
    int told = 0;
    ExecutorEvents events;
    events.retry = [&](const StepReport&, const Error&, Milliseconds) { ++told; };
    auto flaky = step("flaky", {}, [](StepContext& context) -> Result<> {
        if (context.attempt < 5) return fail("not yet");
        return {};
    });
    flaky.retry = {0, Milliseconds{100}, Milliseconds{400}};
    Executor executor(bench.os, events, false);
    ASSERT_TRUE(executor.run({flaky}));
    EXPECT_EQ(told, 4);
    EXPECT_EQ(executor.reports()[0].attempts, 5);
    EXPECT_EQ(executor.reports()[0].outcome, StepOutcome::done);
}

TEST(Executor, FencesExceptions) {
    Bench<FakeClock> bench;
    Executor executor(bench.os, {}, false);
    const auto failed =
        executor.run({step("bug", {}, [](StepContext&) -> Result<> { throw std::runtime_error("vector too long"); })});
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().cause, HasSubstr("vector too long"));
}

TEST(ExecutorThreads, OverlapsWhatDoesNotNeedEachOther) {
    Bench<RealClock> bench;
    std::atomic<int> inside{0}, most{0};
    const auto meet = [&](StepContext&) -> Result<> {
        const int now = ++inside;
        if (now > most) most = now;
        for (int i = 0; i < 2000 && most < 3; ++i) std::this_thread::sleep_for(Milliseconds{1});
        --inside;
        return {};
    };
    Executor executor(bench.os, {});
    ASSERT_TRUE(executor.run({step("a", {}, meet), step("b", {}, meet), step("c", {}, meet)}));
    EXPECT_EQ(most, 3);
}

TEST(ExecutorThreads, AbandonsAStepThatDoesNotComeBack) {
    Bench<RealClock> bench;
    std::atomic<bool> release{false}, published{true}, over{false};
    auto stuck = step("stuck", {}, [&](StepContext& context) -> Result<> {
        while (!release) std::this_thread::sleep_for(Milliseconds{1});
        published = context.publish([] {});
        over = true;
        return {};
    });
    stuck.deadline = Milliseconds{10};
    Executor executor(bench.os, {});
    const auto failed = executor.run({stuck});
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().cause, HasSubstr("did not come back"));
    release = true;
    while (!over) std::this_thread::sleep_for(Milliseconds{1});
    EXPECT_FALSE(published) << "an abandoned step has no say any more";
}

TEST(ExecutorThreads, AFailureEndsEndlessRetriesElsewhere) {
    Bench<RealClock> bench;
    auto endless = step("endless", {}, [](StepContext&) -> Result<> { return fail("never"); });
    endless.retry = {0, Milliseconds{1}, Milliseconds{2}};
    Executor executor(bench.os, {});
    const auto failed =
        executor.run({endless, step("bad", {}, [](StepContext&) -> Result<> { return fail("broken"); })});
    ASSERT_FALSE(failed);
}

TEST(Executor, NotesOfAStepThatTriesForDaysStayBounded) {
    Bench<FakeClock> bench;
    Executor executor(bench.os, {}, false);
    int tries = 0;
    auto endless = step("a", {}, [&](StepContext& context) -> Result<> {
        context.note("the same");
        context.note("the same");
        context.note("try " + std::to_string(++tries));
        if (tries < 1000) return fail("not yet");
        return {};
    });
    endless.retry.attempts = 0;
    ASSERT_TRUE(executor.run({endless}));
    const auto notes = executor.reports().front().notes;
    EXPECT_LE(notes.size(), 48U);
    EXPECT_EQ(notes[0], "the same");
    EXPECT_EQ(notes[1], "try 1");
    EXPECT_EQ(notes[2], "first attempt: not yet");
    EXPECT_EQ(notes.back(), "try 1000");
}

TEST(Executor, AnEarlierAttemptsProblemIsNotTheLastOnes) {
    Bench<FakeClock> bench;
    Executor executor(bench.os, {}, false);
    auto once = step("a", {}, [](StepContext& context) -> Result<> {
        if (context.attempt > 1) return {};
        context.degrade({"half", "mend it", 0});
        return fail("broken");
    });
    once.retry.attempts = 2;
    ASSERT_TRUE(executor.run({once}));
    const auto report = executor.reports().front();
    EXPECT_EQ(report.outcome, StepOutcome::done);
    EXPECT_EQ(report.cause, "");
    EXPECT_EQ(report.remedy, "");
    EXPECT_THAT(report.notes, ElementsAre("before: half", "first attempt: broken"));
}

TEST(Executor, AStepThatWasAbandonedGetsItsWholeTimeInTheNextRun) {
    Bench<RealClock> bench;
    Executor executor(bench.os, {});
    auto slow = step("a", {}, [](StepContext& context) -> Result<> {
        static std::atomic<int> runs{0};
        context.os.clock.sleep(++runs == 1 ? Milliseconds{1300} : Milliseconds{30});
        return {};
    });
    slow.deadline = Milliseconds{50};
    ASSERT_FALSE(executor.run({slow})) << "abandoned a second after its deadline";
    EXPECT_TRUE(executor.run({slow}));
    bench.clock.sleep(Milliseconds{300});  // the abandoned thread still looks at this frame's clock
}

}  // namespace
}  // namespace diskless
