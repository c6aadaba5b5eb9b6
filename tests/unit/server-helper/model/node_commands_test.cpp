#include <gmock/gmock.h>

#include "server-helper/model/node_import.hpp"
#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

using testing::HasSubstr;
using testing::Not;

using NodeCommands = TreeTest;

TEST_F(NodeCommands, AddListShowSetRenameRemove) {
    ASSERT_EQ(run({"node", "add", "node[001-003]", "--ip", "10.8.136.254"}), kDone) << err;
    EXPECT_THAT(read("nodes.toml"), HasSubstr("[node.node003]\nip = \"10.8.137.0\"\n"));
    ASSERT_EQ(run({"node", "list", "--set"}), kDone);
    EXPECT_EQ(out, "node[001-003]\n");
    ASSERT_EQ(run({"node", "set", "node002", "mac=00-21-5E-40-64-5C", "console=ttyS0"}), kDone) << err;
    ASSERT_EQ(run({"node", "show", "node002"}), kDone);
    EXPECT_THAT(out, HasSubstr("00:21:5e:40:64:5c"));
    EXPECT_THAT(out, HasSubstr("console=ttyS0"));
    ASSERT_EQ(run({"node", "set", "node002", "console="}), kDone) << err;
    EXPECT_THAT(read("nodes.toml"), Not(HasSubstr("console")));
    ASSERT_EQ(run({"node", "rename", "node002", "login"}), kDone) << err;
    EXPECT_THAT(read("nodes.toml"), HasSubstr("[node.login]"));
    ASSERT_EQ(run({"node", "remove", "node[001,003]"}), kDone) << err;
    ASSERT_EQ(run({"node", "list", "--set"}), kDone);
    EXPECT_EQ(out, "login\n");
}

TEST_F(NodeCommands, EditsLeaveTheRestAsPeopleWroteIt) {
    const std::string text =
        "# our rack\n\n# the first\n[node.n1]\nip   = \"10.8.0.11\"  # by the door\nmounts = [\n  { source = \"/x\", "
        "at = "
        "\"/x\" },\n]\n\n[node.n1.variables]\na = \"b\"\n\n# the second\n[node.\"n2\"]\nip = \"10.8.0.12\"\n# end\n";
    write("nodes.toml", text);
    ASSERT_EQ(run({"node", "set", "n1", "ip=10.8.0.21", "console=tty1"}), kDone) << err;
    EXPECT_EQ(
        read("nodes.toml"),
        "# our rack\n\n# the first\n[node.n1]\nip = \"10.8.0.21\"  # by the door\nmounts = [\n  { source = \"/x\", at "
        "= \"/x\" },\n]\nconsole = \"tty1\"\n\n[node.n1.variables]\na = \"b\"\n\n# the second\n[node.\"n2\"]\nip = "
        "\"10.8.0.12\"\n# end\n");
    ASSERT_EQ(run({"node", "rename", "n1", "n9"}), kDone) << err;
    EXPECT_THAT(read("nodes.toml"), HasSubstr("[node.n9.variables]"));
    ASSERT_EQ(run({"node", "remove", "n9"}), kDone) << err;
    EXPECT_EQ(read("nodes.toml"), "# our rack\n\n# the second\n[node.\"n2\"]\nip = \"10.8.0.12\"\n# end\n");
}

TEST_F(NodeCommands, AddMayBeRepeated) {
    const std::vector<std::string> command{"node", "add", "n[1-3]", "--ip", "10.8.0.11", "console=tty1"};
    ASSERT_EQ(run(command), kDone) << err;
    const auto before = read("nodes.toml");
    ASSERT_EQ(run({"node", "remove", "n3"}), kDone) << err;
    ASSERT_EQ(run({"node", "set", "n2", "cmdline=quiet"}), kDone) << err;
    ASSERT_EQ(run(command), kDone) << err;
    EXPECT_THAT(read("nodes.toml"), HasSubstr("console = \"tty1\"\ncmdline = \"quiet\""));
    EXPECT_THAT(read("nodes.toml"), HasSubstr("[node.n3]\nip = \"10.8.0.13\""));
    ASSERT_EQ(run(command), kDone) << err;
    EXPECT_EQ(out, "nothing to change\n");
}

