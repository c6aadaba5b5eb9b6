// diskless.watchdog= and diskless.root-loss=: what a typing error may do to a running node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "init/params.hpp"

namespace diskless {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

BootConfig parse(const std::string& line, const std::string& defaults = "") {
    return parse_boot_config({.command_line = line, .defaults = defaults, .built = 0});
}

TEST(GuardParameters, NothingIsWatchedUnlessTold) {
    EXPECT_EQ(parse("").watchdog, Milliseconds{0});
    EXPECT_EQ(parse("").root_loss, Milliseconds{0});
    EXPECT_THAT(describe(parse("")), ::testing::Not(HasSubstr("watchdog")));
}

TEST(GuardParameters, TimesAreAsEverywhere) {
    for (const char* value : {"60", "60s", "1m"}) {
        EXPECT_EQ(parse(std::string("diskless.watchdog=") + value).watchdog, Seconds{60}) << value;
        EXPECT_EQ(parse(std::string("diskless.root-loss=") + value).root_loss, Seconds{60}) << value;
    }
    EXPECT_EQ(parse("diskless.root_loss=300").root_loss, Seconds{300}) << "the kernel takes - and _ for the same";
    const auto both = describe(parse("diskless.watchdog=60 diskless.root-loss=300"));
    EXPECT_THAT(both, HasSubstr("resets the node after 60"));
    EXPECT_THAT(both, HasSubstr("reboot when the root is gone for 300"));
}

TEST(GuardParameters, OffIsOffWhateverTheImageSays) {
    EXPECT_EQ(parse("diskless.watchdog=off", "diskless.watchdog=60").watchdog, Milliseconds{0});
    EXPECT_EQ(parse("diskless.root-loss=never", "diskless.root-loss=60").root_loss, Milliseconds{0});
    EXPECT_EQ(parse("", "diskless.watchdog=60").watchdog, Seconds{60});
}

TEST(WakeOnLanParameter, IsLeftAsItIsUnlessTold) {
    EXPECT_EQ(parse("").wake_on_lan, WakeOnLan::keep);
    EXPECT_THAT(describe(parse("")), ::testing::Not(HasSubstr("wake")));
    EXPECT_EQ(parse("diskless.wol=on").wake_on_lan, WakeOnLan::on);
    EXPECT_EQ(parse("diskless.wol=off").wake_on_lan, WakeOnLan::off);
    EXPECT_EQ(parse("diskless.wol=keep", "diskless.wol=on").wake_on_lan, WakeOnLan::keep);
    EXPECT_THAT(describe(parse("diskless.wol=on")), HasSubstr("armed at poweroff"));
    EXPECT_THAT(describe(parse("diskless.wol=off")), HasSubstr("disarmed at poweroff"));
    for (const char* value : {"", "1", "ON", "magic"}) {
        const auto config = parse(std::string("diskless.wol=") + value);
        EXPECT_EQ(config.wake_on_lan, WakeOnLan::keep) << value;
        EXPECT_THAT(config.warnings, SizeIs(1)) << value;
    }
}

TEST(ModulesParameter, LeanUnlessTold) {
    EXPECT_TRUE(parse("").lean_modules);
    EXPECT_FALSE(parse("diskless.modules=whole").lean_modules);
    EXPECT_TRUE(parse("diskless.modules=lean", "diskless.modules=whole").lean_modules) << "stronger than the image's";
    EXPECT_THAT(describe(parse("diskless.modules=whole")), HasSubstr("loaded whole"));
    for (const char* value : {"", "signed", "LEAN"}) {
        const auto config = parse(std::string("diskless.modules=") + value);
        EXPECT_TRUE(config.lean_modules) << value;
        EXPECT_THAT(config.warnings, SizeIs(1)) << value;
    }
}

TEST(GuardParameters, WhatCannotBeMeantResetsNoNode) {
    for (const char* value : {"", "0", "1", "4", "-60", "soon", "never", "2d", "86401", "99999999999999999999"}) {
        const auto config = parse(std::string("diskless.watchdog=") + value);
        EXPECT_EQ(config.watchdog, Milliseconds{0}) << value;
        EXPECT_THAT(config.warnings, SizeIs(1)) << value;
    }
    for (const char* value : {"", "0", "9", "off", "soon", "100000"}) {
        const auto config = parse(std::string("diskless.root-loss=") + value);
        EXPECT_EQ(config.root_loss, Milliseconds{0}) << value;
        EXPECT_THAT(config.warnings, SizeIs(1)) << value;
    }
    EXPECT_THAT(parse("diskless.watchdog=5 diskless.root-loss=10").warnings, IsEmpty());
}

}  // namespace
}  // namespace diskless
