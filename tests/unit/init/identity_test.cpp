#include "init/identity/identity.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

const Ipv4 kAddress(10, 9, 0, 7);

TEST(ChooseName, TheStrongestUsableSourceWins) {
    struct Case {
        NameSources sources;
        const char *hostname, *domain, *source;
    };
    const Case cases[] = {
        {{.snapshot = "kept\n", .configuration = "told", .lease = "leased"}, "kept", "", "snapshot"},
        {{.configuration = "told.example.org", .lease = "leased"}, "told", "example.org", "command line"},
        {{.lease = "leased", .hosts = "listed", .snapshot_name = "node003"}, "leased", "", "dhcp"},
        {{.hosts = "listed", .snapshot_name = "node003"}, "listed", "", "hosts"},
        {{.snapshot_name = "node003"}, "node003", "", "snapshot name"},
        {{.snapshot = "localhost.localdomain\n", .lease = "leased"}, "leased", "", "dhcp"},
        {{.configuration = "bad name\nx", .lease = "10.9.0.7"}, "node-10-9-0-7", "", "address"},
        {{}, "node-10-9-0-7", "", "address"},
    };
    for (const auto& each : cases) {
        const auto name = choose_name(each.sources, kAddress);
        EXPECT_EQ(name.hostname, each.hostname);
        EXPECT_EQ(name.domain, each.domain);
        EXPECT_EQ(name.source, each.source);
    }
}

TEST(NameInHosts, IsTheFirstNameOfTheAddress) {
    EXPECT_EQ(name_in_hosts("# 10.9.0.7 no\n10.9.0.70 other\n10.9.0.7\tyes alias # 10.9.0.7\n", kAddress), "yes");
    EXPECT_EQ(name_in_hosts("10.9.0.7 # nameless\n", kAddress), "");
    EXPECT_EQ(name_in_hosts("", kAddress), "");
}

TEST(MakeHosts, KeepsWhatIsTrueAndDropsWhatIsNot) {
    const NodeName node{"node7", "example.org", "dhcp"};
    const std::string us = "10.9.0.7\tnode7.example.org node7\n";
    struct Case {
        const char* own;
        std::string made;
    };
    const Case cases[] = {
        {"", "127.0.0.1\tlocalhost\n" + us},
        {"127.0.0.1 localhost\n127.0.1.1 golden\n", us + "127.0.0.1 localhost\n127.0.1.1 golden\n"},
        {"127.0.0.1 localhost\n127.0.1.1 node7\n", us + "127.0.0.1 localhost\n"},
        {"127.0.0.1 localhost\n10.9.0.7 golden\n", us + "127.0.0.1 localhost\n"},
        {"127.0.0.1 localhost\n10.9.0.7 node7 n7\n", "127.0.0.1 localhost\n10.9.0.7 node7 n7\n"},
        {"::1 localhost ip6-localhost\n", "127.0.0.1\tlocalhost\n" + us + "::1 localhost ip6-localhost\n"},
        // The way old Red Hat installers wrote it: with the line, localhost would be gone too.
        {"127.0.0.1 node7 localhost\n", "127.0.0.1\tlocalhost\n" + us},
        {"127.0.0.1 other\n", "127.0.0.1\tlocalhost\n" + us + "127.0.0.1 other\n"},
    };
    for (const auto& each : cases) EXPECT_EQ(make_hosts(each.own, node, kAddress), each.made) << each.own;
    const auto once = make_hosts("127.0.0.1 golden\n", node, kAddress);
    EXPECT_EQ(make_hosts(once, node, kAddress), once) << "a second time changes nothing";
}

TEST(MakeResolvConf, WritesWhatTheResolverReads) {
    EXPECT_EQ(make_resolv_conf({}, ""), "");
    EXPECT_EQ(make_resolv_conf({}, "example.org\nnameserver 6.6.6.6"), "");
    EXPECT_EQ(make_resolv_conf({Ipv4(1, 1, 1, 1), Ipv4(2, 2, 2, 2), Ipv4(3, 3, 3, 3), Ipv4(4, 4, 4, 4)}, "example.org"),
              "search example.org\nnameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\n");
}

TEST(ChooseMachineId, IsAlwaysTheSameForTheSameMachine) {
    const auto mac = *Mac::parse("52:54:00:12:34:56");
    const std::string a(32, 'a'), b = "0123456789abcdef0123456789abcdef";
    const char* smbios = "4C4C4544-0044-3010-8052-B4C04F564231\n";
    EXPECT_EQ(choose_machine_id(a + "\n", "", smbios, mac).id, a);
    EXPECT_EQ(choose_machine_id(a + "\n", b, smbios, mac).id, b) << "systemd goes by its parameter as well";
    EXPECT_EQ(choose_machine_id("uninitialized\n", b, smbios, mac).source, "command line");
    EXPECT_EQ(choose_machine_id(std::string(32, '0'), "firmware", smbios, mac).id, "4c4c4544004430108052b4c04f564231");
    for (const char* placeholder : {"03000200-0400-0500-0006-000700080009", "00000000-0000-0000-0000-000000000000",
                                    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "Not Settable", ""}) {
        const auto made = choose_machine_id("", "", placeholder, mac);
        EXPECT_EQ(made.id, "6469736b6c6580008000525400123456") << placeholder;
        EXPECT_EQ(made.source, "mac");
    }
}

}  // namespace
}  // namespace diskless