TEST_F(NodeCommands, WhatIsATableIsWrittenByHand) {
    write("nodes.toml", "[node.n1]\n");
    for (const char* word : {"variables=x", "mounts=/home"}) {
        EXPECT_EQ(run({"node", "set", "n1", word}), kBadUsage);
        EXPECT_THAT(err, HasSubstr("by hand"));
    }
}

TEST_F(NodeCommands, DoublesThatSomebodyWroteAreToldTogetherAndCorrectedOneByOne) {
    write("nodes.toml",
          "[node.n1]\nip = \"10.8.0.11\"\n[node.n2]\nip = \"10.8.0.11\"\n"
          "[node.n3]\nip = \"10.8.0.11\"\nmac = \"00:16:3e:00:00:01\"\n"
          "[node.n4]\nip = \"10.9.0.14\"\nmac = \"00:16:3e:00:00:01\"\n");
    write("nodes/b.toml", "[node.n4]\n");
    EXPECT_EQ(run({"boot", "apply"}), kFailed);
    EXPECT_THAT(err, AllOf(HasSubstr("nodes.toml:3: address 10.8.0.11 of node n2 is that of node n1"),
                           HasSubstr("and 4 more: diskless-server check"), HasSubstr("node set n2 ip=ADDRESS")));
    EXPECT_EQ(run({"check", "--json"}), kFailed);
    for (const char* what :
         {"node n2 has the address 10.8.0.11 of node n1", "node n3 has the address 10.8.0.11 of node n1",
          "node n4 has the MAC 00:16:3e:00:00:01 of node n3", "10.9.0.14 is outside",
          "node n4 is in the list twice, first at "})
        EXPECT_THAT(out, HasSubstr(what));
    EXPECT_EQ(run({"node", "list"}), kDone) << err;

    ASSERT_EQ(run({"node", "set", "n2", "ip=10.8.0.12"}), kDone) << err;
    EXPECT_THAT(err, AllOf(HasSubstr("warning: "), HasSubstr("of node n3 is that of node n1")));
    EXPECT_EQ(run({"node", "set", "n2", "ip=10.8.0.11"}), kFailed) << "not worse than before";
    EXPECT_EQ(run({"node", "set", "n2", "ip=10.9.0.12"}), kFailed);
    std::filesystem::remove(path("nodes/b.toml"));
    ASSERT_EQ(run({"node", "set", "n3", "ip=10.8.0.13", "mac="}), kDone) << err;
    ASSERT_EQ(run({"node", "set", "n4", "ip=10.8.0.14"}), kDone) << err;
    EXPECT_THAT(err, Not(HasSubstr("warning")));
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
}

TEST_F(NodeCommands, NothingIsWrittenThatCouldNotBeRead) {
    write("nodes.toml", "[node.n1]\nip = \"10.8.0.11\"\n[node.n2]\n");
    const auto before = read("nodes.toml");
    EXPECT_EQ(run({"node", "set", "n2", "ip=10.8.0.11"}), kFailed);
    EXPECT_THAT(err, HasSubstr("address 10.8.0.11"));
    EXPECT_THAT(err, HasSubstr("nodes.toml: [node.n2]: ")) << "the list as it would be has other lines";
    EXPECT_THAT(err, HasSubstr("nodes.toml: [node.n1])"));
    EXPECT_EQ(run({"node", "set", "n2", "groups=absent"}), kFailed);
    EXPECT_EQ(run({"node", "add", "n1", "--ip", "10.8.0.12"}), kFailed);
    EXPECT_THAT(err, HasSubstr("node n1 is there already, with other values"));
    EXPECT_EQ(run({"node", "set", "n2", "cmdline=a \"b"}), kFailed);
    EXPECT_THAT(err, HasSubstr("odd number of double quotes: a \"b"));
    EXPECT_EQ(run({"node", "set", "n2", "mac=ff:ff:ff:ff:ff:ff"}), kFailed);
    EXPECT_EQ(run({"node", "add", "a b"}), kFailed);
    EXPECT_EQ(run({"node", "add", "a_b"}), kBadUsage);
    EXPECT_EQ(run({"node", "add", "n[3-4]", "--mac", "00:16:3e:00:00:01"}), kBadUsage);
    EXPECT_EQ(run({"node", "set", "n2", "colour=red"}), kBadUsage);
    EXPECT_EQ(run({"node", "rename", "n1", "n2"}), kFailed);
    EXPECT_EQ(run({"node", "remove", "n7"}), kFailed);
    EXPECT_EQ(read("nodes.toml"), before);
}

