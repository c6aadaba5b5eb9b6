#include "server-helper/model/cluster.hpp"

#include <gmock/gmock.h>

#include <chrono>

#include "tests/unit/server-helper/model/tree_fixture.hpp"

namespace diskless::server {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ClusterTest : public TreeTest {
  protected:
    std::string error() {
        const auto cluster = load_cluster(base);
        return cluster ? "" : cluster.error().cause;
    }
};

TEST_F(ClusterTest, ReadsEverything) {
    write("cluster.toml", R"(
name = "rack"
[server]
address = "10.8.0.1"
network = "10.8.0.0/16"
router = "10.8.0.254"
dns = ["10.8.0.2", "10.8.0.3"]
ntp = "10.8.0.4"
domain = "cluster.example"
[boot]
loaders = ["grub", "ipxe"]
dhcp = ["kea"]
nfs = ["ganesha"]
range = "10.8.200.1-10.8.200.9"
lease-seconds = 600
http = "http://10.8.0.1"
[defaults]
image = "debian"
)");
    const auto cluster = *load_cluster(base + "/");
    EXPECT_EQ(cluster.base, base);
    EXPECT_EQ(cluster.name, "rack");
    EXPECT_EQ(cluster.prefix, 16);
    EXPECT_EQ(cluster.dns.size(), 2u);
    EXPECT_EQ(cluster.ntp, (std::vector{Ipv4(10, 8, 0, 4)}));
    EXPECT_EQ(cluster.boot.range, (DhcpRange{Ipv4(10, 8, 200, 1), Ipv4(10, 8, 200, 9)}));
    EXPECT_EQ(cluster.boot.lease_seconds, 600u);
    ASSERT_NE(cluster.find_image("debian"), nullptr);
    EXPECT_EQ(cluster.find_image("debian")->current, "20260101-000000");
    EXPECT_TRUE(cluster.warnings.empty());
}

TEST_F(ClusterTest, InheritsFromDefaultsGroupsAndNode) {
    generation("suse", "1");
    write("cluster.toml", R"(
[server]
address = "10.8.0.1"
[defaults]
image = "debian"
cmdline = "quiet"
console = "tty0"
mounts = [{ source = "/home", at = "/home" }]
[group.base]
nis-domain = "nis"
cmdline = ["a=1"]
variables = { role = "base", rack = "1" }
[group.compute]
groups = ["base"]
console = "ttyS0,115200n8"
root-mode = "rw"
mounts = [{ source = "10.8.0.9:/home2", at = "/home", options = "ro" }]
variables = { role = "compute" }
)");
    write("nodes.toml", R"(
[node.n2]
ip = "10.8.0.12"
mac = "00-21-5E-40-64-5C"
groups = ["compute"]
cmdline = "b=2"
[node.n1]
image = "suse"
)");
    const auto cluster = *load_cluster(base);
    ASSERT_EQ(cluster.nodes.size(), 2u);
    EXPECT_EQ(cluster.nodes[0].name, "n2") << "in the order of the file";
    const auto node = *resolve(cluster, "n2");
    EXPECT_THAT(node.groups, ElementsAre("base", "compute"));
    EXPECT_EQ(node.mac.text(), "00:21:5e:40:64:5c");
    EXPECT_EQ(node.console, "ttyS0,115200n8");
    EXPECT_EQ(node.nis_domain, "nis");
    EXPECT_EQ(node.mounts, (std::vector{ExtraMount{"10.8.0.9:/home2", "/home", "ro"}}));
    EXPECT_EQ(node.variables, (std::map<std::string, std::string>{{"rack", "1"}, {"role", "compute"}}));
    EXPECT_EQ(node.root_path, base + "/images/debian/20260101-000000");
    EXPECT_EQ(node.command_line, "root=/dev/nfs nfsroot=10.8.0.1:" + node.root_path +
                                     " ip=dhcp rw SNAPSHOT=n2 NISDOMAIN=nis console=ttyS0,115200n8 quiet a=1 b=2");
    const auto other = *resolve(cluster, "n1");
    EXPECT_EQ(other.generation, "1");
    EXPECT_EQ(other.kernel, "suse/1/vmlinuz");
    EXPECT_EQ(other.mounts[0].source, "10.8.0.1:/home");
}

TEST_F(ClusterTest, SwapIsAParameterOfTheNode) {
    write("cluster.toml",
          "[server]\naddress = \"10.8.0.1\"\n[defaults]\nimage = \"debian\"\nswap = \"zram:50%\"\n");
    write("nodes.toml", "[node.a]\n[node.b]\nswap = \"none\"\n[node.c]\nswap = \"LABEL=swap:/file\"\n");
    const auto cluster = *load_cluster(base);
    EXPECT_THAT(resolve(cluster, "a")->command_line, HasSubstr(" diskless.swap=zram:50%"));
    EXPECT_THAT(resolve(cluster, "b")->command_line, Not(HasSubstr("swap")));
    EXPECT_THAT(resolve(cluster, "c")->command_line, HasSubstr(" diskless.swap=LABEL=swap:/file"));
}

TEST_F(ClusterTest, ANodeThatIsNotToUseDhcpSaysSoInItsCmdline) {
    write("cluster.toml",
          "[server]\naddress = \"10.8.0.1\"\n[defaults]\nimage = \"debian\"\n[group.old]\ncmdline = \"ip=rarp\"\n");
    write("nodes.toml",
          "[node.a]\ngroups = [\"old\"]\n[node.b]\ninterface = \"eth1\"\n[node.c]\ncmdline = \"tip=1\"\n");
    const auto cluster = *load_cluster(base);
    EXPECT_THAT(resolve(cluster, "a")->command_line, AllOf(HasSubstr(" ip=rarp"), Not(HasSubstr("ip=dhcp"))));
    EXPECT_THAT(resolve(cluster, "b")->command_line, HasSubstr(" ip=eth1:dhcp "));
    EXPECT_THAT(resolve(cluster, "c")->command_line, HasSubstr(" ip=dhcp "));
}

TEST_F(ClusterTest, ARootOfItsOwnIsWritableAndElsewhere) {
    write("nodes.toml", "[node.g6host33]\nown-root = \"/home2/clients/{node}\"\n");
    const auto node = resolve(*load_cluster(base), "g6host33");
    ASSERT_TRUE(node);
    EXPECT_TRUE(node->own_root);
    EXPECT_EQ(node->root_path, "/home2/clients/g6host33");
    EXPECT_EQ(node->generation_path, path("images/debian/20260101-000000"));
    EXPECT_EQ(node->command_line, "root=/dev/nfs nfsroot=10.8.0.1:/home2/clients/g6host33 ip=dhcp rw "
                                  "SNAPSHOT=g6host33 diskless.snapshot=10.8.0.1:" +
                                      path("snapshots"));
}

TEST_F(ClusterTest, ARootOfItsOwnIsApartFromWhatOthersBoot) {
    for (const std::string& bad : {path("images"), path("snapshots/n2"), path("boot/tftp"), path("overlays/{node}"), base,
                                   std::filesystem::path(base).parent_path().string()}) {
        write("nodes.toml", "[node.n1]\nown-root = \"" + bad + "\"\n");
        const auto node = resolve(*load_cluster(base), "n1");
        ASSERT_FALSE(node) << bad;
        EXPECT_THAT(node.error().cause, HasSubstr("nodes.toml:1: the own-root")) << bad;
        EXPECT_NE(run({"check"}), kDone);
        EXPECT_THAT(out, HasSubstr("the own-root")) << bad;
    }
    for (const std::string& good : {path("roots/{node}"), path("imagesque"), base + "2/n1"}) {
        write("nodes.toml", "[node.n1]\nown-root = \"" + good + "\"\n");
        EXPECT_TRUE(resolve(*load_cluster(base), "n1")) << good;
    }
}

TEST_F(ClusterTest, AGenerationThatSharesItsFilesIsNotWritten) {
    write("images/debian/20260101-000000/etc/hostname", "");
    write("nodes.toml", "[node.n1]\nip = \"10.8.0.11\"\ngeneration = \"20260101-000000\"\nroot-mode = \"rw\"\n");
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
    EXPECT_THAT(read("boot/etc/exports"), HasSubstr("/debian/20260101-000000 10.8.0.11(rw"));
    generation("debian", "20260202-000000");
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kFailed);
    EXPECT_THAT(err, AllOf(HasSubstr("node n1 has root-mode rw"), HasSubstr("own-root=")));
    EXPECT_NE(run({"check"}), kDone);
    EXPECT_THAT(out, HasSubstr("node n1 has root-mode rw"));
    EXPECT_EQ(run({"node", "set", "n1", "root-mode=ro"}), kDone) << err;
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
}

