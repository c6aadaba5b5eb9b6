#include "common/state/tree_view.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fakes/fake_files.hpp"

namespace diskless {
namespace {

std::ptrdiff_t count(const FakeFiles& files, std::string_view call, std::string_view path) {
    return std::ranges::count_if(files.calls, [&](const auto& each) { return each.name == call && each.path == path; });
}

struct Etc : FakeFiles {
    Etc() {
        for (const char* name : {"a", "b", "c", "d", "e"}) tree({{std::string("/sysroot/etc/") + name, file()}});
        calls.clear();
    }
};

TEST(TreeView, ADirectoryOfWhichMuchIsExpectedIsListedFirst) {
    Etc files;
    TreeView tree(files, "/sysroot");
    for (const char* name : {"a", "b", "x", "y", "z"}) tree.expect(std::string("/etc/") + name);
    EXPECT_NE(tree.status("/etc/a"), nullptr);
    EXPECT_EQ(tree.status("/etc/x"), nullptr);
    EXPECT_EQ(count(files, "list", "/sysroot/etc"), 1);
    EXPECT_EQ(count(files, "status", "/sysroot/etc/x"), 0) << "the listing has said that it is absent";
    EXPECT_EQ(count(files, "list", "/sysroot"), 0) << "of the top one name is expected";
}

TEST(TreeView, AFewNamesAreAskedForOneByOneAndOnce) {
    Etc files;
    TreeView tree(files, "/sysroot");
    for (int again = 0; again < 3; ++again)
        for (const char* name : {"a", "b", "x", "y"}) tree.expect(std::string("/etc/") + name);
    for (int again = 0; again < 2; ++again)
        for (const char* name : {"a", "b", "x", "y"})
            EXPECT_EQ(tree.status(std::string("/etc/") + name) != nullptr, *name < 'c');
    EXPECT_EQ(count(files, "list", "/sysroot/etc"), 0);
    EXPECT_EQ(count(files, "status", "/sysroot/etc/x"), 1);
    EXPECT_NE(tree.status("/etc/c"), nullptr);
    EXPECT_EQ(count(files, "list", "/sysroot/etc"), 1) << "the fifth";
}

TEST(TreeView, AnExpectedDirectoryThatIsAbsentIsNotListed) {
    Etc files;
    TreeView tree(files, "/sysroot");
    for (const char* name : {"a", "b", "c", "d", "e"}) tree.expect(std::string("/var/lib/") + name);
    EXPECT_EQ(tree.status("/var/lib/a"), nullptr);
    EXPECT_TRUE(tree.errors().empty());
    EXPECT_EQ(count(files, "list", "/sysroot/var/lib"), 0);
}

}  // namespace
}  // namespace diskless