TEST_F(NodeCommands, AListThatIsASymlinkIsEditedWhereItPoints) {
    write("elsewhere/list.toml", "[node.n1]\n");
    std::filesystem::permissions(path("elsewhere/list.toml"), std::filesystem::perms(0640));
    std::filesystem::create_symlink("elsewhere/list.toml", path("nodes.toml"));
    ASSERT_EQ(run({"node", "add", "n2"}), kDone) << err;
    EXPECT_TRUE(std::filesystem::is_symlink(path("nodes.toml")));
    EXPECT_THAT(read("elsewhere/list.toml"), HasSubstr("[node.n2]"));
    EXPECT_EQ(std::filesystem::status(path("elsewhere/list.toml")).permissions(), std::filesystem::perms(0640));
    std::filesystem::permissions(path("elsewhere/list.toml"), std::filesystem::perms(0666));
    ASSERT_EQ(run({"node", "remove", "n1"}), kDone) << err;
    EXPECT_EQ(std::filesystem::status(path("elsewhere/list.toml")).permissions(), std::filesystem::perms(0644))
        << "nobody else writes the list";
}

TEST_F(NodeCommands, EveryHeadingOfANodeIsItsOwn) {
    const std::string text =
        "[node.a]\nip = \"10.8.0.11\"\n[[node.a.mounts]]\nsource = \"/x\"\nat = \"/x\"\n\n"
        "[[node.a.mounts]]\nsource = \"/y\"\nat = \"/y\"\n\n# b\n[node.b]\nip = \"10.8.0.12\"\n\n"
        "# of a\n[ node . \"a\" . variables ]\nk = \"v\"\n\n# c\n[node.c]\n";
    write("nodes.toml", text);
    ASSERT_EQ(run({"node", "set", "a", "console=tty1"}), kDone) << err;
    EXPECT_THAT(read("nodes.toml"), HasSubstr("ip = \"10.8.0.11\"\nconsole = \"tty1\"\n[[node.a.mounts]]"));
    ASSERT_EQ(run({"node", "rename", "a", "z"}), kDone) << err;
    EXPECT_EQ(*load_cluster(base)->find_node("z")->settings.console, "tty1");
    EXPECT_EQ(load_cluster(base)->find_node("z")->settings.mounts.size(), 2u);
    EXPECT_EQ(load_cluster(base)->find_node("z")->settings.variables.size(), 1u);
    EXPECT_EQ(load_cluster(base)->find_node("a"), nullptr);
    ASSERT_EQ(run({"node", "remove", "z"}), kDone) << err;
    EXPECT_EQ(read("nodes.toml"), "# b\n[node.b]\nip = \"10.8.0.12\"\n\n# c\n[node.c]\n");

    write("nodes.toml", "[node.a]\n[node.b]\n[node.\"\\u0061\".variables]\nk = \"v\"\n");
    const auto before = read("nodes.toml");
    EXPECT_EQ(run({"node", "remove", "a"}), kFailed) << "a form that cannot be taken away whole";
    EXPECT_EQ(read("nodes.toml"), before);
}