TEST_F(ClusterTest, NodesWhoseRootIsUnderMemoryShareIt) {
    generation("debian", "20260101-000000");
    generation("debian", "20260202-000000");
    write("nodes.toml",
          "[node.n1]\nip = \"10.8.0.11\"\nroot-mode = \"overlay\"\n"
          "[node.n2]\nip = \"10.8.0.12\"\nroot-mode = \"overlay\"\n");
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
    EXPECT_THAT(read("boot/etc/exports"), Not(HasSubstr("/debian/20260202-000000 10.8.0.11(rw")));
    EXPECT_EQ(run({"node", "show", "n1"}), kDone) << err;
    EXPECT_THAT(out, AllOf(HasSubstr(" diskless.mode=overlay"), HasSubstr(", overlay")));
}

TEST_F(ClusterTest, NodesWithTheirRootInOneFileAreToldWhichAndSoIsWhoHasNotMadeIt) {
    write("nodes.toml", "[node.n1]\nip = \"10.8.0.11\"\nroot-mode = \"image\"\n");
    EXPECT_EQ(run({"node", "show", "n1"}), kDone) << err;
    EXPECT_THAT(out, AllOf(HasSubstr(" diskless.mode=overlay diskless.image=.diskless-root.squashfs"), HasSubstr(", image")));
    EXPECT_EQ(run({"boot", "apply"}), kFailed);  // no kernel there
    EXPECT_THAT(err, HasSubstr("node n1 has root-mode image, but debian/20260101-000000 is not packed: diskless-server image pack debian"));
    EXPECT_THAT(read("boot/etc/exports"), Not(HasSubstr("/debian/20260101-000000 10.8.0.11(rw")));
    write("images/debian/20260101-000000/.diskless-root.squashfs", "hsqs");
    EXPECT_EQ(run({"boot", "apply"}), kFailed);
    EXPECT_THAT(err, Not(HasSubstr("is not packed")));
    write("nodes.toml", "[node.n1]\nroot-mode = \"image\"\nown-root = \"/srv/roots/n1\"\n");
    const auto both = resolve(*load_cluster(base), "n1");
    ASSERT_FALSE(both);
    EXPECT_THAT(both.error().cause, HasSubstr("nodes.toml:1: node n1 has an own-root, and root-mode image"));
}

