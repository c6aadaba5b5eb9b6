// A node's life by its inittab with all that belongs to it, on fakes; and the same without memory and processes.
#include "init/supervisor/life.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "init/boot.hpp"
#include "init/supervisor/reload_inittab.hpp"
#include "tests/fakes/fake_cluster.hpp"
#include "tests/fakes/fake_init_process.hpp"

namespace diskless {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kInittab =
    "id:3:initdefault:\n"
    "si::sysinit:/rcS\n"
    "bw::bootwait:/bootwait\n"
    "l3:3:wait:/rc 3\n"
    "l6:6:wait:/rc 6\n"
    "a:3:respawn:/bin/a\n"
    "once:3:once:/bin/once\n"
    "S0:3:respawn:-/bin/sh\n";

/// Words that are kept, and memory that is there for them.
struct QuietMachine : FakeMachine {
    void say(int level, std::string_view line) override {
        const auto copy = std::string(line);  // as the real one, which needs memory for the record
        const FailingMemory::Pause memory;
        FakeMachine::say(level, copy);
    }
    Error power(PowerVerb verb) override {
        const FailingMemory::Pause memory;
        return FakeMachine::power(verb);
    }
};

std::string kept;                   // by keep_state, as a crash finds it
std::vector<std::string> left_out;  // by say_without_memory
int executed_anew = 0;

struct NodeWithLife : FakeCluster {
    QuietMachine quiet;
    Os own{clock, files, mounts, links, devices, modules, processes, sockets, quiet};
    FakeInitProcess process{clock};
    std::vector<Deadline> promised;
    int refusals = 0;  // of promises
    std::optional<Life> life;

