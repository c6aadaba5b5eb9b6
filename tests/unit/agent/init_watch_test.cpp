#include "agent/init_watch.hpp"

#include <gtest/gtest.h>
#include <utmp.h>

namespace diskless {
namespace {

std::string status(const char* caught) {
    return std::string("Name:\tinit\nSigIgn:\t0000000000000006\nSigCgt:\t") + caught + "\n";
}

std::string utmp(char level) {
    struct utmp record {};
    record.ut_type = RUN_LVL;
    record.ut_pid = level;
    return {reinterpret_cast<const char*>(&record), sizeof record};
}

InitWatch::Look busybox(const char* caught) { return {.kind = InitKind::busybox, .status = status(caught)}; }

TEST(InitWatch, BusyboxTakesItsHandlersBack) {
    InitWatch watch;
    EXPECT_FALSE(watch.look(busybox("0000000000000000"))) << "it has just been executed";
    EXPECT_FALSE(watch.look(busybox("0000000000080000")));
    EXPECT_FALSE(watch.end());
    EXPECT_TRUE(watch.look(busybox("0000000000000000")));
    EXPECT_EQ(watch.end(), "end");
    EXPECT_FALSE(watch.look(busybox("0000000000000000"))) << "told once";
}

TEST(InitWatch, WhatCannotBeReadIsNoSign) {
    InitWatch watch;
    EXPECT_FALSE(watch.look(busybox("0000000000080000")));
    EXPECT_FALSE(watch.look({.kind = InitKind::busybox, .status = ""}));
    EXPECT_FALSE(watch.look({.kind = InitKind::busybox, .status = "SigCgt:\n"}));
    EXPECT_FALSE(watch.end());
}

TEST(InitWatch, HandlersOfAnotherInitAreItsOwnAffair) {
    InitWatch watch;
    EXPECT_FALSE(watch.look({.kind = InitKind::sysvinit, .status = status("0000000000080000")}));
    EXPECT_FALSE(watch.look({.kind = InitKind::sysvinit, .status = status("0000000000000000")}));
}

TEST(InitWatch, SysvinitsRunLevel) {
    InitWatch watch;
    EXPECT_FALSE(watch.look({.kind = InitKind::sysvinit, .utmp = utmp('2')}));
    EXPECT_TRUE(watch.look({.kind = InitKind::sysvinit, .utmp = utmp('2') + utmp('6')}));
    EXPECT_EQ(watch.end(), "reboot");
    InitWatch off;
    EXPECT_TRUE(off.look({.kind = InitKind::sysvinit, .utmp = utmp('0')}));
    EXPECT_EQ(off.end(), "poweroff");
}

TEST(InitWatch, TermToEverybody) {
    InitWatch watch;
    EXPECT_FALSE(watch.look({.kind = InitKind::busybox, .term_sender = "sh"})) << "somebody's kill";
    EXPECT_FALSE(watch.look({.kind = InitKind::systemd, .term_sender = ""})) << "that one calls our own shutdown";
    EXPECT_TRUE(watch.look({.kind = InitKind::busybox, .term_sender = ""}));
    EXPECT_EQ(watch.end(), "end");
}

}  // namespace
}  // namespace diskless