/// What it lacks its nodes make, in memory: nobody is told to touch it.
TEST_F(ClusterTest, SnapshotsOfNodesUnderMemoryMayNameWhatTheImageLacks) {
    write("nodes.toml", "[node.n1]\nip = \"10.8.0.11\"\nroot-mode = \"overlay\"\n");
    write("overlays/n1/etc/unknown", "x");
    EXPECT_EQ(run({"snapshot", "prepare"}), kDone) << err;
    EXPECT_THAT(err + out, Not(HasSubstr("unknown")));
    EXPECT_THAT(read("snapshots/n1/files"), HasSubstr("\n/etc/unknown\n"));
}

TEST_F(ClusterTest, PinBelongsToItsImage) {
    generation("debian", "20260202-000000");
    generation("suse", "1");
    write("nodes.toml", "[node.a]\ngeneration = \"20260101-000000\"\n[node.b]\ngeneration = \"gone\"\n");
    const auto cluster = *load_cluster(base);
    EXPECT_EQ(resolve(cluster, "a")->generation, "20260101-000000");
    EXPECT_THAT(resolve(cluster, "b").error().cause, HasSubstr("nodes.toml:3"));
    EXPECT_FALSE(resolve(cluster, "c"));
}

TEST_F(ClusterTest, ErrorsNameFileAndLine) {
    const std::tuple<const char*, const char*, const char*> cases[] = {
        {"[node.n1]\nip = \"10.8.0.300\"\n", "nodes.toml:2", "no IPv4 address"},
        {"[node.n1]\nip = 7\n", "nodes.toml:2", "text in quotes"},
        {"[node.n1]\nmac = \"zz\"\n", "nodes.toml:2", "hardware address"},
        {"[node.n1]\nmac = \"ff:ff:ff:ff:ff:ff\"\n", "nodes.toml:2", "the address of many machines"},
        {"[node.n1]\nmac = \"01:00:5e:00:00:01\"\n", "nodes.toml:2", "the address of many machines"},
        {"[node.n1]\ninterface = \"enp129s0f1np1d12\"\n", "nodes.toml:2", "interface cannot be"},
        {"[node.n1]\ncmdline = [\"quiet\", \"dyndbg=\\\"x +p\"]\n", "nodes.toml:2", "an odd number of double quotes"},
        {"[node.n1\n", "nodes.toml:1", ""},
        {"[node.\"a/b\"]\n", "nodes.toml:1", "cannot be named"},
        {"[node.\"..\"]\n", "nodes.toml:1", "cannot be named"},
        {"[node.a_b]\n", "nodes.toml:1", "cannot be named"},
        {"[node.n1]\n\n[node.n1]\n", "nodes.toml:3", "redefine"},
        {"[node.n1]\n[node.N1]\n", "nodes.toml:2", "node N1 has the name of node n1"},
        {"[node.n1]\ngroups = [\"g\"]\n", "nodes.toml:1", "no group \"g\""},
        {"[node.n1]\nip = \"10.8.0.5\"\n[node.n2]\nip = \"10.8.0.5\"\n", "nodes.toml:3", "address 10.8.0.5"},
        {"[node.n1]\nmac = \"00:16:3e:00:00:01\"\n[node.n2]\nmac = \"00163e000001\"\n", "nodes.toml:3", "of node n1"},
        {"[node.n1]\nip = \"10.9.0.5\"\n", "nodes.toml:1", "not in the network"},
        {"[node.n1]\nip = \"10.8.0.1\"\n", "nodes.toml:1", "address of the server"},
        {"[node.n1]\nip = \"127.0.0.5\"\n", "nodes.toml:1", "cannot be the address of a node"},
        {"[node.n1]\nip = \"10.8.255.255\"\n", "nodes.toml:1", "broadcast"},
        {"[node.n1]\nkernel = \"../vmlinuz\"\n", "nodes.toml:2", "kernel cannot be"},
        {"[node.n1]\nown-root = \"roots/n1\"\n", "nodes.toml:2", "own-root cannot be"},
        {"[node.n1]\nown-root = \"/roots/../etc\"\n", "nodes.toml:2", "own-root cannot be"},
        {"[node.n1]\nown-root = \"/roots,rw/n1\"\n", "nodes.toml:2", "own-root cannot be"},
        {"[node.n1]\nown-root = \"/my roots/n1\"\n", "nodes.toml:2", "own-root cannot be"},
        {"[node.n1]\nswap = \"/swapfile\"\n", "nodes.toml:2", "swap cannot be"},
        {"[node.n1]\nroot-mode = \"xx\"\n", "nodes.toml:2", "root-mode cannot be"},
        {"[node.n1]\ncmdline = \"a\\nb\"\n", "nodes.toml:2", "control character"},
        {"[node.n1]\nsnapshot = \"../other\"\n", "nodes.toml:2", "snapshot cannot be"},
        {"[node.n1]\nmounts = [{ source = \"x\", at = \"/x\" }]\n", "nodes.toml:2", "a mount needs"},
        {"[node.n1]\nmounts = [{ source = \"/x\", at = \"/a/../b\" }]\n", "nodes.toml:2", "a mount needs"},
    };
    for (const auto& [text, place, what] : cases) {
        write("nodes.toml", text);
        EXPECT_THAT(error(), HasSubstr(place)) << text;
        EXPECT_THAT(error(), HasSubstr(what)) << text;
    }
}

