#include "common/image/manifest.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

Manifest example() {
    Manifest m;
    m.kernel = "6.1.0-31-cloud-amd64";
    m.built = 1732012345;
    m.parameters = "ip=dhcp diskless.onfail=shell";
    m.builtin = {"af_packet", "unix"};
    m.groups = {{"nfs4", {"nfsv4"}}, {"packet", {"af_packet"}}, {"nothing", {}}};
    m.modules = {
        {"virtio_net", "/lib/modules/virtio_net.ko", {"net_failover"}, {"virtio:d00000001v*"}, "csum=1 gso=0", {}},
        {"net_failover", "/lib/modules/net_failover.ko", {"failover"}, {}, "", {}},
        {"failover", "/lib/modules/failover.ko", {}, {}, "", {4096, {}}},
        {"sunrpc", "/lib/modules/sunrpc.ko", {}, {"rpcauth_1"}, "", {700'000, {699'000, 699'064}, 2149}},
        {"nfs", "/lib/modules/nfs.ko", {"sunrpc"}, {"fs_nfs"}, "", {}},
        {"nfsv4", "/lib/modules/nfsv4.ko", {"nfs", "sunrpc"}, {"fs_nfs4"}, "", {}},
        {"e1000", "/lib/modules/e1000.ko", {}, {"pci:v00008086d0000100Esv*sd*bc*sc*i*"}, "", {}},
    };
    return m;
}

std::vector<std::string> names(const std::vector<const ModuleEntry*>& modules) {
    std::vector<std::string> found;
    for (const auto* module : modules) found.push_back(module->name);
    return found;
}

using Names = std::vector<std::string>;

TEST(Manifest, SurvivesTheWayThroughText) {
    const auto parsed = parse_manifest(to_text(example()));
    ASSERT_TRUE(parsed) << parsed.error().cause;
    EXPECT_EQ(*parsed, example());
}

TEST(Manifest, SkipsCommentsAndEmptyLines) {
    const auto parsed = parse_manifest("diskless-manifest 1\n\n# hand-made\r\nkernel 6.1\n  built 7 ");
    ASSERT_TRUE(parsed) << parsed.error().cause;
    EXPECT_EQ(parsed->kernel, "6.1");
    EXPECT_EQ(parsed->built, 7);
}

TEST(Manifest, BadInputNamesItsLine) {
    const struct {
        std::string text, says;
    } cases[] = {
        {"", "line 1"},
        {"diskless-manifest 2\n", "line 1: not a manifest"},
        {"diskless-manifest 1\nkernel\n", "line 2: a keyword without a value"},
        {"diskless-manifest 1\nbuilt yesterday\n", "line 2: not a time"},
        {"diskless-manifest 1\nbuilt -1\n", "line 2: not a time"},
        {"diskless-manifest 1\nbuilt 99999999999999999999\n", "line 2: not a time"},
        {"diskless-manifest 1\n\nneeds a\n", "line 3: belongs to a module"},
        {"diskless-manifest 1\nalias a*\n", "line 2: belongs to a module"},
        {"diskless-manifest 1\nmodule a\n", "line 2: a module has"},
        {"diskless-manifest 1\nmodule a b c\n", "line 2: a module has"},
        {"diskless-manifest 1\nmodule a lib/a.ko\n", "line 2: the path is not absolute"},
        {"diskless-manifest 1\nlean 1\n", "line 2: belongs to a module"},
        {"diskless-manifest 1\nmodule a /a\nlean 0\n", "line 3: not a size"},
        {"diskless-manifest 1\nmodule a /a\nlean 9 -1\n", "line 3: not a size"},
        {"diskless-manifest 1\nmodule a /a\nlean 9 8 x\n", "line 3: not a size"},
        {"diskless-manifest 1\nmodule a /a\ntracer 7\n", "line 3: a line with lean comes first"},
        {"diskless-manifest 1\nmodule a /a\nlean 9\ntracer 0\n", "line 4: not the index of a symbol"},
        {"diskless-manifest 1\nfirmware x\n", "line 2: unknown keyword"},
        {std::string("diskless-manifest 1\n\x1b[2J x\n"), "\\x1b"},
    };
    for (const auto& c : cases) {
        const auto parsed = parse_manifest(c.text);
        ASSERT_FALSE(parsed) << c.text;
        EXPECT_NE(parsed.error().cause.find(c.says), std::string::npos) << parsed.error().cause;
        EXPECT_FALSE(parsed.error().remedy.empty());
    }
}

TEST(Manifest, ModulesForDevices) {
    const auto m = example();
    EXPECT_EQ(names(modules_for(m, {"pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00",
                                    "virtio:d00000001v00001AF4", "virtio:d00000002v00001AF4", ""})),
              (Names{"virtio_net", "e1000"}));
    EXPECT_TRUE(modules_for(m, {"pci:v00008086d0000100F"}).empty());
    EXPECT_TRUE(modules_for(m, {}).empty());
}

TEST(Manifest, AliasesCompareDashesAsUnderscores) {
    Manifest m;
    m.modules = {{"a", "/a.ko", {}, {normalize_alias("fs-nfs[a-c]-*")}, ""}};
    EXPECT_EQ(m.modules[0].aliases[0], "fs_nfs[a-c]_*");
    EXPECT_EQ(modules_for(m, {"fs-nfsb-x"}).size(), 1u);
    EXPECT_EQ(modules_for(m, {"fs_nfsb_x"}).size(), 1u);
    EXPECT_TRUE(modules_for(m, {"fs-nfsd-x"}).empty());
}

TEST(Manifest, AnAliasThatStartsWithAWildcardIsFound) {
    Manifest m;
    m.modules = {{"a", "/a.ko", {}, {"*"}, ""}, {"b", "/b.ko", {}, {"[po]ci:*"}, ""}};
    EXPECT_EQ(names(modules_for(m, {"pci:x"})), (Names{"a", "b"}));
}

TEST(Manifest, LoadOrderHasNeedsFirst) {
    const auto m = example();
    EXPECT_EQ(names(load_order(m, {"virtio-net"})), (Names{"failover", "net_failover", "virtio_net"}));
    EXPECT_EQ(names(load_order(m, {"nfs4", "nfs", "failover"})), (Names{"sunrpc", "nfs", "nfsv4", "failover"}));
    EXPECT_TRUE(load_order(m, {"packet", "af_packet", "no_such"}).empty());
}

TEST(Manifest, LoadOrderCutsCycles) {
    Manifest m;
    m.modules = {{"a", "/a", {"b"}, {}, ""}, {"b", "/b", {"c"}, {}, ""}, {"c", "/c", {"a", "c"}, {}, ""}};
    EXPECT_EQ(names(load_order(m, {"a"})), (Names{"c", "b", "a"}));
}

TEST(Manifest, MissingModulesAreNamed) {
    EXPECT_EQ(missing_modules(example(), {"nfs4", "af-packet", "nfsv3", "sunrpc", "nothing"}), (Names{"nfsv3"}));
}

TEST(Glob, MatchesAsFnmatch) {
    const struct {
        const char* pattern;
        const char* text;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"**", "abc", true},
        {"a*c", "abbc", true},
        {"a*c", "abb", false},
        {"?", "", false},
        {"?b", "ab", true},
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"[!a-c]x", "dx", true},
        {"[^a]", "a", false},
        {"[]a]", "]", true},
        {"[a-]", "-", true},
        {"[a", "[a", true},
        {"[", "[", true},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"\\", "\\", true},
        {"*a*b", "xaxxb", true},
        {"bc0[0-9a-f]*", "bc0fq", true},
        {"d01[0-9]*", "d01a", false},
        {"*[0-9]", "abc7", true},
        {"a*", "b", false},
    };
    for (const auto& c : cases) EXPECT_EQ(glob_matches(c.pattern, c.text), c.matches) << c.pattern << " : " << c.text;
}

TEST(Glob, ManyStarsTakeNoExponentialTime) {
    std::string pattern;
    for (int i = 0; i < 200; ++i) pattern += "*a";
    EXPECT_FALSE(glob_matches(pattern + "b", std::string(2000, 'a')));
}

}  // namespace
}  // namespace diskless
