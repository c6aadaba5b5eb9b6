// Boot files that do not follow the node list.
#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

class StaleTest : public TreeTest {
  protected:
    StaleTest() { write("nodes.toml", "[node.n1]\nip = \"10.8.0.5\"\nmac = \"52:54:00:00:00:01\"\n"); }
    bool finds(const std::string& rule) {
        run({"check"});
        return out.find("[" + rule + "]") != std::string::npos;
    }
};

TEST_F(StaleTest, NothingHasBeenApplied) {
    EXPECT_TRUE(finds("not-applied"));
    EXPECT_FALSE(finds("boot-files-stale"));
}

TEST_F(StaleTest, OnlyChangesThatMatter) {
    ASSERT_EQ(run({"boot", "apply", "--no-stage"}), 0) << err;
    EXPECT_FALSE(finds("not-applied"));
    EXPECT_FALSE(finds("boot-files-stale")) << out;
    write("nodes.toml", read("nodes.toml") + "# a remark\n");
    EXPECT_FALSE(finds("boot-files-stale")) << out;
    write("nodes.toml", read("nodes.toml") + "[node.n2]\nip = \"10.8.0.6\"\n");
    EXPECT_TRUE(finds("boot-files-stale")) << out;
    ASSERT_EQ(run({"boot", "apply", "--no-stage"}), 0) << err;
    EXPECT_FALSE(finds("boot-files-stale")) << out;
}

TEST_F(StaleTest, ANewGenerationAndAFileThatSomebodyEdited) {
    ASSERT_EQ(run({"boot", "apply", "--no-stage"}), 0) << err;
    generation("debian", "20260202-000000");
    EXPECT_TRUE(finds("boot-files-stale")) << "menus name the old root";
    ASSERT_EQ(run({"boot", "apply", "--no-stage"}), 0) << err;
    write("boot/etc/hosts", "edited\n");
    EXPECT_TRUE(finds("boot-files-stale")) << out;
    EXPECT_NE(out.find("boot/etc/hosts"), std::string::npos) << out;
}

}  // namespace
}  // namespace diskless::server