TEST_F(ClusterTest, GroupsThatInheritFromThemselvesAreRefused) {
    write("cluster.toml", "[group.a]\ngroups = [\"b\"]\n[group.b]\ngroups = [\"c\"]\n[group.c]\ngroups = [\"b\"]\n");
    EXPECT_THAT(error(), HasSubstr("inherits from itself: a -> b -> c -> b"));
    write("cluster.toml", "[group.all]\n");
    EXPECT_THAT(error(), HasSubstr("cluster.toml:1"));
}

TEST_F(ClusterTest, UnknownKeysAreWarnings) {
    write("nodes.toml", "[node.n1]\nconsole = \"tty0\"\nconsol = \"tty1\"\n");
    const auto cluster = *load_cluster(base);
    ASSERT_EQ(cluster.warnings.size(), 1u);
    EXPECT_THAT(cluster.warnings[0].text(), HasSubstr("nodes.toml:3: nothing is known by the name \"consol\""));
    EXPECT_THAT(cluster.warnings[0].text(), HasSubstr("console"));
}

TEST_F(ClusterTest, AListThatHasGoneIsNoEmptyOne) {
    EXPECT_TRUE(load_cluster(base)) << "nothing was made yet";
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << "nor was a menu: " << err;
    write("nodes.toml", "[node.n1]\nip = \"10.8.0.11\"\n");
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
    std::filesystem::rename(path("nodes.toml"), path("elsewhere"));
    for (const std::vector<std::string>& command : {std::vector<std::string>{"boot", "apply", "--no-stage"},
                                                    {"image", "gc"},
                                                    {"node", "add", "n2"},
                                                    {"check"}}) {
        EXPECT_EQ(run(command), kFailed) << command[0];
        EXPECT_THAT(err, AllOf(HasSubstr(path("nodes.toml") + " is absent"), HasSubstr("touch " + path("nodes.toml"))));
    }
    EXPECT_TRUE(exists("boot/tftp/pxelinux.cfg/0A08000B"));
    write("nodes/rack.toml", "[node.n1]\nip = \"10.8.0.11\"\n");
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << "the list is elsewhere: " << err;
    std::filesystem::remove(path("nodes/rack.toml"));
    write("nodes.toml", "");
    EXPECT_EQ(run({"boot", "apply", "--no-stage"}), kDone) << err;
    EXPECT_FALSE(exists("boot/tftp/pxelinux.cfg/0A08000B"));
}