TEST_F(NodeCommands, DryRunPrintsTheDiffOnly) {
    write("nodes.toml", "[node.n1]\nip = \"10.8.0.11\"\n");
    const auto before = read("nodes.toml");
    ASSERT_EQ(run({"node", "set", "n1", "ip=10.8.0.12", "--dry-run"}), kDone) << err;
    EXPECT_THAT(out, HasSubstr("@@ -1,2 +1,2 @@\n [node.n1]\n-ip = \"10.8.0.11\"\n+ip = \"10.8.0.12\"\n"));
    EXPECT_EQ(read("nodes.toml"), before);
    EXPECT_FALSE(exists(".lock"));
}

TEST_F(NodeCommands, RenamingKeepsTheSnapshot) {
    write("nodes.toml", "[node.n1]\n");
    write("snapshots/n1/etc/file", "x");
    ASSERT_EQ(run({"node", "rename", "n1", "n2"}), kDone) << err;
    EXPECT_EQ(resolve(*load_cluster(base), "n2")->snapshot_path, path("snapshots/n1"));
}

TEST_F(NodeCommands, RenamingKeepsTheRootOfTheNodesOwn) {
    write("cluster.toml", "[server]\naddress = \"10.8.0.1\"\n[defaults]\nimage = \"debian\"\nown-root = \"" +
                              path("roots/{node}") + "\"\n");
    write("nodes.toml", "[node.n1]\n[node.n2]\n");
    write("roots/n1/etc/hostname", "n1\n");
    write("overlays/n1/etc/motd", "x");
    ASSERT_EQ(run({"node", "rename", "n1", "n9"}), kDone) << err;
    EXPECT_EQ(resolve(*load_cluster(base), "n9")->root_path, path("roots/n1"));
    EXPECT_THAT(err, HasSubstr("overlays/n1"));
    ASSERT_EQ(run({"node", "rename", "n2", "n3"}), kDone) << err;
    EXPECT_EQ(resolve(*load_cluster(base), "n3")->root_path, path("roots/n3")) << "there is none to keep";
    EXPECT_THAT(err, Not(HasSubstr("overlays")));
}

TEST_F(NodeCommands, ImportsAndUpdates) {
    write("list",
          "10.8.136.1\tnode001\n10.8.136.2 node002 # two\n127.0.0.1 localhost\n::1 ip6-localhost\n10.9.0.1 far\n");
    ASSERT_EQ(run({"node", "import", path("list")}), kDone) << err;
    EXPECT_THAT(err, HasSubstr("line 5: far: 10.9.0.1 is not in the network"));
    const auto first = read("nodes.toml");
    ASSERT_EQ(run({"node", "import", path("list")}), kDone) << err;
    EXPECT_EQ(read("nodes.toml"), first) << "a second time changes nothing";
    write("leases",
          "1700000000 00:21:5e:40:64:5c 10.8.136.2 * 01:00\n1700000000 00:21:5e:40:64:5d 10.8.136.77 other *\n");
    ASSERT_EQ(run({"node", "import", path("leases")}), kDone) << err;
    EXPECT_THAT(err, HasSubstr("other: is not in the list"));
    const auto cluster = *load_cluster(base);
    EXPECT_EQ(cluster.nodes.size(), 2u);
    EXPECT_EQ(cluster.find_node("node002")->mac.text(), "00:21:5e:40:64:5c");
}

