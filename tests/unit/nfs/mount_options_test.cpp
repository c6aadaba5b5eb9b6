#include "common/nfs/mount_options.hpp"

#include <gtest/gtest.h>

#include <set>

#include "common/base/text.hpp"

namespace diskless {
namespace {

NfsMountWish wish(const std::string& options = {}, NfsVersion version = NfsVersion::v4_2,
                  NfsUse use = NfsUse::own_files) {
    NfsMountWish wish;
    wish.use = use;
    wish.read_only = use == NfsUse::shared_root;
    wish.version = version;
    wish.options = options;
    wish.server = Ipv4(10, 9, 0, 1);
    wish.client = Ipv4(10, 9, 0, 10);
    return wish;
}

std::string first(const NfsMountWish& w) { return nfs_ladder(w).attempts.at(0).options; }

std::vector<NfsVersion> versions(const NfsMountWish& w) {
    std::vector<NfsVersion> result;
    for (const auto& attempt : nfs_ladder(w).attempts) result.push_back(attempt.version);
    return result;
}

bool holds(const std::string& options, std::string_view option) {
    const auto list = split(options, ',');
    return std::find(list.begin(), list.end(), option) != list.end();
}

TEST(MountOptions, Defaults) {
    EXPECT_EQ(first(wish()), "rw,vers=4.2,proto=tcp,hard,timeo=600,retrans=2,clientaddr=10.9.0.10,addr=10.9.0.1");
    EXPECT_EQ(first(wish("", NfsVersion::v3)),
              "rw,vers=3,proto=tcp,hard,timeo=600,retrans=2,nolock,mountaddr=10.9.0.1,mountproto=tcp,addr=10.9.0.1");
    EXPECT_EQ(first(wish("", NfsVersion::v3, NfsUse::shared_root)),
              "ro,vers=3,proto=tcp,hard,timeo=600,retrans=2,nolock,nocto,acregmin=60,acregmax=600,acdirmin=60,"
              "acdirmax=600,mountaddr=10.9.0.1,mountproto=tcp,addr=10.9.0.1");
}

TEST(MountOptions, KnownPortsSpareTheKernelAQuestion) {
    auto w = wish("", NfsVersion::v3);
    EXPECT_TRUE(wants_ports(nfs_ladder(w).attempts.at(0)));
    w.ports = {.mount = 20048, .nfs = 2049};
    const auto attempt = nfs_ladder(w).attempts.at(0);
    EXPECT_TRUE(holds(attempt.options, "mountport=20048")) << attempt.options;
    EXPECT_TRUE(holds(attempt.options, "port=2049")) << attempt.options;
    EXPECT_FALSE(wants_ports(attempt));

    for (const char* own : {"port=2050", "mountport=4002", "proto=udp", "proto=rdma", "mountproto=udp"}) {
        w.options = own;
        const auto options = nfs_ladder(w).attempts.at(0).options;
        EXPECT_TRUE(holds(options, own)) << options;
        EXPECT_FALSE(holds(options, "mountport=20048") || holds(options, "port=2049")) << options;
        EXPECT_FALSE(wants_ports(nfs_ladder(w).attempts.at(0))) << options;
    }
    w.options = "mountaddr=10.9.0.7";
    EXPECT_FALSE(holds(first(w), "mountport=20048")) << "of another server";
    w = wish("", NfsVersion::v4_2);
    w.ports = {.mount = 20048, .nfs = 2049};
    EXPECT_FALSE(holds(first(w), "port=2049"));
    EXPECT_FALSE(wants_ports(nfs_ladder(w).attempts.at(0)));
}

TEST(MountOptions, ARootThatIsWrittenIsNotCachedForLong) {
    auto w = wish("", NfsVersion::v4_2, NfsUse::shared_root);
    w.read_only = false;
    EXPECT_FALSE(holds(first(w), "nocto"));
    EXPECT_TRUE(holds(first(w), "rw"));
}

TEST(MountOptions, WithoutAClientAddressTheKernelFindsIt) {
    auto w = wish();
    w.client = {};
    EXPECT_EQ(first(w).find("clientaddr"), std::string::npos);
}

TEST(MountOptions, TheUserOverridesOneByOne) {
    struct Case {
        const char* user;
        NfsVersion version;
        std::vector<const char*> has, has_not;
    };
    const auto v3 = NfsVersion::v3, v4 = NfsVersion::v4_2;
    const Case cases[] = {
        {"soft", v4, {"soft", "timeo=600"}, {"hard"}},
        {"softerr,timeo=50", v4, {"softerr", "timeo=50"}, {"hard", "timeo=600"}},
        {"lock", v3, {"lock"}, {"nolock"}},
        {"local_lock=flock", v3, {"local_lock=flock"}, {"nolock"}},
        {"cto", v4, {"cto"}, {"nocto"}},
        {"actimeo=3", v4, {"actimeo=3", "nocto"}, {"acregmin=60", "acregmax=600", "acdirmin=60", "acdirmax=600"}},
        {"noac", v4, {"noac"}, {"acregmin=60", "acdirmax=600"}},
        {"noac,acregmin=5", v4, {"acregmin=5"}, {"noac", "acregmin=60"}},
        {"acregmax=90", v4, {"acregmax=90", "acregmin=60"}, {"acregmax=600"}},
        {"rsize=1048576,wsize=65536", v4, {"rsize=1048576", "wsize=65536"}, {}},
        {"udp", v3, {"udp", "mountproto=udp"}, {"proto=tcp", "mountproto=tcp"}},
        {"proto=udp,mountproto=tcp", v3, {"proto=udp", "mountproto=tcp"}, {"proto=tcp", "mountproto=udp"}},
        {"mountport=20048,port=2049", v3, {"mountport=20048", "port=2049"}, {}},
        {"mountport=20048,port=2049", v4, {"port=2049"}, {"mountport=20048"}},
        {"mountaddr=10.9.0.7", v3, {"mountaddr=10.9.0.7"}, {"mountaddr=10.9.0.1"}},
        {"clientaddr=10.9.0.7", v4, {"clientaddr=10.9.0.7"}, {"clientaddr=10.9.0.10"}},
        {"clientaddr=10.9.0.7", v3, {}, {"clientaddr=10.9.0.7"}},
        {"nolock", v4, {}, {"nolock"}},
        {"addr=6.6.6.6,ro,rw", v4, {"addr=10.9.0.1", "ro"}, {"addr=6.6.6.6", "rw"}},
        {"retry=5,bg,defaults,_netdev", v4, {}, {"retry=5", "bg", "defaults", "_netdev"}},
        {"rsize=1,rsize=2", v4, {"rsize=2"}, {"rsize=1"}},
        {" soft , , nconnect=4,", v4, {"soft", "nconnect=4"}, {"", "hard"}},
        {"noatime,relatime", v4, {"relatime"}, {"noatime"}},
    };
    for (const auto& c : cases) {
        const auto options = first(wish(c.user, c.version, NfsUse::shared_root));
        for (const auto* option : c.has) EXPECT_TRUE(holds(options, option)) << c.user << " -> " << options;
        for (const auto* option : c.has_not) EXPECT_FALSE(holds(options, option)) << c.user << " -> " << options;
    }
}

TEST(MountOptions, NothingIsSaidTwice) {
    const auto ladder =
        nfs_ladder(wish("hard,soft,timeo=7,timeo=8,rw,tcp,proto=tcp,nolock,lock,cto,nocto,actimeo=1,noac",
                        NfsVersion::automatic, NfsUse::shared_root));
    for (const auto& attempt : ladder.attempts) {
        std::set<std::string> names;
        for (const auto option : split(attempt.options, ','))
            EXPECT_TRUE(names.insert(std::string(option.substr(0, option.find('=')))).second) << attempt.options;
    }
}

TEST(Ladder, AutomaticFollowsTheOrderGiven) {
    auto w = wish("", NfsVersion::automatic);
    EXPECT_EQ(versions(w), default_nfs_order());
    w.order = {NfsVersion::v3, NfsVersion::automatic, NfsVersion::v4_1, NfsVersion::v3};
    EXPECT_EQ(versions(w), (std::vector{NfsVersion::v3, NfsVersion::v4_1}));
    w.order = {};
    EXPECT_EQ(versions(w), default_nfs_order());
    EXPECT_EQ(nfs_ladder(w).attempts[0].label, "NFS 3");
}

TEST(Ladder, AVersionAmongTheOptionsCounts) {
    const std::vector<NfsVersion> all_of_4{NfsVersion::v4_2, NfsVersion::v4_1, NfsVersion::v4_0};
    const std::pair<const char*, std::vector<NfsVersion>> cases[] = {
        {"vers=3", {NfsVersion::v3}},
        {"nfsvers=4.1,soft", {NfsVersion::v4_1}},
        {"v3", {NfsVersion::v3}},
        {"v4.0", {NfsVersion::v4_0}},
        {"vers=4", all_of_4},
        {"v4", all_of_4},
        {"vers=4,minorversion=1", {NfsVersion::v4_1}},
        {"vers=3,vers=4.2", {NfsVersion::v4_2}},
        {"vers=auto", default_nfs_order()},
    };
    for (const auto& [options, want] : cases)
        EXPECT_EQ(versions(wish(options, NfsVersion::automatic)), want) << options;
    EXPECT_EQ(versions(wish("vers=3", NfsVersion::v4_1)), std::vector{NfsVersion::v4_1})
        << "vers= of its own parameter";
    EXPECT_FALSE(holds(first(wish("nfsvers=3", NfsVersion::v4_1)), "nfsvers=3"));
}

TEST(Ladder, SaysWhatItCannotUse) {
    for (const auto* options : {"vers=2", "v2", "vers=5", "so\nft", "a b", "x=\"y\""}) {
        const auto ladder = nfs_ladder(wish(options, NfsVersion::automatic));
        EXPECT_EQ(ladder.attempts.size(), default_nfs_order().size()) << options;
        EXPECT_EQ(ladder.ignored.size(), 1U) << options;
        EXPECT_EQ(ladder.attempts[0].options.find('\n'), std::string::npos);
    }
}

TEST(NfsListener, IsWhatTheOptionsSay) {
    const struct {
        const char* options;
        std::uint16_t port;
        bool tcp;
    } cases[] = {
        {"", 0, true},
        {"ro,vers=4.2,proto=tcp,port=2050,addr=10.9.0.1", 2050, true},
        {"ro,vers=3,mountport=20048,mountproto=udp,proto=tcp", 0, true},
        {"port=2050,port=2051", 2051, true},
        {"port=many", 0, true},
        {"port=99999", 0, true},
        {"vers=3,proto=udp", 0, false},
        {"udp", 0, false},
        {"udp,tcp", 0, true},
        {"proto=rdma,port=20049", 20049, false},
        {"proto=tcp6", 0, true},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(nfs_listener(c.options).port, c.port) << c.options;
        EXPECT_EQ(nfs_listener(c.options).tcp, c.tcp) << c.options;
    }
}

}  // namespace
}  // namespace diskless
