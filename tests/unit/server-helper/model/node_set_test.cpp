#include "server-helper/model/node_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diskless::server {
namespace {

using Names = std::vector<std::string>;

Result<Names> groups(std::string_view name) {
    if (name == "compute") return Names{"n1", "n2", "n3"};
    return fail("no such group");
}

TEST(NodeSet, Expands) {
    const std::pair<const char*, Names> cases[] = {
        {"n1", {"n1"}},
        {"node[001-003]", {"node001", "node002", "node003"}},
        {"node[8-11]", {"node8", "node9", "node10", "node11"}},
        {"node[098-101]", {"node098", "node099", "node100", "node101"}},
        {"n[1-2,5],x", {"n1", "n2", "n5", "x"}},
        {"n[0-8/4]", {"n0", "n4", "n8"}},
        {"r[1-2]n[1-2]-ib", {"r1n1-ib", "r1n2-ib", "r2n1-ib", "r2n2-ib"}},
        {"n[1-3]!n2", {"n1", "n3"}},
        {"n[1-3]&n[2-9]", {"n2", "n3"}},
        {"n[1-3],n[2-4]", {"n1", "n2", "n3", "n4"}},
        {"@compute!n1,n9", {"n2", "n3", "n9"}},
        {" n1 , n2 ", {"n1", "n2"}},
    };
    for (const auto& [text, names] : cases) EXPECT_EQ(expand_node_set(text, groups), names) << text;
}

TEST(NodeSet, RefusesWhatIsNone) {
    for (const char* text :
         {"", " ", "n[", "n]", "n[]", "n[1-]", "n[3-1]", "n[1-2/0]", "n[a-b]", "n1,,n2", "n1,", "!", "a b", "@none",
          "n[0-99999999]", "n[0-9999]x[0-9999]", "n[1-99999999999999999999]", "n[[1]]"})
        EXPECT_FALSE(expand_node_set(text, groups)) << text;
    EXPECT_FALSE(expand_node_set("@compute")) << "there are no groups";
}

TEST(NodeSet, FoldsToWhatExpandsAgain) {
    const std::pair<Names, const char*> cases[] = {
        {{}, ""},
        {{"login"}, "login"},
        {{"n7"}, "n7"},
        {{"n1", "n2", "n3", "n5"}, "n[1-3,5]"},
        {{"n09", "n10", "n11"}, "n[09-11]"},
        {{"n3", "x", "n1"}, "n[1,3],x"},
        {{"n1-ib", "n2-ib"}, "n[1-2]-ib"},
    };
    for (const auto& [names, text] : cases) {
        EXPECT_EQ(fold_node_set(names), text);
        if (!names.empty()) {
            EXPECT_THAT(*expand_node_set(text), testing::UnorderedElementsAreArray(names));
        }
    }
    // Different widths never become one name.
    const Names mixed{"n1", "n01", "n001", "n10", "n100"};
    EXPECT_THAT(*expand_node_set(fold_node_set(mixed)), testing::UnorderedElementsAreArray(mixed));
}

}  // namespace
}  // namespace diskless::server