    explicit NodeWithLife(std::string_view inittab = kInittab) : FakeCluster("root=/dev/nfs") {
        kept.clear();
        left_out.clear();
        executed_anew = 0;
        files.tree({{"/etc/inittab", file(std::string(inittab))}, {"/run/diskless/.", file("")}});
        for (const char* name : {"si", "bw", "l3", "l6", "once", "@devices", "@mounts"})
            process.short_lived[name] = true;
    }
    void make() {
        life.emplace(LifeWorld{own, process,
                               [this](Deadline deadline, PowerVerb) -> Result<> {
                                   const auto thread = std::make_unique<int>();  // as a real one
                                   const FailingMemory::Pause memory;
                                   if (refusals > 0) {
                                       --refusals;
                                       return fail("no thread", {}, EAGAIN);
                                   }
                                   promised.push_back(deadline);
                                   return {};
                               },
                               [](const char* text, unsigned long length) noexcept {
                                   const FailingMemory::Pause memory;
                                   kept.assign(text, length);
                               },
                               []() noexcept { ++executed_anew; },
                               [](const char* what) noexcept {
                                   const FailingMemory::Pause memory;
                                   left_out.emplace_back(what);
                               }},
                     std::vector<std::string>{"TERM=vt100"});
    }
    /// As supervise_main().
    void boot() {
        for (int tries = 0;; ++tries) {
            ASSERT_LT(tries, 10000);
            try {
                if (!life) make();
                life->begin({});
                return;
            } catch (const std::exception&) {
                clock.advance(Seconds{1});
            }
        }
    }
    void pass(Nanoseconds time) {
        const auto until = clock.now() + time;
        while (clock.now() < until && !life->over()) {
            life->turn();
            clock.advance(Milliseconds{100});
        }
    }
    void tell(std::function<void(InitEvents&)> event) {
        const FailingMemory::Pause memory;
        process.news.push_back(std::move(event));
    }
};

TEST(Life, BootsServesAndGoesDown) {
    NodeWithLife node;
    node.boot();
    node.pass(Seconds{5});
    EXPECT_THAT(node.process.starts, ElementsAre("si", "bw", "l3", "a", "once", "S0"));
    EXPECT_THAT(kept, HasSubstr(fmt::format("Ra={}", node.process.pid_of("a"))));
    EXPECT_FALSE(node.process.records.empty());
    node.tell([](InitEvents& events) { events.signal(SIGTERM); });
    node.pass(Seconds{40});
    EXPECT_TRUE(node.life->over());
    EXPECT_EQ(node.promised.size(), 1U);
    EXPECT_THAT(node.process.starts, Contains("l6"));
    EXPECT_THAT(node.quiet.powered, Contains(PowerVerb::reboot));
    EXPECT_THAT(left_out, IsEmpty());
}

TEST(Life, TheImageMaySayHowLongTheWayDownTakes) {
    NodeWithLife node;
    BootReport report;
    report.image_parameters = "diskless.shutdown.timeout=90";
    node.files.tree({{kReportFile, file(to_json(report))}});
    node.boot();
    node.pass(Seconds{5});
    const auto begun = node.clock.now();
    node.tell([](InitEvents& events) { events.signal(SIGTERM); });
    node.pass(Seconds{100});
    ASSERT_EQ(node.promised.size(), 1U);
    EXPECT_GE(node.promised[0].at, begun + Seconds{90});
}

TEST(Life, AsksAgainForAnEndThatCouldNotBePromised) {
    NodeWithLife node;
    node.refusals = 1;
    node.boot();
    node.pass(Seconds{5});
    node.tell([](InitEvents& events) { events.signal(SIGTERM); });
    node.pass(Seconds{40});
    EXPECT_EQ(node.refusals, 0);
    EXPECT_EQ(node.promised.size(), 1U);
    EXPECT_TRUE(node.quiet.has_said("no thread, trying again"));
}

TEST(Life, PromisesAnEndAlsoBeforeARestart) {
    NodeWithLife node;
    node.boot();
    node.pass(Seconds{5});
    node.tell([](InitEvents& events) { events.signal(SIGQUIT); });
    node.pass(Seconds{40});
    EXPECT_TRUE(node.life->over());
    EXPECT_GE(node.promised.size(), 1U) << "its server may be gone";
}

TEST(Life, ToldThatTheFifoIsHiddenItMakesAnother) {
    NodeWithLife node;
    node.boot();
    node.tell([](InitEvents& events) { events.signal(SIGUSR1); });
    node.pass(Seconds{1});
    EXPECT_EQ(node.process.fifos_opened, 1) << "nothing of it is to be seen through the root";
    EXPECT_TRUE(node.promised.empty());

    node.files.tree({{"/proc/self/root/run/initctl", file("")}});
    node.tell([](InitEvents& events) { events.signal(SIGUSR1); });
    node.pass(Seconds{40});
    EXPECT_TRUE(node.life->over()) << "busybox' halt";
}

TEST(Life, IsHaltedThoughTheRootDoesNotAnswer) {
    NodeWithLife node;
    node.boot();
    node.processes.hanging = {"look for the fifo"};
    node.tell([](InitEvents& events) { events.signal(SIGUSR1); });
    node.pass(Seconds{40});
    EXPECT_EQ(node.process.fifos_opened, 0);
    EXPECT_TRUE(node.life->over());
}

TEST(Life, KeepsWhatServicesPrintAndSaysWhatBecameOfThem) {
    NodeWithLife node;
    node.boot();
    node.pass(Seconds{5});
    EXPECT_TRUE(node.process.logged["a"]);
    EXPECT_TRUE(node.process.logged["once"]);
    EXPECT_FALSE(node.process.logged["S0"]) << "a login has its terminal";
    EXPECT_FALSE(node.process.logged["l3"]) << "what is waited for shows on the console";
    const int pid = node.process.pid_of("a");
    node.process.ends(pid, 255 << 8);
    node.pass(Seconds{5});
    EXPECT_THAT(node.process.notes, Contains(fmt::format("a: process {} ended with status 255", pid)));
    EXPECT_THAT(node.process.notes, Contains(fmt::format("a: started, process {}", node.process.pid_of("a"))));
}

TEST(Life, TellsWhatReadingTheInittabAgainHasChanged) {
    NodeWithLife node;
    node.boot();
    node.pass(Seconds{5});
    node.files.tree({{"/proc/1/cmdline", file(std::string("init\0@supervise\0\0", 17))}});
    Os& os = node.own;
    node.processes.on_signal = [&](int pid, int number) {
        EXPECT_EQ(pid, 1);
        EXPECT_EQ(number, SIGHUP);
        node.life->signal(number);
    };
    EXPECT_THAT(*reload_inittab(os), IsEmpty()) << "nothing has changed";
    node.files.tree({{"/etc/inittab", file("id:3:initdefault:\na:3:respawn:/bin/a -v\nnew:3:respawn:/bin/new\n"
                                           "S0:3:respawn:-/bin/sh\nrubbish\n")}});
    const auto changes = *reload_inittab(os);
    EXPECT_THAT(changes, Contains("~ inittab a: /bin/a -v (from its next start on)"));
    EXPECT_THAT(changes, Contains("+ inittab new: /bin/new"));
    EXPECT_THAT(changes, Contains("- inittab once: /bin/once"));
    EXPECT_THAT(changes, Contains(HasSubstr("! /etc/inittab:5: ")));
    EXPECT_EQ(node.process.count("new"), 1);
    EXPECT_THAT(node.process.logs_kept, Contains("a"));
    EXPECT_THAT(node.process.logs_kept, Contains("new"));
    EXPECT_THAT(node.process.logs_kept, Not(Contains("once"))) << "makes room when room is needed";
    node.processes.on_signal = {};
    EXPECT_FALSE(reload_inittab(os)) << "one that does not answer is not waited for for ever";
    node.files.tree({{"/proc/1/cmdline", file(std::string("/sbin/init\0", 11))}});
    EXPECT_THAT(*reload_inittab(os), IsEmpty()) << "another init has its own way";
}

TEST(Life, SaysOnceThatTheBootScriptIsNotRun) {
    NodeWithLife node("boot::bootwait:/bin/Rcinit\nid:3:initdefault:\na:3:respawn:/bin/a\n");
    node.boot();
    node.pass(Seconds{1});
    for (int i = 0; i < 2; ++i) {
        node.life->signal(SIGHUP);
        node.pass(Seconds{1});
    }
    EXPECT_EQ(std::ranges::count_if(
                  node.quiet.said,
                  [](const auto& line) { return line.second.find("boot script is not run") != std::string::npos; }),
              1);
}

TEST(Life, WithoutProcessesItTriesAgain) {
    NodeWithLife node;
    node.process.forks_to_fail = 25;
    node.boot();
    node.pass(Seconds{40});
    EXPECT_THAT(node.process.starts, ElementsAre("si", "bw", "l3", "a", "once", "S0")) << "all of them, in their order";
    node.process.forks_to_fail = 2 * Supervisor::kMostStarts;  // no reason to let it rest
    node.process.ends(node.process.pid_of("a"), 0);
    node.pass(Seconds{30});
    EXPECT_EQ(node.process.count("a"), 1);
}

/// A boot, a service that dies, a list that changes, a change of the run level and the way down; true when the failures
/// were all had.
bool live_without(long first, long count) {
    NodeWithLife node;
    SCOPED_TRACE(fmt::format("allocation {} and {} after it fail", first, count - 1));
    bool was_over = false;
    {
        const FailingMemory memory(first, count);
        node.boot();
        node.pass(Seconds{20 + count});  // one try a second
        {
            const FailingMemory::Pause pause;
            for (const char* name : {"si", "bw", "l3", "a", "once", "S0"})
                EXPECT_EQ(std::ranges::count(node.process.starts, std::string_view(name)), 1) << name;
            node.process.ends(node.process.pid_of("a"), 9);
        }
        node.pass(Seconds{20 + count});
        {
            const FailingMemory::Pause pause;
            EXPECT_EQ(node.process.count("a"), 1) << "its end was not lost";
            node.files.tree({{"/etc/inittab", file(std::string(kInittab) + "b:3:respawn:/bin/b\n")}});
        }
        for (int i = 0; i < 50 && node.process.count("b") == 0; ++i) {  // its wish may be left out, and is said again
            node.tell([](InitEvents& events) { events.signal(SIGHUP); });
            node.pass(Seconds{20});
        }
        {
            const FailingMemory::Pause pause;
            EXPECT_EQ(node.process.count("b"), 1);
            std::map<std::string, int> each;
            for (const auto& [pid, name] : node.process.running) {
                EXPECT_EQ(++each[name], 1) << name << " runs twice: one of them is nobody's";
                EXPECT_THAT(kept, HasSubstr(fmt::format("R{}={}", name, pid))) << "it would be lost over a crash";
            }
        }
        node.tell([](InitEvents& events) { events.signal(SIGTERM); });
        node.pass(Seconds{60});
        was_over = memory.is_over();
    }
    EXPECT_TRUE(node.life->over()) << "the node goes down";
    EXPECT_THAT(node.quiet.powered, Contains(PowerVerb::reboot));
    EXPECT_GE(node.promised.size(), 1U) << "and would in any case";
    // What is to be started on the way down is not waited for beyond its part of the time.
    if (count == 1) {
        EXPECT_EQ(std::ranges::count(node.process.starts, std::string_view("l6")), 1);
    }
    EXPECT_THAT(node.process.running, IsEmpty());
    return was_over;
}

TEST(Life, GoesOnWhateverAllocationFails) {
    long first = 1;
    while (live_without(first, 1) && !::testing::Test::HasFailure()) ++first;
    EXPECT_GT(first, 200) << "there was nothing to fail";
}

TEST(Life, GoesOnWhenThereIsNoMemoryForAWhile) {
    long first = 1;
    while (live_without(first, 40) && !::testing::Test::HasFailure()) first += 7;
    EXPECT_GT(first, 200);
}

}  // namespace
}  // namespace diskless
