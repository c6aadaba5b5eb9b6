#include "common/os/init_request.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(InitRequest, IsReadAsItWasWritten) {
    const InitRequest level{.command = InitCommand::run_level, .level = '3', .sleep_time = Seconds{7}, .data = {}};
    EXPECT_EQ(parse_init_request(init_request_bytes(level)), level);
    const InitRequest setting{
        .command = InitCommand::set_environment, .level = '\0', .sleep_time = Seconds{5}, .data = "INIT_HALT=HALT"};
    EXPECT_EQ(parse_init_request(init_request_bytes(setting)), setting);
}

TEST(InitRequest, OthersAreNone) {
    const auto good = init_request_bytes({.command = InitCommand::run_level, .level = '6'});
    ASSERT_EQ(good.size(), 384U);
    EXPECT_FALSE(parse_init_request(""));
    EXPECT_FALSE(parse_init_request(good.substr(0, 383)));
    for (const std::size_t byte : {0U, 3U, 4U, 7U}) {  // magic, command
        auto bad = good;
        bad[byte] = '\x55';
        EXPECT_FALSE(parse_init_request(bad)) << byte;
    }
}

TEST(InitRequest, NumbersStayWithinReason) {
    auto bytes = init_request_bytes({.command = InitCommand::run_level, .level = '6'});
    for (std::size_t i = 12; i < 16; ++i) bytes[i] = '\x7f';
    EXPECT_EQ(parse_init_request(bytes)->sleep_time, Seconds{300});
    for (std::size_t i = 12; i < 16; ++i) bytes[i] = '\xff';
    EXPECT_EQ(parse_init_request(bytes)->sleep_time, Seconds{0});
    for (std::size_t i = 8; i < 12; ++i) bytes[i] = '\xff';
    EXPECT_EQ(parse_init_request(bytes)->level, '\0');
    for (std::size_t i = 16; i < 384; ++i) bytes[i] = 'x';
    EXPECT_EQ(parse_init_request(bytes)->data.size(), 368U) << "the text need not end";
}

}  // namespace
}  // namespace diskless