TEST_F(ClusterTest, AnAbsentTreeSaysHowToMakeOne) {
    const auto cluster = load_cluster("/nonexistent/tree");
    ASSERT_FALSE(cluster);
    EXPECT_EQ(cluster.error().remedy,
              "make one: diskless-server init --base /nonexistent/tree --address ADDRESS --network NETWORK/PREFIX");
}

TEST_F(ClusterTest, SelectsByNodeSetAndGroup) {
    write("cluster.toml", "[group.base]\n[group.compute]\ngroups = [\"base\"]\n");
    write("nodes/a.toml", "[node.n3]\ngroups = [\"compute\"]\n[node.n1]\n");
    write("nodes/b.toml", "[node.n2]\ngroups = [\"base\"]\n");
    const auto cluster = *load_cluster(base);
    const auto names = [&](std::vector<std::string> expressions) {
        std::vector<std::string> found;
        const auto nodes = select_nodes(cluster, expressions);
        for (const auto* node : *nodes) found.push_back(node->name);
        return found;
    };
    EXPECT_THAT(names({}), ElementsAre("n3", "n1", "n2"));
    EXPECT_THAT(names({"n[1-2]"}), ElementsAre("n1", "n2"));
    EXPECT_THAT(names({"@base"}), ElementsAre("n3", "n2"));
    EXPECT_THAT(names({"@all!@base"}), ElementsAre("n1"));
    EXPECT_FALSE(select_nodes(cluster, {"n9"}));
    EXPECT_FALSE(select_nodes(cluster, {"@none"}));
}

TEST_F(ClusterTest, TenThousandNodesAreReadAndResolved) {
    std::string text;
    for (int at = 0; at < 10'000; ++at)
        text += "[node.node" + std::to_string(at) + "]\nip = \"" +
                Ipv4(0x0A080100u + static_cast<unsigned>(at)).text() + "\"\nmac = \"00:16:3e:00:" +
                Mac{{0, 0, 0, 0, static_cast<std::uint8_t>(at >> 8), static_cast<std::uint8_t>(at)}}.text().substr(12) +
                "\"\ngroups = [\"compute\"]\n\n";
    write("cluster.toml",
          "[server]\naddress = \"10.8.0.1\"\nnetwork = \"10.8.0.0/16\"\n[defaults]\nimage = \"debian\"\n"
          "[group.compute]\nconsole = \"ttyS0\"\n");
    write("nodes.toml", text);
    const auto cluster = load_cluster(base);
    ASSERT_TRUE(cluster) << cluster.error().cause;
    for (const auto& node : cluster->nodes) ASSERT_TRUE(resolve(*cluster, node));
    EXPECT_EQ(cluster->nodes.size(), 10'000u);
}

}  // namespace
}  // namespace diskless::server
