// Lives of nodes, in milliseconds.
#include "init/supervisor/supervisor.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace diskless {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Processes that live until they are told to end, and a clock.
struct Node : SupervisorWorld {
    Nanoseconds now{Seconds{1}};
    Supervisor::Settings settings;
    std::unique_ptr<Supervisor> supervisor;
    std::map<int, std::string> running;  // by process id: the process as written
    std::vector<std::string> story;      // "start x", "TERM x", "KILL x", "level 3"
    std::vector<std::string> said;
    std::map<std::string, bool> deaf;  // does not end of TERM (false) nor of KILL (true)
    bool forks = true;
    int next_pid = 100;
    std::optional<std::pair<LastAct, PowerVerb>> ended_by;
    std::string restart_process;

    void boot(std::string_view inittab) {
        supervisor = std::make_unique<Supervisor>(*this, settings);
        supervisor->begin(parse_inittab(inittab), now);
    }
    void resume(std::string_view inittab, const std::string& state) {
        supervisor = std::make_unique<Supervisor>(*this, settings);
        supervisor->resume(parse_inittab(inittab), state, now);
    }
    int start(const InittabEntry& entry) override {
        if (!forks) return 0;
        story.push_back("start " + entry.process);
        running[++next_pid] = entry.process;
        return next_pid;
    }
    void signal(const InittabEntry& entry, int pid, int number) override {
        story.push_back((number == 15 ? "TERM " : "KILL ") + entry.process);
        const auto found = deaf.find(entry.process);
        if (found == deaf.end() || (number == 9 && !found->second)) dying.push_back(pid);
    }
    void ended(const InittabEntry&, int, int) override {}
    void say(int, std::string line) override { said.push_back(std::move(line)); }
    void run_level(char level, char before) override { story.push_back(fmt::format("level {}{}", before, level)); }
    void going_down(LastAct, PowerVerb) override { story.push_back("down"); }
    void end(LastAct act, PowerVerb verb, const InittabEntry* restart) override {
        ended_by = {act, verb};
        if (restart != nullptr) restart_process = restart->process;
    }

    int pid_of(std::string_view process) const {
        for (const auto& [pid, text] : running)
            if (text.starts_with(process)) return pid;
        return 0;
    }
    bool runs(std::string_view process) const { return pid_of(process) != 0; }
    void ends(std::string_view process, int status = 0) {
        const int pid = pid_of(process);
        ASSERT_NE(pid, 0) << process << " does not run";
        running.erase(pid);
        supervisor->child_ended(pid, status, now);
    }
    /// Time goes on, from one thing that is due to the next.
    void pass(Nanoseconds time) {
        const auto until = now + time;
        reap();
        for (int turns = 0; !supervisor->over() && supervisor->next_due() <= until; ++turns) {
            ASSERT_LT(turns, 10000) << "the supervisor spins";
            now = std::max(now, supervisor->next_due());
            supervisor->time_passed(now);
            reap();
        }
        now = until;
    }
    void reap() {
        while (!dying.empty()) {
            const int pid = dying.front();
            dying.erase(dying.begin());
            if (running.erase(pid) != 0) supervisor->child_ended(pid, 15, now);
        }
    }
    int starts(std::string_view process) const {
        return static_cast<int>(std::ranges::count_if(
            story, [&](const auto& s) { return s.starts_with("start " + std::string(process)); }));
    }
    std::vector<std::string> take_story() { return std::exchange(story, {}); }

  private:
    std::vector<int> dying;
};

constexpr std::string_view kSysvinit =
    "id:2:initdefault:\n"
    "si::sysinit:/rcS\n"
    "b1::boot:/background\n"
    "b2::bootwait:/bootwait\n"
    "~~:S:wait:/sulogin\n"
    "l2:2:wait:/rc 2\n"
    "l3:3:wait:/rc 3\n"
    "l6:6:wait:/rc 6\n"
    "l0:0:wait:/rc 0\n"
    "on:2:once:/once\n"
    "g1:23:respawn:/getty 1\n"
    "g2:2:respawn:/getty 2\n"
    "g3:3:respawn:/getty 3\n"
    "da:a:ondemand:/ondemand\n"
    "ca::ctrlaltdel:/cad\n"
    "kb::kbrequest:/kb\n"
    "pf::powerfail:/pf\n"
    "pw::powerwait:/pw\n"
    "po::powerokwait:/po\n"
    "pn::powerfailnow:/pn\n";

