#include "init/supervisor/inittab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diskless {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The cluster of 2010 whose nodes ran by three lines.
constexpr std::string_view kSeed =
    "id:1:initdefault:\n"
    "boot::bootwait:/bin/Rcinit\n"
    "sshd:1:respawn:/bin/sshd -D\n";

constexpr std::string_view kDebian = R"(# /etc/inittab: init(8) configuration.
id:2:initdefault:
si::sysinit:/etc/init.d/rcS
~~:S:wait:/sbin/sulogin --force
l0:0:wait:/etc/init.d/rc 0
l2:2:wait:/etc/init.d/rc 2
l6:6:wait:/etc/init.d/rc 6
z6:6:respawn:/sbin/sulogin --force
ca:12345:ctrlaltdel:/sbin/shutdown -t1 -a -r now
pf::powerwait:/etc/init.d/powerfail start
1:2345:respawn:/sbin/getty --noclear 38400 tty1
+x:23:once:+/bin/true
)";

constexpr std::string_view kBusybox = R"(::sysinit:/etc/init.d/rcS
ttyS0::respawn:-/bin/sh
tty2::askfirst:/bin/sh
::wait:/bin/first
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/umount -a -r
::restart:/sbin/init
)";

const InittabEntry& entry(const Inittab& table, std::string_view process) {
    for (const auto& each : table.entries)
        if (each.process.starts_with(process)) return each;
    static const InittabEntry kNone;
    ADD_FAILURE() << "no " << process;
    return kNone;
}

TEST(Inittab, ThreeLinesOfAClusterOf2010) {
    const auto table = parse_inittab(kSeed);
    EXPECT_THAT(table.problems, IsEmpty());
    EXPECT_EQ(table.level, '1');
    EXPECT_FALSE(table.busybox);
    EXPECT_TRUE(table.names_us) << "Rcinit is what we have done already";
    ASSERT_THAT(table.entries, SizeIs(1));
    EXPECT_EQ(table.entries[0], (InittabEntry{.id = "sshd",
                                              .action = InittabAction::respawn,
                                              .levels = run_level_bit('1'),
                                              .process = "/bin/sshd -D",
                                              .terminal = {}}));
}

TEST(Inittab, DebiansOfSysvinit) {
    const auto table = parse_inittab(kDebian);
    EXPECT_THAT(table.problems, IsEmpty());
    EXPECT_EQ(table.level, '2');
    EXPECT_EQ(entry(table, "/sbin/sulogin").levels, run_level_bit('S'));
    EXPECT_EQ(entry(table, "/etc/init.d/powerfail").levels, 0x3FF) << "no run level means all";
    EXPECT_EQ(entry(table, "/sbin/getty").terminal, "") << "an id is a label only";
    EXPECT_FALSE(entry(table, "/bin/true").recorded);
    EXPECT_EQ(entry(table, "/etc/init.d/rc 0").levels, run_level_bit('0'));
}

TEST(Inittab, BusyboxNamesTerminals) {
    const auto table = parse_inittab(kBusybox);
    EXPECT_THAT(table.problems, IsEmpty());
    EXPECT_TRUE(table.busybox);
    const auto& shell = entry(table, "/bin/sh");
    EXPECT_EQ(shell.terminal, "ttyS0");
    EXPECT_TRUE(shell.login);
    EXPECT_EQ(table.entries[0].action, InittabAction::sysinit);
    EXPECT_EQ(table.entries[1].process, "/bin/first") << "all wait entries come before any respawn";
    EXPECT_EQ(shell.levels & (run_level_bit('0') | run_level_bit('6')), 0) << "the way down has its shutdown entries";
    EXPECT_EQ(parse_inittab("/dev/ttyS1::respawn:/bin/x\n").entries[0].terminal, "ttyS1");
}

TEST(Inittab, IdsAreUniqueAndStable) {
    const auto one = parse_inittab("::respawn:/bin/a\n::respawn:/bin/b\n");
    const auto other = parse_inittab("# moved\n\n::once:/bin/c\n::respawn:/bin/b\n::respawn:/bin/a\n");
    ASSERT_THAT(one.entries, SizeIs(2));
    EXPECT_NE(one.entries[0].id, one.entries[1].id);
    EXPECT_EQ(entry(one, "/bin/b").id, entry(other, "/bin/b").id);
    const auto twice = parse_inittab("x:3:respawn:/bin/a\nx:3:respawn:/bin/b\nid:3:initdefault:\n");
    ASSERT_THAT(twice.entries, SizeIs(2));
    EXPECT_NE(twice.entries[0].id, twice.entries[1].id);
    ASSERT_THAT(twice.problems, SizeIs(1));
    EXPECT_EQ(twice.problems[0].line, 2);
    EXPECT_THAT(parse_inittab("../x/y:3:once:/bin/a\n").entries[0].id, testing::Not(HasSubstr("/")));
}