TEST_F(NodeCommands, ImportSaysWhatItDoesNotTake) {
    write("list", "name,ip,macaddr,mca\nn1,10.8.0.11,00:21:5e:40:64:5c,x\n");
    ASSERT_EQ(run({"node", "import", path("list")}), kDone) << err;
    EXPECT_THAT(err, HasSubstr("line 1: column \"mca\" is not known and not taken"));
    EXPECT_THAT(read("nodes.toml"), HasSubstr("mac = \"00:21:5e:40:64:5c\""));
    const auto before = read("nodes.toml");
    std::string far;
    for (int at = 1; at <= 13; ++at) far += "10.9.0." + std::to_string(at) + " far" + std::to_string(at) + "\n";
    for (const auto& text : {std::string("127.0.0.1 localhost\n"), std::string(),
                             std::string("\x7f"
                                         "ELF\0\0",
                                         6),
                             far}) {
        write("list", text);
        EXPECT_EQ(run({"node", "import", path("list")}), kFailed) << text;
        EXPECT_THAT(out, Not(HasSubstr("nothing to change")));
    }
    EXPECT_THAT(err, HasSubstr("far10: 10.9.0.10 is not in the network 10.8.0.0/16\nand 3 more\n"));
    EXPECT_THAT(err, Not(HasSubstr("far11")));
    EXPECT_THAT(err, HasSubstr("no line could be used"));
    EXPECT_EQ(run({"node", "import", path("absent")}), kFailed);
    EXPECT_THAT(err, HasSubstr("name a file that is there"));
    EXPECT_EQ(run({"node", "rename", "absent", "n2"}), kFailed);
    EXPECT_THAT(err, HasSubstr("node list"));
    EXPECT_EQ(read("nodes.toml"), before);
}

TEST(NodeImport, NothingIsLostUnsaid) {
    const auto spelled = *read_node_list("\xEF\xBB\xBFHost Name,IP-Address,hw_addr\nn1,10.8.0.1,00:21:5e:40:64:5c\n");
    EXPECT_EQ(spelled.nodes.at(0).mac.text(), "00:21:5e:40:64:5c");
    EXPECT_EQ(spelled.warnings, (std::vector<std::string>{}));
    EXPECT_EQ(read_node_list("name,ip\nn1,10.8.0.1,00:21:5e:40:64:5c\n")->warnings.size(), 1u) << "no column";
    EXPECT_EQ(read_node_list("n1,10.8.0.1,00:21:5e:40:64:5g\n")->warnings.size(), 1u) << "no address";
    EXPECT_EQ(read_node_list("n1 10.8.0.1 00:21:5e:40:64:5g\n")->skipped.size(), 1u);
    EXPECT_EQ(read_node_list("fe80::1%lo0 n1\n")->skipped.size(), 0u);
}

TEST(NodeImport, KnowsTheForms) {
    const Mac mac{{0, 0x21, 0x5e, 0x40, 0x64, 0x5c}};
    const ImportedNode wanted{"n1", Ipv4(10, 8, 0, 1), mac, {}, "", 0};
    for (const char* text :
         {"10.8.0.1 n1.cluster.example alias 00:21:5e:40:64:5c\n", "n1 00:21:5E:40:64:5C 10.8.0.1\r\n",
          "name,ip,mac\nn1,10.8.0.1,00-21-5e-40-64-5c\n", "\"n1\",\"10.8.0.1\",\"00215e40645c\"\n",
          "# leases\nlease 10.8.0.1 {\n  hardware ethernet 11:11:11:11:11:11;\n}\nlease 10.8.0.1 {\n"
          "  hardware ethernet 00:21:5e:40:64:5c;\n  client-hostname \"n1\";\n}\n",
          "1700000000 00:21:5e:40:64:5c 10.8.0.1 n1 *\nduid 00:01\n1 2 fe80::1 n2 3\n"}) {
        auto imported = read_node_list(text);
        ASSERT_TRUE(imported && imported->nodes.size() == 1) << text;
        imported->nodes[0].line = 0;
        EXPECT_EQ(imported->nodes[0], wanted) << text;
    }
    const auto csv = *read_node_list("host, groups ,image\nn1,a;b,debian\n\nn_2,,\n");
    EXPECT_EQ(csv.nodes[0].groups, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(csv.nodes[0].image, "debian");
    EXPECT_EQ(csv.skipped, (std::vector<std::string>{"line 4: a node cannot be named \"n_2\""}));
    EXPECT_FALSE(read_node_list("name,ip\nn1,10.8.0.999\n"));
    EXPECT_FALSE(read_node_list("ip,mac\n10.8.0.1,\n"));
    EXPECT_EQ(read_node_list("only-a-name\n")->skipped.size(), 1u);
}

}  // namespace
}  // namespace diskless::server