/// In run level 2, everything begun.
struct Up : Node {
    Up() {
        boot(kSysvinit);
        ends("/rcS");
        ends("/bootwait");
        ends("/background");
        ends("/rc 2");
        ends("/once");
        story.clear();
    }
};

TEST(Supervisor, BootsInTheOrderOfSysvinit) {
    Node node;
    node.boot(kSysvinit);
    EXPECT_THAT(node.take_story(), ElementsAre("start /rcS"));
    node.pass(std::chrono::hours{1});
    EXPECT_THAT(node.take_story(), IsEmpty()) << "a script is waited for, however long";
    node.ends("/rcS");
    EXPECT_THAT(node.take_story(), ElementsAre("start /background", "start /bootwait"));
    node.ends("/bootwait");
    EXPECT_THAT(node.take_story(), ElementsAre("level N2", "start /rc 2"));
    node.ends("/rc 2");
    EXPECT_THAT(node.take_story(), ElementsAre("start /once", "start /getty 1", "start /getty 2"));
    EXPECT_EQ(node.supervisor->next_due(), Nanoseconds::max()) << "a node at rest wakes for nothing";
}

TEST(Supervisor, RunsTheClusterOf2010) {
    Node node;
    node.boot("id:1:initdefault:\nboot::bootwait:/bin/Rcinit\nsshd:1:respawn:/bin/sshd -D\n");
    EXPECT_THAT(node.take_story(), ElementsAre("level N1", "start /bin/sshd -D"));
    node.pass(Seconds{60});
    node.ends("/bin/sshd");
    EXPECT_THAT(node.take_story(), ElementsAre("start /bin/sshd -D")) << "one that lived is started again at once";
    node.supervisor->go_down(PowerVerb::poweroff, node.now);
    node.pass(Seconds{1});
    EXPECT_FALSE(node.runs("/bin/sshd"));
    EXPECT_EQ(node.ended_by, std::pair(LastAct::power, PowerVerb::poweroff));
}

TEST(Supervisor, AServiceThatDiesAtOnceDoesNotEatTheMachine) {
    Node node;
    node.boot("id:3:initdefault:\nx:3:respawn:/dies\n");
    // For an hour it ends as soon as it is started.
    const auto until = node.now + Seconds{3600};
    while (node.now < until) {
        while (node.runs("/dies")) node.ends("/dies", 256);
        node.pass(Milliseconds{100});
    }
    EXPECT_LE(node.starts("/dies"), 130);
    EXPECT_GE(node.starts("/dies"), 100) << "it is tried again after each rest";
    EXPECT_THAT(node.said, Contains(HasSubstr("rests for 5 minutes")));
    EXPECT_LE(node.said.size(), 13U) << "said once a rest";
}

TEST(Supervisor, ReloadEndsARest) {
    Node node;
    const auto table = "id:3:initdefault:\nx:3:respawn:/dies\n";
    node.boot(table);
    for (int i = 0; i < 200; ++i) {
        if (node.runs("/dies")) node.ends("/dies");
        node.pass(Milliseconds{500});
    }
    ASSERT_FALSE(node.runs("/dies"));
    node.supervisor->reload(parse_inittab(table), node.now);
    EXPECT_TRUE(node.runs("/dies"));
}

TEST(Supervisor, AFailingForkIsNoReasonToGiveUp) {
    Node node;
    node.forks = false;
    node.boot("id:3:initdefault:\nx:3:respawn:/service\nw:3:wait:/waited\n");
    node.pass(Seconds{5});
    node.forks = true;
    node.pass(Seconds{2});
    EXPECT_TRUE(node.runs("/service"));
}

