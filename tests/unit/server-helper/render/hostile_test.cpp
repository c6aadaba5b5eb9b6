// Values that try to become lines, commands and exports of their own.
#include <gtest/gtest.h>

#include "common/base/text.hpp"
#include "server-helper/render/nfs_exports.hpp"
#include "tests/unit/server-helper/render/site.hpp"

namespace diskless::server {
namespace {

TEST(Hostile, NoDialectLetsALineEndThrough) {
    struct Case {
        const char* what;
        void (*spoil)(Site&);
        std::vector<const char*> dialects;
    };
    const Case cases[] = {
        {"command line",
         [](Site& site) { site.nodes[0].command_line = "ro\nAPPEND evil"; },
         {"pxelinux", "grub", "ipxe", "http"}},
        {"kernel", [](Site& site) { site.nodes[0].kernel = "a\nb"; }, {"pxelinux", "grub", "ipxe", "http"}},
        {"kernel outside", [](Site& site) { site.nodes[0].kernel = "../../etc/shadow"; }, {"pxelinux", "grub", "ipxe"}},
        {"root path",
         [](Site& site) { site.nodes[0].root_path = "/a\";\nevil"; },
         {"dnsmasq", "isc", "kea", "bootptab", "ganesha"}},
        {"domain",
         [](Site& site) { site.cluster.domain = "a\nevil"; },
         {"dnsmasq", "dnsmasq-proxy", "isc", "kea", "bootptab", "hosts"}},
        {"interface", [](Site& site) { site.cluster.boot.interface = "eth0\nport=53"; }, {"dnsmasq", "dnsmasq-proxy"}},
        {"base", [](Site& site) { site.cluster.base = "/srv\nExecStartPre=/bin/evil"; }, {"dnsmasq", "systemd"}},
        {"url", [](Site& site) { site.cluster.boot.http_url = "http://a\nevil"; }, {"http", "dnsmasq", "isc", "kea"}},
        {"cluster name", [](Site& site) { site.cluster.name = "a\nb"; }, {"clustershell"}},
    };
    for (const auto& one : cases)
        for (const auto* dialect : one.dialects) {
            auto site = test::site();
            one.spoil(site);
            EXPECT_FALSE(test::render(site, dialect)) << one.what << " in " << dialect;
        }
}

TEST(Hostile, ATreeWhosePathEndsEarlyIsNotLoaded) {
    for (const char* base : {"/srv/my tree", "/srv/a,rw", "/srv/a\"b", "/srv/a'b"}) {
        const auto cluster = load_cluster(base);
        ASSERT_FALSE(cluster) << base;
        EXPECT_NE(cluster.error().cause.find("the tree cannot be"), std::string::npos) << base;
        EXPECT_FALSE(cluster.error().remedy.empty());
    }
}

TEST(Hostile, QuotesInARootPathStayInTheirString) {
    auto site = test::site();
    for (auto& node : site.nodes) node.root_path = "/srv/a\"; } evil, x\\";
    const auto dhcpd = test::render(site, "isc");
    ASSERT_TRUE(dhcpd);
    EXPECT_NE(test::content(*dhcpd, "etc/dhcpd.conf").find("\"10.9.0.1:/srv/a\\\"; } evil, x\\\\\";"),
              std::string::npos);
    const auto dnsmasq = test::render(site, "dnsmasq");
    ASSERT_TRUE(dnsmasq);
    EXPECT_NE(test::content(*dnsmasq, "etc/dnsmasq.conf").find("\"10.9.0.1:/srv/a\\\"; } evil, x\\\\\"\n"),
              std::string::npos);
    EXPECT_FALSE(test::render(site, "ganesha")) << "it knows no escapes";
    EXPECT_FALSE(test::render(site, "bootptab"));
}

TEST(Hostile, AnExportedPathIsOneWordInOneLine) {
    auto site = test::site();
    site.nodes[0].snapshot_path = "/srv/x *(rw)\n/ *(rw,no_root_squash)";
    const auto rendering = test::render(site, "exports");
    ASSERT_TRUE(rendering);
    const auto text = test::content(*rendering, "etc/exports");
    EXPECT_NE(text.find("/srv/x\\040\\052\\050rw\\051\\012/\\040"), std::string::npos);
    EXPECT_EQ(lines(text).size(), 6u);
}

TEST(Exports, RootsAreReadOnlyAndSnapshotsOfTheirNode) {
    auto site = test::site();
    const auto exports = wanted_exports(site);
    ASSERT_TRUE(exports);
    for (const auto& entry : *exports) {
        if (entry.path.starts_with("/srv/diskless/images")) {
            EXPECT_FALSE(entry.writable) << "three nodes share it";
        }
        if (entry.path.starts_with("/srv/diskless/snapshots")) {
            EXPECT_EQ(entry.clients.size(), 1u) << entry.path;
        }
    }
    site.nodes[2].root_mode = "rw";
    EXPECT_FALSE(wanted_exports(site)) << "three nodes share it";
    site.nodes[2].root_path = "/srv/diskless/images/login/1";
    const auto alone = wanted_exports(site);
    ASSERT_TRUE(alone);
    for (const auto& entry : *alone)
        if (entry.path == "/srv/diskless/images/login/1") {
            EXPECT_TRUE(entry.writable);
            EXPECT_EQ(entry.clients, std::vector<std::string>{"10.9.0.20"});
        }
}

TEST(Exports, ANodeWithoutAddressGetsNothingOfItsOwn) {
    auto site = test::site();
    site.nodes[0].address = {};
    const auto exports = wanted_exports(site);
    ASSERT_TRUE(exports);
    for (const auto& entry : *exports) EXPECT_NE(entry.path, site.nodes[0].snapshot_path);
}

TEST(Exports, AFileSystemWithoutIdentityGetsAStableNumber) {
    auto site = test::site();
    site.without_identity.insert("/srv/diskless/images/debian/7");
    const auto rendering = test::render(site, "exports");
    ASSERT_TRUE(rendering);
    EXPECT_NE(test::content(*rendering, "etc/exports").find(",fsid=" + path_uuid("/srv/diskless/images/debian/7")),
              std::string::npos);
    EXPECT_NE(path_uuid("/a"), path_uuid("/b"));
    EXPECT_EQ(path_uuid("/a").size(), 36u);
}

TEST(Exports, NoNetworkIsAnErrorAndNotTheWorld) {
    auto site = test::site();
    site.cluster.prefix = 0;
    EXPECT_FALSE(test::render(site, "exports"));
    EXPECT_FALSE(test::render(site, "ganesha"));
}

}  // namespace
}  // namespace diskless::server
