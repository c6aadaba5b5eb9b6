#include "init/shutdown_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.hpp"

namespace diskless {
namespace {

std::string asked(std::string_view typed) {
    std::vector<std::string> arguments;
    for (const auto word : words(typed)) arguments.emplace_back(word);
    const auto word = shutdown_word(arguments);
    return word ? *word : "error: " + word.error().cause;
}

TEST(ShutdownCommand, UnderstandsWhatPeopleType) {
    EXPECT_EQ(asked("shutdown now"), "poweroff");
    EXPECT_EQ(asked("shutdown -h now"), "poweroff");
    EXPECT_EQ(asked("shutdown -np now"), "poweroff");
    EXPECT_EQ(asked("shutdown -r now back at once"), "reboot");
    EXPECT_EQ(asked("shutdown -t 3 -rf +0"), "reboot");
    EXPECT_EQ(asked("shutdown -H now"), "halt");
    EXPECT_EQ(asked("shutdown --reboot now"), "reboot");
}

TEST(ShutdownCommand, DoesNothingElse) {
    EXPECT_EQ(asked("shutdown"), "error: when?");
    EXPECT_EQ(asked("shutdown -r"), "error: when?");
    EXPECT_EQ(asked("shutdown -t"), "error: when?");
    EXPECT_EQ(asked("shutdown +5"), "error: +5 is not now, and nobody here waits");
    EXPECT_EQ(asked("shutdown -c"), "error: no shutdown is waiting: each begins at once");
    EXPECT_EQ(asked("shutdown -k now"), "error: no option -k") << "-k only warns people";
}

}  // namespace
}  // namespace diskless