TEST(Supervisor, AChangeOfTheLevelStopsWhatDoesNotBelong) {
    Up node;
    node.deaf["/getty 2"] = false;
    node.supervisor->telinit('3', Seconds{5}, node.now);
    EXPECT_THAT(node.take_story(), ElementsAre("level 23", "TERM /getty 2"));
    node.pass(Milliseconds{4900});
    EXPECT_THAT(node.take_story(), IsEmpty());
    node.pass(Milliseconds{200});
    EXPECT_THAT(node.take_story(), ElementsAre("KILL /getty 2", "KILL /getty 2", "start /rc 3"));
    node.ends("/rc 3");
    EXPECT_THAT(node.take_story(), ElementsAre("start /getty 3"));
    EXPECT_TRUE(node.runs("/getty 1")) << "belongs to both";
    node.supervisor->telinit('3', Seconds{5}, node.now);
    EXPECT_THAT(node.take_story(), IsEmpty()) << "the same level again is nothing";
}

TEST(Supervisor, WhatHangsInTheKernelIsLeft) {
    Up node;
    node.deaf["/getty 2"] = true;
    node.supervisor->telinit('3', Seconds{1}, node.now);
    node.pass(Seconds{4});
    EXPECT_THAT(node.said, Contains(HasSubstr("hangs in the kernel")));
    EXPECT_TRUE(node.runs("/rc 3"));
}

TEST(Supervisor, AnotherLevelInTheMiddleOfOne) {
    Up node;
    node.supervisor->telinit('3', Seconds{5}, node.now);
    node.pass(Milliseconds{1});
    ASSERT_TRUE(node.runs("/rc 3"));
    node.supervisor->telinit('2', Seconds{5}, node.now);
    node.pass(Seconds{1});
    EXPECT_FALSE(node.runs("/rc 3"));
    EXPECT_TRUE(node.runs("/rc 2"));
    node.ends("/rc 2");
    EXPECT_TRUE(node.runs("/getty 2"));
}

TEST(Supervisor, OnDemandIsNoLevel) {
    Up node;
    node.supervisor->telinit('a', Seconds{5}, node.now);
    EXPECT_THAT(node.take_story(), ElementsAre("start /ondemand"));
    node.supervisor->telinit('3', Seconds{5}, node.now);
    node.pass(Seconds{1});
    EXPECT_TRUE(node.runs("/ondemand")) << "survives a change of the level";
    EXPECT_EQ(node.supervisor->level(), '3');
}

TEST(Supervisor, SingleUserAndOn) {
    Node node;
    node.settings.level = 'S';
    node.boot(kSysvinit);
    node.ends("/rcS");
    EXPECT_THAT(node.take_story(), ElementsAre("start /rcS", "level NS", "start /sulogin"));
    node.ends("/sulogin");
    EXPECT_THAT(node.take_story(), ElementsAre("start /background", "start /bootwait"));
    node.ends("/bootwait");
    EXPECT_THAT(node.take_story(), ElementsAre("level S2", "start /rc 2"));
}

TEST(Supervisor, SingleUserWithoutAnEntryForIt) {
    Node node;
    node.settings.level = 'S';
    node.boot("id:3:initdefault:\nx:3:respawn:/service\n");
    EXPECT_TRUE(node.runs("[ -x /sbin/sulogin ]"));
    node.supervisor->reload(parse_inittab("id:3:initdefault:\ny:3:respawn:/other\n"), node.now);
    node.pass(Seconds{10});
    EXPECT_TRUE(node.runs("[ -x /sbin/sulogin ]")) << "reading the table again does not end the administrator's shell";
    node.ends("[ -x");
    EXPECT_TRUE(node.runs("/other"));
}

TEST(Supervisor, EmergencyComesBeforeAll) {
    Node node;
    node.settings.emergency = true;
    node.boot(kSysvinit);
    EXPECT_FALSE(node.runs("/rcS"));
    node.ends("[ -x");
    EXPECT_TRUE(node.runs("/rcS"));
}

TEST(Supervisor, TheLevelOfTheCommandLine) {
    Node node;
    node.settings.level = '3';
    node.boot(kSysvinit);
    node.ends("/rcS");
    node.ends("/bootwait");
    EXPECT_TRUE(node.runs("/rc 3"));
}

