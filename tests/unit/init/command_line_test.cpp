#include "init/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diskless {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> names_and_values(std::string_view text) {
    std::vector<std::string> result;
    for (const auto& word : read_command_line(text).words)
        result.push_back(word.value ? word.name + " -> " + *word.value : word.name);
    return result;
}

TEST(CommandLine, CutsAtEveryBlankOfTheKernel) {
    EXPECT_THAT(names_and_values(" a\tb=1\n\v c=\r\f d=x=y "), ElementsAre("a", "b -> 1", "c -> ", "d -> x=y"));
    EXPECT_THAT(names_and_values(" \n\t"), IsEmpty());
    EXPECT_THAT(names_and_values(std::string_view("a\0b", 3)), ElementsAre("a", "b"));
}

TEST(CommandLine, KeepsBlanksInDoubleQuotes) {
    EXPECT_THAT(names_and_values(R"(a="x y" "b=x y" "c d" e="open f)"),
                ElementsAre("a -> x y", "b -> x y", "c d", "e -> open f"));
}

TEST(CommandLine, RemovesSingleQuotesAroundAValue) {
    EXPECT_THAT(names_and_values("a='off' b=it's c=' d=''"), ElementsAre("a -> off", "b -> it's", "c -> '", "d -> "));
}

TEST(CommandLine, TakesALeadingEqualsSignForPartOfTheName) {
    EXPECT_THAT(names_and_values("=a ="), ElementsAre("=a", "="));
}

TEST(CommandLine, RemovesLineContinuations) {
    EXPECT_THAT(names_and_values("root=/dev/nfsroot\\\nip=dhcp \\ x"),
                ElementsAre("root -> /dev/nfsroot", "ip -> dhcp", "x"));
}

TEST(CommandLine, LeavesWordsAfterDashesToInit) {
    const auto line = read_command_line("a -- b c=1 -- \"d e\"");
    EXPECT_EQ(line.words.size(), 1U);
    EXPECT_THAT(line.after_dashes, ElementsAre("b", "c=1", "--", "d e"));
}

TEST(ParameterName, TakesDashForUnderscoreInLowerCaseNames) {
    EXPECT_TRUE(same_parameter_name("systemd.machine-id", "systemd.machine_id"));
    EXPECT_TRUE(same_parameter_name("ethdevice_timeout", "ethdevice-timeout"));
    EXPECT_FALSE(same_parameter_name("BOOT-IMAGE", "BOOT_IMAGE"));
    EXPECT_FALSE(same_parameter_name("snapshot", "SNAPSHOT"));
    EXPECT_FALSE(same_parameter_name("ro", "root"));
}

}  // namespace
}  // namespace diskless
