#include "server-helper/command.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/text.hpp"
#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

struct Answer {
    int code;
    std::string out, err;
};

Answer ask(const std::vector<std::string>& arguments) {
    std::ostringstream out, err;
    const int code = run(arguments, out, err);
    return {code, out.str(), err.str()};
}

std::vector<std::string> words_of(const Command& command) {
    std::vector<std::string> words;
    for (const auto word : split(command.name, ' ')) words.emplace_back(word);
    return words;
}

TEST(Usage, AGroupAloneListsItsCommands) {
    for (const auto& command : commands()) {
        const auto words = words_of(command);
        if (words.size() < 2) continue;
        const auto alone = ask({words[0]});
        EXPECT_EQ(alone.code, kBadUsage) << words[0];
        EXPECT_NE(alone.err.find(words[1]), std::string::npos) << alone.err;
        const auto help = ask({words[0], "--help"});
        EXPECT_EQ(help.code, kDone) << words[0];
        EXPECT_NE(help.out.find(command.name), std::string::npos) << help.out;
        EXPECT_EQ(help.out.find("  version "), std::string::npos) << help.out;
    }
    const auto unknown = ask({"node", "frob", "--json"});
    EXPECT_EQ(unknown.err,
              "diskless-server: there is no command \"node frob\"\n"
              "  diskless-server node add | import | list | show | set | rename | remove\n");
}

TEST(Usage, HelpNamesWhatMayBeGivenAndNothingElse) {
    for (const auto& command : commands()) {
        if (command.name.starts_with("pxe") || command.name == "help" || command.name == "version") continue;
        auto words = words_of(command);
        words.emplace_back("--help");
        const auto help = ask(words);
        EXPECT_EQ(help.code, kDone) << command.name;
        for (const char* internal : {"--words", "--node ", "--nodes", "--file"})
            EXPECT_EQ(help.out.find(internal), std::string::npos) << help.out;
        words.back() = "--frobnicate";
        const auto wrong = ask(words);
        EXPECT_EQ(wrong.code, kBadUsage) << command.name;
        EXPECT_NE(wrong.err.find("see: diskless-server " + std::string(command.name) + " --help"), std::string::npos)
            << wrong.err;
    }
}

TEST(Usage, WhatIsMissingIsNamed) {
    EXPECT_NE(ask({"node", "add"}).err.find("NODES is missing"), std::string::npos);
    EXPECT_NE(ask({"node", "set", "n1"}).err.find("KEY=VALUE is missing"), std::string::npos);
    EXPECT_NE(ask({"node", "rename", "n1"}).err.find("NEW is missing"), std::string::npos);
    EXPECT_NE(ask({"node", "rename", "n1", "n2", "n3"}).err.find("\"n3\" is one word too many"), std::string::npos);
    EXPECT_NE(ask({"init", "n1"}).err.find("there is one word too many"), std::string::npos);
    EXPECT_NE(ask({"image", "sync"}).err.find("NAME is missing"), std::string::npos);
    EXPECT_NE(ask({"image", "sync", "a", "b"}).err.find("\"b\" is one word too many"), std::string::npos);
}

TEST(Usage, NoWordIsIgnored) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{"version", "x"},
                                                  {"node", "import", "hosts", "x"},
                                                  {"image", "list", "x"},
                                                  {"check", "x"},
                                                  {"initramfs", "show", "file", "x"}}) {
        const auto answer = ask(words);
        EXPECT_EQ(answer.code, kBadUsage) << join(words, " ");
        EXPECT_NE(answer.err.find("one word too many"), std::string::npos) << answer.err;
    }
}

TEST(Usage, HelpIsOfAllOfAGroupOrOfOne) {
    EXPECT_EQ(ask({"help", "image", "add"}).out, ask({"image", "add", "--help"}).out);
    EXPECT_EQ(ask({"help", "image"}).out, ask({"image", "--help"}).out);
    EXPECT_EQ(ask({"help", "help"}).out, ask({"help"}).out);
    const auto unknown = ask({"help", "nosuch"});
    EXPECT_EQ(unknown.code, kBadUsage);
    EXPECT_NE(unknown.err.find("there is no command \"nosuch\""), std::string::npos) << unknown.err;
}

TEST(Usage, OptionsComeAfterTheCommand) {
    const auto answer = ask({"--base", "/srv/x", "node", "list"});
    EXPECT_EQ(answer.code, kBadUsage);
    EXPECT_NE(answer.err.find("--base stands before the command\n  options come after it"), std::string::npos)
        << answer.err;
}

class UsageOnATree : public TreeTest {};

TEST_F(UsageOnATree, KeepCountsFromZero) {
    EXPECT_EQ(run({"image", "gc", "--keep", "-1"}), kBadUsage);
    EXPECT_NE(err.find("--keep"), std::string::npos) << err;
    EXPECT_EQ(run({"image", "gc", "--keep", "0"}), kDone) << err;
    EXPECT_TRUE(exists("images/debian/20260101-000000"));
}

TEST_F(UsageOnATree, KernelsOfTheRootAreNamedOrTheirPlace) {
    EXPECT_EQ(ask({"initramfs", "build", "--root", base}).err,
              "diskless-server: --kernel is missing\n  there is no kernel in " + base +
                  "/lib/modules; name another --root\n");
    std::filesystem::create_directories(path("lib/modules/6.1.0-1"));
    EXPECT_EQ(ask({"initramfs", "build", "--root", base}).err,
              "diskless-server: --kernel is missing\n  in " + base + "/lib/modules: 6.1.0-1\n");
}

}  // namespace
}  // namespace diskless::server