TEST(Supervisor, EventsHaveTheirEntries) {
    Up node;
    node.supervisor->ctrl_alt_del(node.now);
    EXPECT_THAT(node.take_story(), ElementsAre("start /cad"));
    node.supervisor->ctrl_alt_del(node.now);
    EXPECT_THAT(node.take_story(), IsEmpty()) << "once is enough";
    node.supervisor->keyboard_request(node.now);
    EXPECT_THAT(node.take_story(), ElementsAre("start /kb"));
    node.supervisor->power_status('F', node.now);
    EXPECT_THAT(node.take_story(), ElementsAre("start /pf", "start /pw"));
    node.supervisor->power_status('O', node.now);
    EXPECT_THAT(node.take_story(), ElementsAre("start /po"));
    node.supervisor->power_status('L', node.now);
    EXPECT_THAT(node.take_story(), ElementsAre("start /pn"));
    EXPECT_FALSE(node.ended_by);
    // What Ctrl-Alt-Del has started is most probably what asks for the reboot: it is not told to end.
    node.supervisor->telinit('6', Seconds{5}, node.now);
    node.pass(Seconds{1});
    EXPECT_TRUE(node.runs("/cad"));
}

TEST(Supervisor, CtrlAltDelRebootsWhereNothingIsSaid) {
    Node node;
    node.boot("id:1:initdefault:\nsshd:1:respawn:/bin/sshd -D\n");
    node.supervisor->ctrl_alt_del(node.now);
    node.pass(Seconds{1});
    EXPECT_EQ(node.ended_by, std::pair(LastAct::power, PowerVerb::reboot));
}

TEST(Supervisor, TheWayDownOfSysvinit) {
    Up node;
    node.supervisor->go_down(PowerVerb::reboot, node.now);
    node.pass(Milliseconds{1});
    EXPECT_THAT(node.take_story(), ElementsAre("down", "level 26", "TERM /getty 1", "TERM /getty 2", "KILL /getty 1",
                                               "KILL /getty 2", "start /rc 6"))
        << "KILL: for what they had started and left behind";
    EXPECT_FALSE(node.ended_by);
    node.supervisor->telinit('2', Seconds{5}, node.now);
    EXPECT_THAT(node.take_story(), IsEmpty()) << "there is no way back";
    node.ends("/rc 6");
    EXPECT_EQ(node.ended_by, std::pair(LastAct::power, PowerVerb::reboot));
}

TEST(Supervisor, TheWayDownHasADeadline) {
    Up node;
    node.supervisor->go_down(PowerVerb::halt, node.now);
    node.pass(Milliseconds{1});
    ASSERT_TRUE(node.runs("/rc 0"));
    node.pass(node.settings.way_down - Seconds{1});
    EXPECT_FALSE(node.ended_by);
    node.pass(Seconds{2});
    EXPECT_EQ(node.ended_by, std::pair(LastAct::power, PowerVerb::halt));
    EXPECT_THAT(node.said, Contains(HasSubstr("l0: does not come to an end")));
}

constexpr std::string_view kBusybox =
    "::respawn:/service\n"
    "::sysinit:/rcS\n"
    "tty1::askfirst:/bin/sh\n"
    "::shutdown:/umount\n"
    "::shutdown:/swapoff\n"
    "::restart:/sbin/init\n";

TEST(Supervisor, TheWayDownOfBusybox) {
    Node node;
    node.boot(kBusybox);
    node.ends("/rcS");
    EXPECT_THAT(node.take_story(), ElementsAre("start /rcS", "level N3", "start /service", "start /bin/sh"));
    node.supervisor->go_down(PowerVerb::poweroff, node.now);
    EXPECT_THAT(node.take_story(), ElementsAre("down", "level 30", "start /umount"))
        << "services may be needed for that";
    node.ends("/service");
    EXPECT_EQ(node.starts("/service"), 0) << "not started again";
    node.ends("/umount");
    EXPECT_TRUE(node.runs("/swapoff"));
    node.ends("/swapoff");
    EXPECT_EQ(node.ended_by, std::pair(LastAct::power, PowerVerb::poweroff));
}

