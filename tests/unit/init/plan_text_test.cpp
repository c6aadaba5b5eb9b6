#include "init/plan_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_files.hpp"

namespace diskless {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PlanText, ShowsConfigurationStepsAndState) {
    FakeFiles files;
    files.tree({{"/image/etc/hostname", file("x")}});
    const auto text =
        plan_text({.command_line = "root=/dev/nfs nfsroot=10.9.0.1:/srv/root ip=dhcp", .root = "/image"}, files);
    ASSERT_TRUE(text);
    for (const char* part : {"Configuration", "10.9.0.1:/srv/root", "Steps", "mount-root", "State", "/etc/hostname"})
        EXPECT_THAT(*text, HasSubstr(part));
    EXPECT_THAT(*text, HasSubstr("made by this boot\n")) << "of what size nobody knows before";
    EXPECT_THAT(*text, Not(HasSubstr("generated       /etc/hostname generated")));
}

TEST(PlanText, ArgumentsOfInitAreNoPartOfASentence) {
    FakeFiles files;
    const auto text = plan_text({.command_line = "root=/dev/nfs nfsroot=10.9.0.1:/srv/root -- foo {bar}"}, files);
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, HasSubstr("/sbin/init or what the root has, with foo {bar}"));
}

TEST(PlanText, ASnapshotNameThatIsNoneIsNoCrash) {
    FakeFiles files;
    files.tree({{"/image", directory()}});
    for (const char* words : {"SNAPSHOT=a/b", "SNAPSHOT=..", "diskless.snapshot.name=.hidden", "SNAPSHOT="})
        EXPECT_TRUE(plan_text({.command_line = words, .root = "/image"}, files)) << words;
}

TEST(PlanText, SaysWhatItCannotUse) {
    FakeFiles files;
    EXPECT_FALSE(plan_text({.manifest = "{"}, files));
    const auto none = plan_text({.root = "/none"}, files);
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().cause, HasSubstr("/none"));
}

}  // namespace
}  // namespace diskless
