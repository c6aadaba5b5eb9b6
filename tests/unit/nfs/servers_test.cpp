#include "common/nfs/servers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace diskless {
namespace {

const Ipv4 kA(10, 9, 0, 1), kB(10, 9, 0, 2), kC(10, 9, 0, 3);

TEST(NfsLocation, SplitsServersAndPath) {
    const std::pair<const char*, NfsLocation> cases[] = {
        {"10.9.0.1:/srv/root", {{kA}, "/srv/root"}},
        {"10.9.0.1,10.9.0.2,10.9.0.3:/srv", {{kA, kB, kC}, "/srv"}},
        {"10.9.0.1, 10.9.0.1:/srv", {{kA}, "/srv"}},
        {"/srv/root", {{}, "/srv/root"}},
        {"/srv/a:/b", {{}, "/srv/a:/b"}},
        {"10.9.0.1:/a:/b", {{kA}, "/a:/b"}},
    };
    for (const auto& [text, want] : cases) {
        const auto location = parse_nfs_location(text);
        ASSERT_TRUE(location) << text;
        EXPECT_EQ(*location, want) << text;
    }
}

TEST(NfsLocation, RefusesNamesAndRelativePaths) {
    for (const auto* bad : {"", "srv", "nas:/srv", "10.9.0.1:srv", "10.9.0.1,:/srv", ",:/srv", ":/srv",
                            "10.9.0.1,nas:/srv", "[::1]:/srv"})
        EXPECT_FALSE(parse_nfs_location(bad)) << bad;
    EXPECT_FALSE(parse_nfs_location("nas:/srv").error().remedy.empty());
    EXPECT_FALSE(parse_server_list(""));
}

TEST(RotateServers, SpreadsNodesAndIsStable) {
    std::map<Ipv4, int> first;
    for (unsigned i = 0; i < 300; ++i) {
        Mac mac{{0x52, 0x54, 0, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
        const auto order = rotate_servers({kA, kB, kC}, mac);
        EXPECT_EQ(order, rotate_servers({kA, kB, kC}, mac));
        EXPECT_TRUE(std::is_permutation(order.begin(), order.end(), std::vector{kA, kB, kC}.begin()));
        ++first[order.front()];
    }
    for (const auto server : {kA, kB, kC}) EXPECT_GT(first[server], 70) << server.text();
    EXPECT_TRUE(rotate_servers({}, {}).empty());
    EXPECT_EQ(rotate_servers({kA}, {}), std::vector{kA});
}

TEST(RotateServers, KeepsItsChoiceOverReleases) {
    // Nodes of different images must agree: this order is a promise.
    const auto mac = *Mac::parse("52:54:00:12:34:56");
    EXPECT_EQ(rotate_servers({kA, kB, kC}, mac).front(), kC);
}

TEST(NfsSource, IsWhatProcMountsShows) { EXPECT_EQ(nfs_source(kA, "/srv/root"), "10.9.0.1:/srv/root"); }

}  // namespace
}  // namespace diskless
