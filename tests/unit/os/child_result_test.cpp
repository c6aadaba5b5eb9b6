#include "common/os/child_result.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(ChildResult, SurvivesThePipe) {
    const std::string with_zero("a\0b", 3);
    for (const auto& value : {std::string(), std::string("x"), with_zero}) {
        const auto back = unpack_result(pack_result(value));
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, value);
    }
    const auto back = unpack_result(pack_result(fail("cause", "remedy", 116)));
    ASSERT_TRUE(back);
    ASSERT_FALSE(*back);
    EXPECT_EQ(back->error(), (Error{"cause", "remedy", 116}));
}

TEST(ChildResult, IsNothingUntilItIsWhole) {
    for (const auto& whole : {pack_result(std::string("value")), pack_result(fail("cause", "remedy", 1))})
        for (std::size_t length = 0; length < whole.size(); ++length)
            EXPECT_FALSE(unpack_result(std::string_view(whole).substr(0, length))) << length;
    EXPECT_FALSE(unpack_result(pack_result(std::string("value")) + "more"));
}

TEST(ChildResult, RubbishIsNoResult) {
    EXPECT_FALSE(unpack_result(std::string(8, '\0')));
    auto failure = pack_result(fail("cause", "", 1));
    failure[8 + 1 + 4] = '\x7f';  // a cause longer than what follows
    EXPECT_FALSE(unpack_result(failure));
}

}  // namespace
}  // namespace diskless
