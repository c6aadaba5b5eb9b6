#include "common/base/pack.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(Pack, GivesBackWhatItGot) {
    const std::vector<std::vector<std::string>> cases{
        {}, {""}, {"", ""}, {"a", "12:b", std::string("\0\n:", 3)}, {std::string(100'000, 'x'), "y"}};
    for (const auto& strings : cases) {
        const auto again = unpack(pack(strings));
        ASSERT_TRUE(again);
        EXPECT_EQ(*again, strings);
    }
}

TEST(Unpack, RefusesWhatPackHasNotMade) {
    for (const char* bad :
         {"x", "1", ":", "2:a", "-1:a", "1:ab", "99999999999999999999:a", "18446744073709551615:a", " 1:a"})
        EXPECT_FALSE(unpack(bad)) << bad;
}

}  // namespace
}  // namespace diskless
