#include "common/net/root_path.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

const Ipv4 kServer(10, 9, 0, 1);

TEST(RootPath, ReadsEverySpelling) {
    const std::pair<const char*, RootPath> cases[] = {
        {"/srv/root", {{}, "/srv/root", "", ""}},
        {"10.9.0.1:/srv/root", {kServer, "/srv/root", "", ""}},
        {"nfs:10.9.0.1:/srv/root", {kServer, "/srv/root", "", ""}},
        {"nfs4:10.9.0.1:/", {kServer, "/", "", "4"}},
        {"10.9.0.1:/srv/root,vers=3,nolock", {kServer, "/srv/root", "vers=3,nolock", ""}},
        {"10.9.0.1:/srv/root:vers=3", {kServer, "/srv/root", "vers=3", ""}},
        {"nfs:/srv/root", {{}, "/srv/root", "", ""}},
        {"nfs:ro,nolock:10.9.0.1:/srv/root", {kServer, "/srv/root", "ro,nolock", ""}},
        {"nfs:nolock:10.9.0.1:/srv/root,hard", {kServer, "/srv/root", "nolock,hard", ""}},
        {"/srv/%s,", {{}, "/srv/%s", "", ""}},
        {" 10.9.0.1:/srv/root ", {kServer, "/srv/root", "", ""}},
    };
    for (const auto& [text, want] : cases) {
        const auto root = parse_root_path(text);
        ASSERT_TRUE(root) << text << ": " << root.error().cause;
        EXPECT_EQ(*root, want) << text;
    }
}

TEST(RootPath, RefusesWhatNobodyCanMount) {
    for (const auto* bad : {"", "root", "server:/srv/root", "10.9.0.1:srv", "10.9.0.1/srv", "iscsi:10.9.0.1::::iqn",
                            "nfs:", "nfs://10.9.0.1/srv", "[fe80::1]:/srv", "nbd:10.9.0.1:3/x", "1.2.3.4.5:/x"})
        EXPECT_FALSE(parse_root_path(bad)) << bad;
    EXPECT_EQ(parse_root_path("\x1b[2J").error().cause.find('\x1b'), std::string::npos);
}

TEST(PathTemplate, TakesTheNameElseTheAddress) {
    const Ipv4 address(10, 9, 0, 10);
    EXPECT_EQ(expand_path_template("/srv/%s", "n0010", address), "/srv/n0010");
    EXPECT_EQ(expand_path_template("/srv/%s/%s", "n0010", address), "/srv/n0010/%s") << "the first only";
    EXPECT_EQ(expand_path_template("/srv/%s", "", address), "/srv/10.9.0.10");
    EXPECT_EQ(expand_path_template("/srv/root", "n0010", address), "/srv/root");
    EXPECT_EQ(expand_path_template("/srv/%d%", "n0010", address), "/srv/%d%");
    for (const auto* bad : {"..", ".", "a/b", "/"})
        EXPECT_EQ(expand_path_template("/srv/%s", bad, address), "/srv/10.9.0.10") << bad;
}

}  // namespace
}  // namespace diskless
