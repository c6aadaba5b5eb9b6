#include <gmock/gmock.h>

#include <utility>

#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

using testing::HasSubstr;
using testing::Not;

class InitCommand : public TreeTest {
  protected:
    InitCommand() { std::filesystem::remove(path("cluster.toml")); }
};

TEST_F(InitCommand, SaysWhatIsWrongWithAValue) {
    EXPECT_EQ(run({"init"}), kBadUsage);
    EXPECT_THAT(err, HasSubstr("--address is needed"));
    EXPECT_EQ(run({"init", "--address", "10.9.0.1"}), kBadUsage);
    EXPECT_THAT(err, HasSubstr("--network is needed"));
    for (const auto& [network, told] : {std::pair{"10.9.0.7/24", "\"10.9.0.7/24\" is no network: 10.9.0.0/24?"},
                                        {"10.9.0.0", "\"10.9.0.0\" does not say how long the prefix is: 10.9.0.0/24?"},
                                        {"10.9.0.0/33", "\"10.9.0.0/33\" is no network: prefixes are 1 to 32"},
                                        {"10.9.0.0/", "prefixes are 1 to 32"},
                                        {"net/24", "\"net/24\" is no network: it is written as 10.8.0.0/16"},
                                        {"", "\"\" is no network"}}) {
        EXPECT_EQ(run({"init", "--address", "10.9.0.1", "--network", network}), kBadUsage) << network;
        EXPECT_THAT(err, HasSubstr(told));
    }
    for (const char* address : {"foo", "127.0.0.1", "10.9.0.1/24"}) {
        EXPECT_EQ(run({"init", "--address", address, "--network", "10.9.0.0/24"}), kBadUsage) << address;
        EXPECT_THAT(err, HasSubstr(std::string("\"") + address + "\" is no address of a machine"));
    }
    EXPECT_FALSE(exists("cluster.toml"));
}

TEST_F(InitCommand, RefusesAPlaceThatNodesCouldNotName) {
    const auto good = base;
    for (const char* name : {"my tree", "a,b", "a'b", "a\"b", "a\\b", "a\nb"}) {
        base = good + "/" + name;
        EXPECT_EQ(run({"init", "--address", "10.9.0.1", "--network", "10.9.0.0/24"}), kBadUsage) << name;
        EXPECT_THAT(err, HasSubstr("--base cannot be"));
        EXPECT_FALSE(std::filesystem::exists(base));
    }
    base = good;
}

TEST_F(InitCommand, AFileIsNoPlaceForATree) {
    write("file", "somebody's");
    const auto good = std::exchange(base, path("file"));
    EXPECT_EQ(run({"init", "--address", "10.9.0.1", "--network", "10.9.0.0/24"}), kBadUsage);
    EXPECT_THAT(err, HasSubstr("file: it is no directory"));
    base = good;
    EXPECT_EQ(read("file"), "somebody's");
}

TEST_F(InitCommand, WarnsOfAServerThatNodesReachThroughARouterOnly) {
    ASSERT_EQ(run({"init", "--address", "10.8.0.1", "--network", "10.9.0.0/24"}), kDone) << err;
    EXPECT_THAT(err, HasSubstr("warning: --address 10.8.0.1 is not in 10.9.0.0/24"));
    ASSERT_EQ(run({"node", "list"}), kDone);
    EXPECT_THAT(
        err, HasSubstr("cluster.toml: the server's address 10.8.0.1 is not in the network 10.9.0.0/24, and no router"));
    write("cluster.toml", "[server]\naddress = \"10.8.0.1\"\nnetwork = \"10.9.0.0/24\"\nrouter = \"10.9.0.254\"\n");
    ASSERT_EQ(run({"node", "list"}), kDone);
    EXPECT_EQ(err, "");
    write("cluster.toml", "[server]\naddress = \"10.9.0.1\"\nnetwork = \"10.9.0.0/24\"\nrouter = \"10.8.0.254\"\n");
    ASSERT_EQ(run({"node", "list"}), kDone);
    EXPECT_THAT(err, HasSubstr("router 10.8.0.254 is not in the network 10.9.0.0/24"));
}

TEST_F(InitCommand, WarnsWhenATreeKeepsWhatItHas) {
    ASSERT_EQ(run({"init", "--address", "10.9.0.1", "--network", "10.9.0.0/24"}), kDone) << err;
    const auto before = read("cluster.toml");
    EXPECT_THAT(before, HasSubstr("address = \"10.9.0.1\"\nnetwork = \"10.9.0.0/24\"\n"));
    ASSERT_EQ(run({"init", "--address", "10.9.0.1", "--network", "10.9.0.0/24"}), kDone) << err;
    EXPECT_THAT(err, Not(HasSubstr("warning")));
    ASSERT_EQ(run({"init"}), kDone) << err;
    EXPECT_THAT(err, Not(HasSubstr("warning")));
    for (const std::vector<std::string>& other :
         std::vector<std::vector<std::string>>{{"--address", "10.9.0.2"}, {"--network", "10.9.0.0/25"}}) {
        ASSERT_EQ(run({"init", other[0], other[1]}), kDone) << err;
        EXPECT_THAT(err, HasSubstr("cluster.toml stays as it is, with address 10.9.0.1 and network 10.9.0.0/24"));
    }
    EXPECT_EQ(run({"init", "--address", "foo"}), kBadUsage);
    EXPECT_EQ(read("cluster.toml"), before);
}

}  // namespace
}  // namespace diskless::server