TEST(Inittab, WhatCannotBeMeantIsLeftOutAndSaid) {
    const struct {
        const char* line;
        const char* what;
    } cases[] = {
        {"just words", "no entry"},
        {"a:b:c", "no entry"},
        {"x:3:respwan:/bin/x", "respwan"},
        {"x:3z:respawn:/bin/x", "run levels"},
        {"x:3:respawn:", "no process"},
        {"x:3:respawn:-", "no process"},
        {"id:6:initdefault:", "end the node"},
        {"id::initdefault:", "names no run level"},
        {"\x1b[2J:3:\x01:x", "\\x01"},
    };
    for (const auto& c : cases) {
        const auto table = parse_inittab(std::string("ok:3:once:/bin/ok\nok2:3:initdefault:\n") + c.line + "\n");
        EXPECT_THAT(table.entries, SizeIs(1)) << c.line;
        ASSERT_THAT(table.problems, SizeIs(1)) << c.line;
        EXPECT_EQ(table.problems[0].line, 3);
        EXPECT_THAT(table.problems[0].what, HasSubstr(c.what));
    }
}

TEST(Inittab, AnEndlessFileEnds) {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "i" + std::to_string(i) + ":3:once:/bin/x" + std::to_string(i) + "\nbad\n";
    const auto table = parse_inittab(text);
    EXPECT_LE(table.entries.size(), 256U);
    EXPECT_LE(table.problems.size(), 17U);
}

TEST(Inittab, WithoutInitdefaultTheLevelInUseIsTaken) {
    EXPECT_EQ(parse_inittab("a:24:respawn:/bin/a\n").level, '2');
    EXPECT_EQ(parse_inittab("a:S1:once:/bin/a\n").level, '1');
    EXPECT_EQ(parse_inittab("a:2345:once:/bin/a\n").level, '3');
    EXPECT_EQ(parse_inittab("").level, '3');
    EXPECT_EQ(parse_inittab("id:35:initdefault:\n").level, '5') << "sysvinit takes the highest";
}

TEST(Inittab, TheDefaultIsSound) {
    const auto table = parse_inittab(default_inittab());
    EXPECT_THAT(table.problems, IsEmpty());
    EXPECT_THAT(table.entries, SizeIs(2));
}

TEST(CommandOf, AShellOnlyWhereTheTextAsksForOne) {
    const auto command = [](std::string process, bool login = false) {
        return command_of({.id = "x", .process = std::move(process), .terminal = {}, .login = login});
    };
    EXPECT_EQ(command("/bin/sshd  -D").path, "/bin/sshd");
    EXPECT_THAT(command("/bin/sshd  -D").arguments, ElementsAre("/bin/sshd", "-D"));
    EXPECT_THAT(command("/bin/sh", true).arguments, ElementsAre("-sh"));
    EXPECT_THAT(command("echo hello").arguments, ElementsAre("sh", "-c", "exec echo hello")) << "PATH is the shell's";
    EXPECT_THAT(command("/bin/a >/dev/null 2>&1").arguments, ElementsAre("sh", "-c", "/bin/a >/dev/null 2>&1"));
    EXPECT_THAT(command("/bin/a $HOME").arguments, ElementsAre("sh", "-c", "exec /bin/a $HOME"));
    EXPECT_THAT(command("A=1 /bin/a; /bin/b").arguments, ElementsAre("sh", "-c", "A=1 /bin/a; /bin/b"));
    EXPECT_EQ(command("/bin/a $HOME").path, "/bin/sh");
}

TEST(Inittab, WhatTalksToSomebodyAtTheConsoleIsNotLogged) {
    const auto logged = [](const std::string& line) {
        const auto table = parse_inittab(line);
        return table.entries.size() == 1 && is_logged(table.entries[0]);
    };
    EXPECT_TRUE(logged("sshd:1:respawn:/bin/sshd -D\n"));
    EXPECT_FALSE(logged("1:2345:respawn:/sbin/getty 38400 tty1\n"));
    EXPECT_FALSE(logged("S0:1:respawn:/bin/sh -l\n"));
    EXPECT_FALSE(logged("S0:1:respawn:-/bin/sh\n"));
    for (const auto& entry : parse_inittab(default_inittab()).entries)
        EXPECT_FALSE(is_logged(entry)) << entry.process << " is the login when there is no inittab";
}

}  // namespace
}  // namespace diskless
