#include <fmt/core.h>
#include <gmock/gmock.h>

#include <set>

#include "common/os/files_linux.hpp"
#include "server-helper/check/exports_file.hpp"
#include "server-helper/check/exports_policy.hpp"
#include "server-helper/check/site_check.hpp"
#include "tests/fakes/temporary_directory.hpp"
#include "tests/unit/server-helper/render/site.hpp"

namespace diskless::server {
namespace {

using Rules = std::multiset<std::string>;

Rules rules(const Findings& findings) {
    Rules result;
    for (const auto& finding : findings) {
        result.insert(finding.rule);
        EXPECT_FALSE(finding.remedy.empty()) << finding.what;
        EXPECT_EQ(finding.what.find('\n'), std::string::npos) << finding.what;
    }
    return result;
}

TEST(ExportsFile, ReadsQuotesEscapesDefaultsAndContinuedLines) {
    Findings findings;
    const auto lines = parse_exports(
        "# comment\n"
        "\n"
        "\"/a b\"\t10.0.0.1(rw) \\\n"
        "    @rack(ro) # more\n"
        "/c\\040d -sync,rw 10.0.0.2 10.0.0.3(ro)\n"
        "/world\n",
        "exports", findings);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_TRUE(findings.empty());
    EXPECT_EQ(lines[0].path, "/a b");
    EXPECT_EQ(lines[0].line, 3);
    ASSERT_EQ(lines[0].clients.size(), 2u);
    EXPECT_EQ(lines[0].clients[1].who, "@rack");
    EXPECT_EQ(lines[1].path, "/c d");
    EXPECT_TRUE(lines[1].clients[0].writable());
    EXPECT_FALSE(lines[1].clients[1].writable()) << "the client's own word is stronger";
    EXPECT_EQ(lines[2].clients[0].who, "*");
}

TEST(ExportsFile, KindsOfClients) {
    EXPECT_EQ(kind_of_client("*"), ClientKind::everybody);
    EXPECT_EQ(kind_of_client("0.0.0.0/0"), ClientKind::everybody);
    EXPECT_EQ(kind_of_client("10.0.0.5"), ClientKind::host);
    EXPECT_EQ(kind_of_client("10.0.0.5/32"), ClientKind::host);
    EXPECT_EQ(kind_of_client("10.0.0.0/8"), ClientKind::network);
    EXPECT_EQ(kind_of_client("2001:db8::5/128"), ClientKind::host);
    EXPECT_EQ(kind_of_client("2001:db8::/32"), ClientKind::network);
    EXPECT_EQ(kind_of_client("192.168.1.*"), ClientKind::address_pattern);
    EXPECT_EQ(kind_of_client("node*.rack"), ClientKind::name_pattern);
    EXPECT_EQ(kind_of_client("@rack"), ClientKind::netgroup);
    EXPECT_EQ(kind_of_client("server.rack"), ClientKind::host);
}

TEST(ExportsPolicy, FlagsTheFilesOfTheField) {
    struct Case {
        const char* file;
        Rules wanted;
    };
    const Case cases[] = {
        {"kerrighed",
         {"exports-everybody", "exports-everybody", "exports-everybody", "exports-everybody", "exports-everybody",
          "shared-writable", "shared-writable", "shared-writable", "shared-writable"}},
        {"kerrighed-rw", {"exports-everybody", "shared-writable", "exports-async"}},
        // The blank leaves the pattern with the defaults and gives everybody the options.
        {"kerrighed-wildcard", {"exports-blank", "exports-wildcard", "root-squashed", "exports-everybody"}},
        {"kerrighed-blank", {"exports-blank", "root-squashed", "exports-everybody"}},
        {"rhel5-diskless", {"exports-everybody", "exports-everybody", "shared-writable"}},
    };
    for (const auto& one : cases) {
        const auto text = LinuxFiles().read(std::string(DISKLESS_FIXTURES) + "/server/exports/" + one.file);
        ASSERT_TRUE(text) << text.error().cause;
        EXPECT_EQ(rules(check_exports(*text, one.file)), one.wanted) << one.file;
    }
}

TEST(ExportsPolicy, FlagsSingleLines) {
    struct Case {
        const char* line;
        Rules wanted;
    };
    const Case cases[] = {
        {"/home 10.9.0.0/16(rw,sync,no_subtree_check)", {}},
        {"/srv/x 10.9.0.5(rw,sync,no_root_squash)", {}},
        {"/srv/x 10.9.0.5(rw,sync,no_root_squahs)", {"exports-option"}},
        {"/srv/x 10.9.0.5(rw,sync) 10.9.0.5(ro)", {"exports-double"}},
        {"/srv/x 10.9.0.5(rw,no_root_squash,insecure)", {"exports-insecure"}},
        {"/srv/x *.example.org(ro,no_root_squash)", {"exports-names"}},
        {"/srv/x @rack(rw,no_root_squash)", {"shared-writable"}},
        {"/srv/nfsroot 10.9.0.0/16(ro)", {"root-squashed"}},
        {"/srv/x 10.9.0.5(rw", {"exports-syntax"}},
        {"srv/x 10.9.0.5(rw)", {"exports-syntax"}},
        {"\"/srv/x 10.9.0.5(rw)", {"exports-syntax"}},
        {"\"/srv/x y\" 10.9.0.5(rw)", {}},
        {"/srv/x", {"exports-everybody"}},
        {"/srv/x 10.9.0.5(rw,fsid=0,sec=sys,anonuid=65534)", {}},
    };
    for (const auto& one : cases) EXPECT_EQ(rules(check_exports(one.line, "exports")), one.wanted) << one.line;
}

TEST(ExportsPolicy, WhatWeRenderHasNoFindings) {
    const auto site = test::site();
    const auto rendering = test::render(site, "exports");
    ASSERT_TRUE(rendering);
    const auto text = test::content(*rendering, "etc/exports");
    EXPECT_EQ(rules(check_exports(text, "exports")), Rules{});
    EXPECT_EQ(rules(check_exports_of({{"exports", text}}, *wanted_exports(site))), Rules{});
}

TEST(ExportsPolicy, TellsWhereAFileIsNotWhatTheClusterNeeds) {
    const auto site = test::site();
    const auto wanted = *wanted_exports(site);
    const std::string home = "/home 10.9.0.0/16(rw)\n", root = "/srv/diskless/images/debian/7 ",
                      snapshots = "/srv/diskless/snapshots/";
    const auto own = [&](const char* name, const char* rest) { return snapshots + name + " " + rest + "\n"; };
    const auto good_root = root + "10.9.0.0/16(ro,no_root_squash)\n";
    const auto good_snapshots = own("node001", "10.9.1.1(rw,no_root_squash)") +
                                own("node002", "10.9.1.2(rw,no_root_squash)") +
                                own("login", "10.9.0.20(rw,no_root_squash)");
    const auto judge = [&](const std::string& text) { return rules(check_exports_of({{"exports", text}}, wanted)); };
    EXPECT_EQ(judge(home + good_root + good_snapshots), Rules{});
    EXPECT_EQ(judge(home + good_snapshots), Rules{"export-missing"});
    EXPECT_EQ(judge(home + root + "10.9.0.0/16(rw,no_root_squash)\n" + good_snapshots), Rules{"root-writable"});
    EXPECT_EQ(judge(home + root + "10.9.0.0/16(ro)\n" + good_snapshots), Rules{"root-squashed"});
    EXPECT_EQ(judge(home + good_root + good_snapshots + "/srv 10.9.7.7(ro)\n"), Rules{"snapshot-open"});
    EXPECT_EQ(judge(home + good_root + good_snapshots + "/srv/diskless/snap 10.9.7.7(ro)\n"), Rules{});
    const auto others = own("node002", "10.9.1.2(rw,no_root_squash)") + own("login", "10.9.0.20(rw,no_root_squash)");
    EXPECT_EQ(judge(home + good_root + others + own("node001", "10.9.1.1(rw,no_root_squash) 10.9.1.2(ro)")),
              Rules{"snapshot-open"});
    EXPECT_EQ(judge(home + good_root + others + own("node001", "10.9.1.1(ro,no_root_squash)")),
              Rules{"export-read-only"});
}

TEST(ExportsPolicy, SeveralFilesAreJudgedAsOne) {
    const auto wanted = *wanted_exports(test::site());
    const ExportsText home{"/etc/exports", "/home 10.9.0.0/16(rw)\n/data 10.9.0.0/16(ro)\n"},
        rest{"/etc/exports.d/diskless.exports",
             "/srv/diskless/images/debian/7 10.9.0.0/16(ro,no_root_squash)\n"
             "/srv/diskless/snapshots/node001 10.9.1.1(rw,no_root_squash)\n"
             "/srv/diskless/snapshots/node002 10.9.1.2(rw,no_root_squash)\n"
             "/srv/diskless/snapshots/login 10.9.0.20(rw,no_root_squash)\n"},
        foreign{"/etc/exports.d/other.exports", "/data 10.9.0.0/16(ro)\n"},
        opens{"/etc/exports.d/other.exports", "/srv 10.9.7.7(ro)\n"};
    EXPECT_EQ(rules(check_exports_of({home, rest}, wanted)), Rules{});
    EXPECT_EQ(rules(check_exports_of({home}, wanted)).count("export-missing"), 4U);
    EXPECT_EQ(rules(check_exports_of({foreign}, wanted)), Rules{}) << "a file of something else lacks nothing";
    const auto found = check_exports_of({rest, opens, home}, wanted);
    ASSERT_EQ(rules(found), Rules{"snapshot-open"});
    EXPECT_THAT(found[0].what, testing::StartsWith("/etc/exports.d/other.exports:1: "));
}

TEST(SiteCheck, TellsWhatIsWrongWithNodes) {
    struct Case {
        const char* what;
        void (*spoil)(Site&);
        Rules wanted;
    };
    const Case cases[] = {
        {"as it is: the login node has no MAC", [](Site&) {}, {"no-mac"}},
        {"MAC", [](Site& site) { site.cluster.nodes[1].mac = site.cluster.nodes[0].mac; }, {"no-mac", "double-MAC"}},
        {"address",
         [](Site& site) { site.cluster.nodes[1].address = site.cluster.nodes[0].address; },
         {"no-mac", "double-address"}},
        {"name", [](Site& site) { site.cluster.nodes[1].name = "NODE001"; }, {"no-mac", "double-name"}},
        {"outside",
         [](Site& site) { site.cluster.nodes[1].address = Ipv4(10, 8, 0, 1); },
         {"no-mac", "outside-network"}},
        {"broadcast",
         [](Site& site) { site.cluster.nodes[1].address = Ipv4(10, 9, 255, 255); },
         {"no-mac", "no-host-address"}},
        {"server",
         [](Site& site) { site.cluster.nodes[1].address = site.cluster.server; },
         {"no-mac", "server-address"}},
        {"no address", [](Site& site) { site.cluster.nodes[1].address = {}; }, {"no-mac", "no-address"}},
        {"in the range",
         [](Site& site) {
             site.cluster.boot.range = DhcpRange{Ipv4(10, 9, 1, 2), Ipv4(10, 9, 1, 9)};
         },
         {"no-mac", "in-dhcp-range"}},
        {"range turned round",
         [](Site& site) {
             site.cluster.boot.range = DhcpRange{Ipv4(10, 9, 3, 9), Ipv4(10, 9, 3, 1)};
         },
         {"no-mac", "dhcp-range"}},
        {"snapshot", [](Site& site) { site.nodes[1].snapshot = "node001"; }, {"no-mac", "shared-snapshot"}},
        {"rw root",
         [](Site& site) { site.nodes[0].root_mode = site.nodes[1].root_mode = "rw"; },
         {"no-mac", "shared-root-rw"}},
    };
    for (const auto& one : cases) {
        auto site = test::site();
        one.spoil(site);
        EXPECT_EQ(rules(check_nodes(site)), one.wanted) << one.what;
    }
}

TEST(SiteCheck, ARackWithoutMacsIsOneFinding) {
    auto site = test::site();
    for (auto& node : site.cluster.nodes) node.mac = {};
    const auto findings = check_nodes(site);
    ASSERT_EQ(rules(findings), Rules{"no-mac"});
    EXPECT_THAT(findings[0].what, testing::HasSubstr(fmt::format("({} nodes)", site.cluster.nodes.size())));
    EXPECT_THAT(findings[0].what, testing::HasSubstr("node[001-"));
}

TEST(SiteCheck, TellsWhatTheTreeLacksOrHasLeft) {
    const TemporaryDirectory tree;
    const auto& base = tree.path;
    LinuxFiles files;
    auto site = test::site();
    site.cluster.base = base;
    for (auto& node : site.nodes) {
        node.root_path = base + "/images/debian/7";
        node.snapshot_path = base + "/snapshots/" + node.name;
    }
    auto found = rules(check_tree(site));
    for (const auto* optional : {"space", "inodes"}) found.erase(optional);  // as the machine has it
    EXPECT_EQ(found, (Rules{"root-missing", "kernel-missing", "initramfs-missing", "snapshot-missing"}))
        << "all snapshots in one";

    for (const char* directory : {"/images/debian/7", "/boot/tftp/debian", "/snapshots/node001", "/snapshots/node002",
                                  "/snapshots/login", "/snapshots/removed"})
        ASSERT_TRUE(files.make_directories(base + directory));
    for (const char* file : {"/boot/tftp/debian/vmlinuz", "/boot/tftp/debian/initrd.img"})
        ASSERT_TRUE(files.make_file(base + file));
    found = rules(check_tree(site));
    for (const auto* optional : {"space", "inodes"}) found.erase(optional);
    EXPECT_EQ(found, Rules{"snapshot-stale"});
}

}  // namespace
}  // namespace diskless::server
