#include "common/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diskless {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Split, KeepsEmptyParts) {
    EXPECT_THAT(split("a::b", ':'), ElementsAre("a", "", "b"));
    EXPECT_THAT(split("", ':'), ElementsAre(""));
    EXPECT_THAT(split("a:", ':'), ElementsAre("a", ""));
}

TEST(Words, SkipsEveryBlank) {
    EXPECT_THAT(words("  quiet\t ro\n"), ElementsAre("quiet", "ro"));
    EXPECT_THAT(words(" \n"), IsEmpty());
}

TEST(Lines, TakesBothLineEndings) {
    EXPECT_THAT(lines("a\r\nb\n\nc"), ElementsAre("a", "b", "", "c"));
    EXPECT_THAT(lines(""), IsEmpty());
}

TEST(Printable, EscapesWhatATerminalWouldObey) {
    EXPECT_EQ(printable("node\x1b[2J"), "node\\x1b[2J");
    EXPECT_EQ(printable("n\xc3\xb6"
                        "de"),
              "n\xc3\xb6"
              "de");
    EXPECT_EQ(printable("\xff\xc0\x80"), "\\xff\\xc0\\x80");
    EXPECT_EQ(printable("\xc2\x9b"
                        "2J"),
              "\\xc2\\x9b"
              "2J")
        << "C1 control sequence introducer";
}

TEST(ParseNumber, TakesWholeTextsOnly) {
    EXPECT_EQ(parse_number<int>("42"), 42);
    EXPECT_EQ(parse_number<int>("42 "), std::nullopt);
    EXPECT_EQ(parse_number<unsigned char>("256"), std::nullopt);
    EXPECT_EQ(parse_number<int>(""), std::nullopt);
}

TEST(ParseMilliseconds, KnowsUnits) {
    EXPECT_EQ(parse_milliseconds("30"), 30'000);
    EXPECT_EQ(parse_milliseconds("500ms"), 500);
    EXPECT_EQ(parse_milliseconds("2m"), 120'000);
    EXPECT_EQ(parse_milliseconds("-1"), std::nullopt);
    EXPECT_EQ(parse_milliseconds("s"), std::nullopt);
}

}  // namespace
}  // namespace diskless