TEST(Supervisor, RestartBecomesAnotherInit) {
    Node node;
    node.boot(kBusybox);
    node.supervisor->restart(node.now);
    node.ends("/umount");
    node.ends("/swapoff");
    ASSERT_TRUE(node.ended_by);
    EXPECT_EQ(node.ended_by->first, LastAct::restart);
    EXPECT_EQ(node.restart_process, "/sbin/init");
}

TEST(Supervisor, AHangingScriptDoesNotKeepANodeUp) {
    Node node;
    node.boot(kSysvinit);
    ASSERT_TRUE(node.runs("/rcS"));
    node.supervisor->go_down(PowerVerb::reboot, node.now);
    node.pass(Seconds{1});
    EXPECT_FALSE(node.runs("/rcS"));
    node.ends("/rc 6");
    EXPECT_TRUE(node.ended_by);
}

TEST(Supervisor, ReloadKeepsWhatRuns) {
    Up node;
    const int kept = node.pid_of("/getty 1");
    auto text = std::string(kSysvinit);
    text.replace(text.find("g2:2:respawn:/getty 2"), 21, "g4:2:respawn:/getty 4");
    text.replace(text.find("/getty 1"), 8, "/getty 9");
    node.supervisor->reload(parse_inittab(text), node.now);
    node.pass(Seconds{60});
    EXPECT_EQ(node.pid_of("/getty 1"), kept) << "the new line counts from the next start";
    EXPECT_FALSE(node.runs("/getty 2"));
    EXPECT_TRUE(node.runs("/getty 4"));
    EXPECT_EQ(node.starts("/rc 2"), 0);
    EXPECT_EQ(node.starts("/once"), 0) << "has been done in this level";
    node.ends("/getty 1");
    EXPECT_TRUE(node.runs("/getty 9"));
}

/// The table of kSysvinit with another line for getty 2, or none.
Inittab with_getty_2(std::string_view line) {
    auto text = std::string(kSysvinit);
    text.replace(text.find("g2:2:respawn:/getty 2\n"), 22, line);
    return parse_inittab(text);
}

TEST(Supervisor, WhatComesBackWhileItIsEndingIsStartedAgain) {
    Up node;
    node.deaf["/getty 2"] = false;
    node.supervisor->reload(with_getty_2(""), node.now);
    node.pass(Seconds{2});
    ASSERT_TRUE(node.runs("/getty 2")) << "slow to end";
    node.supervisor->reload(parse_inittab(kSysvinit), node.now);
    EXPECT_EQ(node.starts("/getty 2"), 0);
    node.pass(Seconds{10});
    EXPECT_EQ(node.starts("/getty 2"), 1);
    EXPECT_TRUE(node.runs("/getty 2"));
    node.ends("/getty 2");
    EXPECT_TRUE(node.runs("/getty 2")) << "as before";
}

TEST(Supervisor, AnActionThatBecomesAnotherCountsForWhatRuns) {
    Up node;
    node.supervisor->reload(with_getty_2("g2:2:once:/getty 2\n"), node.now);
    node.pass(Seconds{60});
    node.ends("/getty 2");
    node.pass(Seconds{60});
    EXPECT_FALSE(node.runs("/getty 2")) << "once";
    node.supervisor->reload(parse_inittab(kSysvinit), node.now);
    EXPECT_TRUE(node.runs("/getty 2"));
    node.supervisor->reload(with_getty_2("g2:2:once:/getty 2\n"), node.now);
    node.supervisor->reload(parse_inittab(kSysvinit), node.now);
    node.pass(Seconds{60});
    node.ends("/getty 2");
    EXPECT_TRUE(node.runs("/getty 2")) << "again and again";
}

