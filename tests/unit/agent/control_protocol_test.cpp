#include "agent/control_protocol.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(ControlRequest, ComesBackAsItWas) {
    const ControlRequest requests[] = {{ControlVerb::ping},
                                       {ControlVerb::status},
                                       {ControlVerb::report},
                                       {ControlVerb::reboot, Milliseconds{45'000}, true},
                                       {ControlVerb::poweroff, Milliseconds{1000}, false},
                                       {ControlVerb::kexec, Milliseconds{0}, false, true},
                                       {ControlVerb::log},
                                       {ControlVerb::reload},
                                       {ControlVerb::halt}};
    for (const auto& request : requests) {
        const auto back = parse_control_request(to_line(request));
        ASSERT_TRUE(back) << to_line(request);
        EXPECT_TRUE(*back == request) << to_line(request);
    }
    EXPECT_TRUE(parse_control_request("  reboot \t now \r"));
}

TEST(ControlRequest, WhatChangesSomethingNeedsRoot) {
    for (const auto verb : {ControlVerb::ping, ControlVerb::status, ControlVerb::report, ControlVerb::log})
        EXPECT_FALSE(needs_root(verb)) << text(verb);
    for (const auto verb : {ControlVerb::reload, ControlVerb::reboot, ControlVerb::poweroff, ControlVerb::halt})
        EXPECT_TRUE(needs_root(verb)) << text(verb);
}

TEST(ControlRequest, RefusesWhatItCannotMean) {
    for (const char* line :
         {"", " ", "restart", "REBOOT", "status now", "status begun", "reboot later", "reboot timeout_ms=", "reboot timeout_ms=999",
          "reboot timeout_ms=600001", "reboot timeout_ms=-1", "reboot timeout_ms=99999999999999999999", "rebootx"})
        EXPECT_FALSE(parse_control_request(line)) << line;
    EXPECT_FALSE(parse_control_request("reboot " + std::string(600, ' ')));
    EXPECT_EQ(parse_control_request("\x1b[2J").error().cause, "no such request: \\x1b[2J");
}

TEST(ControlAnswer, CarriesContentOrError) {
    const auto good = parse_control_answer(ok_answer(R"({"a":1})"));
    ASSERT_TRUE(good);
    EXPECT_EQ(good->find("a")->integer, 1);
    const auto bad = parse_control_answer(error_answer({"no \"way\"\n", "try again", 1}));
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().cause, "no \"way\"\\x0a");
    EXPECT_EQ(bad.error().remedy, "try again");
    for (const char* text : {"", "[]", "{}", "{\"ok\":false}", "{\"ok\":1}"}) EXPECT_FALSE(parse_control_answer(text));
}

}  // namespace
}  // namespace diskless
