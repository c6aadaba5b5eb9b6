#include "common/report/words.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(SecondsText, Rounds) {
    EXPECT_EQ(seconds_text(Milliseconds{1834}), "1.8 s");
    EXPECT_EQ(seconds_text(Milliseconds{1850}), "1.9 s");
    EXPECT_EQ(seconds_text(Milliseconds{1995}, 2), "2.00 s");
    EXPECT_EQ(seconds_text(Milliseconds{4}, 2), "0.00 s");
    EXPECT_EQ(seconds_text(Milliseconds{-1234}), "-1.2 s");
    EXPECT_EQ(seconds_text(Milliseconds{-4}, 2), "0.00 s");
    EXPECT_EQ(seconds_text(Nanoseconds::min()), "-9223372036.9 s");
}

TEST(SpanText, KeepsTheTwoBiggestUnits) {
    EXPECT_EQ(span_text(0), "0 s");
    EXPECT_EQ(span_text(61), "1 min 1 s");
    EXPECT_EQ(span_text(3600), "1 h");
    EXPECT_EQ(span_text(93'784), "1 d 2 h");
    EXPECT_EQ(span_text(-60), "-1 min");
    EXPECT_FALSE(span_text(INT64_MIN).empty());
}

TEST(BytesText, Scales) {
    EXPECT_EQ(bytes_text(0), "0 B");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1536), "1.5 KiB");
    EXPECT_EQ(bytes_text(UINT64_MAX), "15.9 EiB");
}

TEST(WallText, IsADate) {
    EXPECT_EQ(wall_text(0), "1970-01-01 00:00:00 UTC");
    EXPECT_EQ(wall_text(951'782'399), "2000-02-28 23:59:59 UTC");
    EXPECT_EQ(wall_text(951'782'400), "2000-02-29 00:00:00 UTC");
    EXPECT_EQ(wall_text(-1), "no date");
    EXPECT_EQ(wall_text(INT64_MAX), "no date");
}

}  // namespace
}  // namespace diskless
