#include "common/state/state_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/state/pattern.hpp"

namespace diskless {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// "kind path[/] line" of every entry.
std::vector<std::string> shown(const StateList& list) {
    std::vector<std::string> result;
    for (const auto& entry : list.entries)
        result.push_back(std::string(text(entry.kind)) + " " + entry.path + (entry.directory ? "/" : "") + " " +
                         std::to_string(entry.origin.line));
    return result;
}

TEST(PathList, TakesOnePathALine) {
    const auto list = parse_path_list(
        "# This file contains the list of files/directories to be stored in the \n"
        "\n"
        "/etc/mtab\r\n"
        "  /var/log/   # kept\n"
        "/etc/ssh/ssh_host_*",
        "files");
    EXPECT_THAT(shown(list),
                ElementsAre("persistent /etc/mtab 3", "persistent /var/log/ 4", "persistent /etc/ssh/ssh_host_* 5"));
    EXPECT_THAT(list.problems, IsEmpty());
    EXPECT_EQ(list.entries[1].origin.text(), "files:4");
}

TEST(PathList, SplitsSeveralPathsOnALineAsTheShellDid) {
    EXPECT_THAT(shown(parse_path_list("/a /b\t/c\n", "f")),
                ElementsAre("persistent /a 1", "persistent /b 1", "persistent /c 1"));
}

TEST(PathList, HashWithinANameIsNoComment) {
    EXPECT_THAT(shown(parse_path_list("/a#b\n", "f")), ElementsAre("persistent /a#b 1"));
}

TEST(PathList, RefusesWhatNobodyCanMeanAndSaysWhere) {
    struct Row {
        const char* path;
        const char* reason;
    };
    for (const auto& [path, reason] : std::initializer_list<Row>{{"etc/hosts", "not absolute"},
                                                                 {"/a/../b", "\"..\""},
                                                                 {"/..", "\"..\""},
                                                                 {"/", "the root itself"},
                                                                 {"//./", "the root itself"},
                                                                 {"/proc", "kernel"},
                                                                 {"/proc/sys/x", "kernel"},
                                                                 {"/sys", "kernel"},
                                                                 {"/dev/shm", "kernel"},
                                                                 {"../../etc", "not absolute"}}) {
        const auto list = parse_path_list("/fine\n" + std::string(path) + "\n", "files");
        EXPECT_THAT(shown(list), ElementsAre("persistent /fine 1")) << path;
        ASSERT_EQ(list.problems.size(), 1u) << path;
        EXPECT_EQ(list.problems[0].origin.text(), "files:2");
        EXPECT_THAT(list.problems[0].text, HasSubstr(reason));
        EXPECT_FALSE(list.problems[0].remedy.empty());
    }
    EXPECT_EQ(refused_path("/" + std::string(256, 'x')), "has a name longer than 255 bytes");
    EXPECT_EQ(refused_path("/device"), "");
    EXPECT_EQ(refused_path("/a..b/..."), "");
    EXPECT_NE(refused_path(std::string("/a\0b", 4)), "");
}

TEST(PathList, ProblemsAreSafeToPrint) {
    const auto list = parse_path_list("x\x1b[2J\n", "files");
    ASSERT_EQ(list.problems.size(), 1u);
    EXPECT_THAT(list.problems[0].text, HasSubstr("x\\x1b[2J"));
}

TEST(CleanPath, RemovesWhatMeansNothing) {
    EXPECT_EQ(clean_path("//a/./b//"), "/a/b");
    EXPECT_EQ(clean_path("/"), "/");
    EXPECT_EQ(clean_path("a/"), "a");
    EXPECT_EQ(clean_path(""), "");
    EXPECT_EQ(clean_path("/a/../b"), "/a/../b");
}

TEST(Rwtab, KnowsItsThreeTypes) {
    const auto list =
        parse_rwtab("dirs\t/var/cache/man\nempty   /tmp\nfiles /etc/adjtime\n# files /no\n", "/etc/rwtab");
    EXPECT_THAT(shown(list),
                ElementsAre("volatile tree /var/cache/man 1", "volatile empty /tmp 2", "volatile copy /etc/adjtime 3"));
    EXPECT_THAT(list.problems, IsEmpty());
}

TEST(Rwtab, NamesTheLineThatItDoesNotUnderstand) {
    const auto list = parse_rwtab("Files /etc/x\nempty\n", "/etc/rwtab");
    EXPECT_THAT(list.entries, IsEmpty());
    ASSERT_EQ(list.problems.size(), 2u);
    EXPECT_EQ(list.problems[0].text, "type \"Files\" is not known");
    EXPECT_EQ(list.problems[1].origin.text(), "/etc/rwtab:2");
}

TEST(Litefile, MapsEveryOption) {
    const auto list = parse_litefile(
        "#image,file,options,comments,disable\n"
        "\"ALL\",\"/etc/adjtime\",\"tmpfs\",,\n"
        "\"ALL\",\"/var/log/\",\"persistent\",,\n"
        "\"ALL\",\"/etc/a\",,,\n"
        "all,/etc/b,ro,,\n"
        "ALL,/etc/c,con,,\n"
        "ALL,/etc/d,link,,\n"
        "ALL,/etc/e,\"link,con\",,\n"
        "ALL,/etc/f,\"link,persistent\",,\n"
        "ALL,/etc/g,\"tmpfs, rw\",,\n"
        "ALL,/etc/h,tmpfs,\"say \"\"hi\"\", twice\",\n"
        "ALL,/etc/off,tmpfs,,1\n"
        "ALL,/etc/off,tmpfs,,yes\n",
        "litefile", {});
    EXPECT_THAT(shown(list),
                ElementsAre("volatile copy /etc/adjtime 2", "persistent /var/log/ 3", "volatile copy /etc/a 4",
                            "read-only /etc/b 5", "concatenated /etc/c 6", "link /etc/d 7", "concatenated /etc/e 8",
                            "persistent /etc/f 9", "volatile copy /etc/g 10", "volatile copy /etc/h 11"));
    EXPECT_THAT(list.problems, IsEmpty());
}

TEST(Litefile, TakesTheRowsOfItsImage) {
    const std::string text = "rhel9,/a,tmpfs,,\ncompute,/b,tmpfs,,\nother,/c,tmpfs,,\nALL,/d,tmpfs,,\n";
    EXPECT_THAT(shown(parse_litefile(text, "l", {"rhel9", "compute"})),
                ElementsAre("volatile copy /a 1", "volatile copy /b 2", "volatile copy /d 4"));
}

TEST(Litefile, SaysWhatIsWrongWithARow) {
    const auto list =
        parse_litefile("ALL\nALL,\"/a,tmpfs\nALL,/a,localdisk,,\nALL,a,tmpfs,,\nALL,/a,tmpfs;rm,,\n", "l", {});
    EXPECT_THAT(list.entries, IsEmpty());
    ASSERT_EQ(list.problems.size(), 5u);
    EXPECT_THAT(list.problems[0].text, HasSubstr("too few fields"));
    EXPECT_THAT(list.problems[1].text, HasSubstr("quote without end"));
    EXPECT_THAT(list.problems[2].remedy, HasSubstr("persistent"));
    EXPECT_THAT(list.problems[3].text, HasSubstr("not absolute"));
}

TEST(LitetreeTable, SortsByPriorityAndFillsInTheNode) {
    const auto tree = parse_litetree(
        "#priority,image,directory,mntopts,comments,disable\n"
        "20,ALL,/defaults,,,\n"
        "10,,\"10.9.0.1:/tree/$node\",\"soft\",,\n"
        "5,ALL,10.9.0.1:/off,,,yes\n"
        "x,ALL,/y,,,\n"
        "1,ALL,$nodetype.arch:/y,,,\n"
        "1,ALL,h:/a/../b,,,\n",
        "litetree", {}, "n1");
    ASSERT_EQ(tree.entries.size(), 2u);
    EXPECT_EQ(tree.entries[0].directory, "10.9.0.1:/tree/n1");
    EXPECT_EQ(tree.entries[0].options, "soft");
    EXPECT_EQ(tree.entries[1].directory, "/defaults");
    EXPECT_GE(tree.problems.size(), 2u);
}

TEST(Pattern, MatchesAsTheShellDoes) {
    struct Row {
        const char* pattern;
        const char* name;
        bool matches;
    };
    for (const auto& [pattern, name, matches] : std::initializer_list<Row>{{"*", "a", true},
                                                                           {"*", ".a", false},
                                                                           {".*", ".a", true},
                                                                           {"a*c", "abbc", true},
                                                                           {"a*c", "abbd", false},
                                                                           {"*a*b*", "xxaxxbxx", true},
                                                                           {"?", "", false},
                                                                           {"a?c", "abc", true},
                                                                           {"[a-c]x", "bx", true},
                                                                           {"[!a-c]x", "bx", false},
                                                                           {"[!a-c]x", "dx", true},
                                                                           {"[]]", "]", true},
                                                                           {"[a", "[a", true},
                                                                           {"[a", "a", false},
                                                                           {"\\*", "*", true},
                                                                           {"\\*", "a", false},
                                                                           {"a**", "a", true},
                                                                           {"", "", true},
                                                                           {"", "a", false}})
        EXPECT_EQ(matches_name(pattern, name), matches) << pattern << " ~ " << name;
    EXPECT_TRUE(matches_path("/etc/*/x", "/etc/a/x"));
    EXPECT_FALSE(matches_path("/etc/*", "/etc/a/x"));
}

TEST(Pattern, IsNotExponential) { EXPECT_FALSE(matches_name("*a*a*a*a*a*a*a*a*a*a*a*a*b", std::string(200, 'a'))); }

}  // namespace
}  // namespace diskless