TEST(Supervisor, WhatRestsBecomesOnceAndIsLeft) {
    Node node;
    node.boot("id:3:initdefault:\nx:3:respawn:/dies\n");
    for (int i = 0; i < 200; ++i) {
        if (node.runs("/dies")) node.ends("/dies");
        node.pass(Milliseconds{500});
    }
    ASSERT_FALSE(node.runs("/dies"));
    node.story.clear();
    node.supervisor->reload(parse_inittab("id:3:initdefault:\nx:3:once:/dies\n"), node.now);
    node.pass(Seconds{600});
    EXPECT_EQ(node.starts("/dies"), 0);
}

TEST(Supervisor, OnDemandThatRunsIsKeptByAReload) {
    Up node;
    node.supervisor->telinit('a', Seconds{5}, node.now);
    node.supervisor->reload(parse_inittab(kSysvinit), node.now);
    node.pass(Seconds{60});
    node.ends("/ondemand");
    EXPECT_TRUE(node.runs("/ondemand"));
}

TEST(Supervisor, AnInittabOfRandomBytesChangesNothing) {
    Up node;
    node.supervisor->reload(parse_inittab("\xff\x00:::\x80garbage\n:::\n"), node.now);
    EXPECT_THAT(node.said, Contains(HasSubstr("the one before stays in force")));
    EXPECT_THAT(node.take_story(), IsEmpty());
    node.pass(Seconds{60});
    node.ends("/getty 2");
    EXPECT_TRUE(node.runs("/getty 2"));
}

TEST(Supervisor, PatienceHasAnEnd) {
    Node node;
    auto table = parse_inittab("id:3:initdefault:\nm::bootwait:/mounts\nx:3:respawn:/service\n");
    table.entries[0].patience = Seconds{20};
    node.supervisor = std::make_unique<Supervisor>(node, node.settings);
    node.supervisor->begin(table, node.now);
    node.pass(Seconds{19});
    EXPECT_FALSE(node.runs("/service"));
    node.pass(Seconds{2});
    EXPECT_TRUE(node.runs("/service"));
    EXPECT_TRUE(node.runs("/mounts")) << "goes on in the background";
    EXPECT_THAT(node.said, Contains(HasSubstr("takes long")));
}

TEST(Supervisor, OrphansAreNotItsOwn) {
    Up node;
    for (int pid = 5000; pid < 6000; ++pid) node.supervisor->child_ended(pid, 0, node.now);
    EXPECT_THAT(node.take_story(), IsEmpty());
}

TEST(Supervisor, GoesOnAfterItWasExecutedAnew) {
    Up node;
    const int kept = node.pid_of("/getty 1");
    const auto state = node.supervisor->state();
    node.resume(kSysvinit, state);
    EXPECT_THAT(node.take_story(), IsEmpty()) << "all runs already";
    EXPECT_EQ(node.supervisor->level(), '2');
    node.pass(Seconds{60});
    node.ends("/getty 1");
    EXPECT_TRUE(node.runs("/getty 1"));
    EXPECT_NE(node.pid_of("/getty 1"), kept);
}

TEST(Supervisor, GoesOnInTheMiddleOfTheBoot) {
    Node node;
    node.boot(kSysvinit);
    const auto state = node.supervisor->state();
    node.resume(kSysvinit, state);
    EXPECT_EQ(node.starts("/rcS"), 1) << "still waited for, not begun again";
    node.ends("/rcS");
    EXPECT_TRUE(node.runs("/bootwait"));
}

TEST(Supervisor, GoesOnOnTheWayDown) {
    Up node;
    node.supervisor->go_down(PowerVerb::poweroff, node.now);
    const auto state = node.supervisor->state();
    node.resume(kSysvinit, state);
    EXPECT_TRUE(node.supervisor->going_down());
    node.pass(Seconds{60});
    EXPECT_EQ(node.ended_by, std::pair(LastAct::power, PowerVerb::poweroff));
}

TEST(Supervisor, BadStateIsNoReasonToCrash) {
    for (const char* state :
         {"", "L", "L\x01 Rx=-5 R= Rg1=1 Qnone W Wnone", "P2 L9 B", "R=====", "Rg1=99999999999999"}) {
        Node node;
        node.resume(kSysvinit, state);
        node.pass(Seconds{10});
        EXPECT_FALSE(node.ended_by) << state;
    }
}

}  // namespace
}  // namespace diskless
