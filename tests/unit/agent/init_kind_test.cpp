#include "agent/init_kind.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <utmp.h>

namespace diskless {
namespace {

TEST(InitKind, IsToldByWhatItCannotHide) {
    const struct {
        InitFacts facts;
        InitKind kind;
    } cases[] = {
        {{"systemd", "/usr/lib/systemd/systemd", true, false}, InitKind::systemd},
        {{"systemd-shutdow", "/usr/lib/systemd/systemd-shutdown", true, false}, InitKind::systemd},
        {{"init", "/sbin/init", false, true}, InitKind::sysvinit},
        {{"init", "/bin/busybox", false, false}, InitKind::busybox},
        {{"init", "/bin/busybox", false, true}, InitKind::busybox},
        {{"linuxrc", "", false, false}, InitKind::busybox},
        {{"init", "/sbin/init", false, false}, InitKind::other},
        {{"runit", "/sbin/runit", false, false}, InitKind::other},
        {{"diskless-init", "/run/diskless/diskless-init", false, true}, InitKind::ours},
        {{"init", "/run/diskless/diskless-init", false, false}, InitKind::ours},
        {{}, InitKind::other},
    };
    for (const auto& c : cases) EXPECT_EQ(init_kind(c.facts), c.kind) << c.facts.comm << " " << c.facts.executable;
}

TEST(HowToAsk, SpeaksTheLanguageOfEachInit) {
    EXPECT_EQ(how_to_ask(InitKind::systemd, PowerVerb::halt)->signal, 37);
    EXPECT_EQ(how_to_ask(InitKind::systemd, PowerVerb::poweroff)->signal, 38);
    EXPECT_EQ(how_to_ask(InitKind::systemd, PowerVerb::reboot)->signal, 39);
    EXPECT_EQ(how_to_ask(InitKind::ours, PowerVerb::kexec)->signal, 40) << "it takes systemd's signals, too";
    EXPECT_EQ(how_to_ask(InitKind::busybox, PowerVerb::reboot)->signal, SIGTERM);
    EXPECT_EQ(how_to_ask(InitKind::busybox, PowerVerb::poweroff)->signal, SIGUSR2);
    EXPECT_EQ(how_to_ask(InitKind::busybox, PowerVerb::halt)->signal, SIGUSR1);
    EXPECT_EQ(how_to_ask(InitKind::other, PowerVerb::reboot)->signal, SIGINT);
    EXPECT_FALSE(how_to_ask(InitKind::other, PowerVerb::poweroff)) << "INT would reboot it instead";
}

TEST(HowToAsk, WritesSysvinitsRequests) {
    const auto reboot = how_to_ask(InitKind::sysvinit, PowerVerb::reboot);
    ASSERT_TRUE(reboot);
    EXPECT_EQ(reboot->signal, 0);
    ASSERT_EQ(reboot->fifo_bytes.size(), 384u);
    EXPECT_EQ(reboot->fifo_bytes.substr(0, 12), std::string("\x69\x19\x09\x03\x01\0\0\0\x36\0\0\0", 12));
    const auto off = how_to_ask(InitKind::sysvinit, PowerVerb::poweroff);
    ASSERT_EQ(off->fifo_bytes.size(), 2 * 384u);
    EXPECT_EQ(off->fifo_bytes.substr(16, 19), std::string("INIT_HALT=POWEROFF\0", 19));
    EXPECT_EQ(off->fifo_bytes[384 + 8], '0');
}

TEST(ParseInitStat, SeesStateAndActivity) {
    const auto sight = parse_init_stat(
        "1 (systemd) S 0 1 1 0 -1 4194560 30000 600000 100 2000 70 130 1500 900 20 0 1 0 25 100000000 3000\n");
    ASSERT_TRUE(sight);
    EXPECT_FALSE(sight->stuck);
    const auto stuck = parse_init_stat("1 (a) b) (c) D 0 1 1 0 -1 4194560 30000 600000 100 2000 70 130 1500 900");
    ASSERT_TRUE(stuck);
    EXPECT_TRUE(stuck->stuck);
    const auto other =
        parse_init_stat("1 (systemd-shutdow) S 0 1 1 0 -1 4194560 30000 600000 100 2000 70 130 1500 900");
    EXPECT_NE(other->activity, sight->activity) << "another program in the same process";
}

/// It forks and sleeps again within a clock tick.
TEST(ParseInitStat, SeesWhatTakesLessThanATick) {
    const auto activity = [](const char* faults_and_ticks) {
        return parse_init_stat("1 (init) S 0 1 1 0 -1 4194560 " + std::string(faults_and_ticks) + " 20 0 1 0 25")
            ->activity;
    };
    const auto before = activity("30000 600000 100 2000 70 130 1500 900");
    EXPECT_EQ(before, activity("30000 600000 100 2000 70 130 1500 900"));
    EXPECT_NE(before, activity("30040 600000 100 2000 70 130 1500 900")) << "a fork costs it page faults";
    EXPECT_NE(before, activity("30000 600040 100 2000 70 130 1500 900")) << "a child was waited for";
    EXPECT_NE(before, activity("30000 600000 100 2000 70 130 1501 900"));
    EXPECT_NE(before, activity("30000 600000 100 2000 70 130 1500 901"));
    EXPECT_NE(before, activity("30000 600000 100 2000 71 129 1500 900")) << "no sum that stays the same";
}

TEST(ParseInitStat, RefusesWhatIsNoSuchLine) {
    for (const char* text :
         {"", "1 (systemd", "1 )systemd( S 1", "1 (systemd) S 0 1 1", "1 (x) SD 0 1 1 0 -1 4 3 6 1 2 7 1 1 9",
          "1 (x) S 0 1 1 0 -1 4 3 6 1 2 x 1 1 9", "1 (x) S 0 1 1 0 -1 4 3 6 1 2 7 1 1"})
        EXPECT_FALSE(parse_init_stat(text)) << text;
}

std::string utmp_of(std::initializer_list<std::pair<short, int>> records) {
    std::string bytes;
    for (const auto& [type, pid] : records) {
        struct utmp record {};
        record.ut_type = type;
        record.ut_pid = pid;
        bytes.append(reinterpret_cast<const char*>(&record), sizeof record);
    }
    return bytes;
}

TEST(RunLevelOf, TheLastRecordCounts) {
    EXPECT_EQ(run_level_of(utmp_of({{BOOT_TIME, 0}, {RUN_LVL, '2' + 256 * 'N'}, {USER_PROCESS, 99}})), '2');
    EXPECT_EQ(run_level_of(utmp_of({{RUN_LVL, '2'}, {RUN_LVL, '6' + 256 * '2'}})), '6');
    EXPECT_FALSE(run_level_of(""));
    EXPECT_FALSE(run_level_of("rubbish"));
    EXPECT_FALSE(run_level_of(utmp_of({{USER_PROCESS, '6'}})));
}

TEST(EndToldByTerm, OnlyWhatIsKnownIsSaid) {
    EXPECT_EQ(end_told_by_term(InitKind::sysvinit, "killall5", '6'), "reboot");
    EXPECT_EQ(end_told_by_term(InitKind::sysvinit, "killall5", '0'), "poweroff");
    EXPECT_EQ(end_told_by_term(InitKind::sysvinit, "killall5", std::nullopt), "end");
    EXPECT_EQ(end_told_by_term(InitKind::busybox, "", std::nullopt), "end");
    EXPECT_FALSE(end_told_by_term(InitKind::busybox, "sh", std::nullopt)) << "somebody's kill";
    EXPECT_FALSE(end_told_by_term(InitKind::sysvinit, "sh", '2'));
    for (const char level : {'1', 'S', '2'})
        EXPECT_FALSE(end_told_by_term(InitKind::sysvinit, "killall5", level)) << "single-user mode";
    EXPECT_EQ(end_told_by_term(InitKind::busybox, "", '2'), "end") << "it knows no run levels: not its own";
    EXPECT_FALSE(end_told_by_term(InitKind::systemd, "", std::nullopt)) << "its end is told by the shutdown program";
    EXPECT_FALSE(end_told_by_term(InitKind::ours, "", '6'));
}

TEST(KillFollowsTerm, WhereItGoesToAll) {
    EXPECT_TRUE(kill_follows_term(InitKind::sysvinit, "killall5"));
    EXPECT_TRUE(kill_follows_term(InitKind::busybox, ""));
    EXPECT_FALSE(kill_follows_term(InitKind::sysvinit, "sh"));
    EXPECT_FALSE(kill_follows_term(InitKind::systemd, ""));
    EXPECT_FALSE(kill_follows_term(InitKind::ours, "killall5"));
}

}  // namespace
}  // namespace diskless
