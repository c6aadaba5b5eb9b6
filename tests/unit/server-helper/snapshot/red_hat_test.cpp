#include "server-helper/snapshot/red_hat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server-helper/snapshot/small_tree.hpp"

namespace diskless::server {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> result;
    std::string word;
    for (const char c : line + " ")
        if (c != ' ')
            word += c;
        else if (!word.empty())
            result.push_back(std::exchange(word, ""));
    return result;
}

TEST(RedHatOptionsTest, AMissingValueIsEmpty) {
    const auto options = parse_red_hat_options(
        words_of("-a -i rhel5compute -p NFS -D 1 -s -L /diskless/i386/RHEL5-AS rhel5compute"), "aldh", "ipDsLk");
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->has('a'));
    EXPECT_EQ(options->value('s'), "");
    EXPECT_EQ(options->value('L'), "/diskless/i386/RHEL5-AS");
    EXPECT_EQ(options->value('D'), "1");
    EXPECT_THAT(options->names, ElementsAre("rhel5compute"));
}

TEST(RedHatOptionsTest, AGivenValueIsTaken) {
    const auto options = parse_red_hat_options(words_of("-a -s 10.9.0.1 -L/d --tftp-dir=/t x"), "aldh", "ipDsLk");
    ASSERT_TRUE(options);
    EXPECT_EQ(options->value('s'), "10.9.0.1");
    EXPECT_EQ(options->value('L'), "/d");
    EXPECT_EQ(options->word("tftp-dir"), "/t");
    EXPECT_FALSE(parse_red_hat_options({"-z"}, "aldh", "ipDsLk"));
    EXPECT_FALSE(parse_red_hat_options({"--wrong"}, "aldh", "ipDsLk"));
}

TEST(PxelinuxTextTest, IsWordForWordThePublishedOne) {
    RedHatSystem system;
    system.name = "rhel5compute";
    RedHatNode node{Ipv4(10, 8, 226, 73), "rhel5compute", "28760", "node003", "eth0", "my_nis_domain", ""};
    EXPECT_EQ(pxelinux_text(node, system),
              "default rhel5compute\n\nlabel rhel5compute\n    kernel rhel5compute/vmlinuz\n    append  "
              "initrd=rhel5compute/initrd.img root=/dev/ram0 init=disklessrc NFSROOT= ramdisk_size=28760 "
              "ETHERNET=eth0 SNAPSHOT=node003 NISDOMAIN=my_nis_domain\n");
    system.server = "10.9.0.1";
    system.location = "/diskless";
    const auto back = parse_pxelinux(pxelinux_text(node, system), node.address);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->server, "10.9.0.1");
    EXPECT_EQ(back->location, "/diskless");
    EXPECT_EQ(pxelinux_text(back->node, system), pxelinux_text(node, system));
    EXPECT_FALSE(parse_pxelinux("default local\nlabel local\n  localboot 0\n", node.address));
}

class RedHatTreeTest : public SmallTree {
  protected:
    void SetUp() override {
        SmallTree::SetUp();
        fs::create_directories(in("location"));
        fs::rename(in("image"), in("location/root"));
        write(in("location/root/boot/vmlinuz-2.6.18-128.el5"), "new");
        write(in("location/root/boot/vmlinuz-2.6.18-92.el5"), "old");
    }
    Result<RedHatSystem> add(const std::string& name = "rhel5", bool new_initrd = false) {
        RedHatSystem system;
        system.name = name;
        system.location = in("location");
        return tree().add_system(system, [&](const std::string&, const std::string&, const std::string& out) {
            ++built_;
            write(out, "initrd");
            return Result<>{};
        }, new_initrd);
    }
    RedHatTree tree() const { return RedHatTree(in("tftp")); }
    RedHatNode node(const std::string& snapshot, Ipv4 address = Ipv4(10, 8, 136, 1)) const {
        return {address, "rhel5", "28753", snapshot, "eth0", "nis", ""};
    }
    int built_ = 0;
};

TEST_F(RedHatTreeTest, AnInitramfsIsBuiltOnce) {
    ASSERT_TRUE(add());
    EXPECT_EQ(add()->kernel, "2.6.18-128.el5");
    EXPECT_EQ(built_, 1);
    ASSERT_TRUE(add("rhel5", true)) << "one that is given is always taken";
    EXPECT_EQ(std::exchange(built_, 1), 2);
    write(in("location/root/boot/vmlinuz-2.6.18-400.el5"), "newer");
    ASSERT_TRUE(add());
    EXPECT_EQ(built_, 2);
    EXPECT_EQ(read(in("tftp/rhel5/vmlinuz")), "newer");
}

TEST_F(RedHatTreeTest, ListsOfTheLocationArePrepared) {
    ASSERT_TRUE(add());
    write(in("location/snapshot/files.custom"), "/etc/motd\n/root\n");
    ASSERT_TRUE(tree().add_node(node("node001")));
    EXPECT_TRUE(fs::exists(in("location/snapshot/node001/etc/motd")));
    EXPECT_TRUE(fs::is_directory(in("location/snapshot/node001/root")));
    EXPECT_TRUE(fs::exists(in("tftp/pxelinux.cfg/0A088801")));
}

TEST_F(RedHatTreeTest, RefusesWhatWouldBreakTheFileOrAnotherNode) {
    ASSERT_TRUE(add());
    ASSERT_TRUE(tree().add_node(node("node001")));
    EXPECT_FALSE(tree().add_node(node("node001", Ipv4(10, 8, 136, 2))));
    for (const char* snapshot : {"", "..", "a/b", "a b", "a\nb", "-x"}) EXPECT_FALSE(tree().add_node(node(snapshot)));
    auto bad = node("node002", Ipv4(10, 8, 136, 2));
    bad.nis_domain = "x init=/bin/sh";
    EXPECT_FALSE(tree().add_node(bad));
    bad = node("node002", Ipv4(10, 8, 136, 2));
    bad.ramdisk_size = "many";
    EXPECT_FALSE(tree().add_node(bad));
    EXPECT_FALSE(add("../x"));
    EXPECT_FALSE(tree().remove_system("rhel5")) << "node001 boots it";
    ASSERT_TRUE(tree().remove_node(Ipv4(10, 8, 136, 1)));
    ASSERT_TRUE(tree().remove_system("rhel5"));
    EXPECT_THAT(*tree().systems(), IsEmpty());
}

TEST_F(RedHatTreeTest, ANodeThatPlantsALinkForAnotherIsNotFollowed) {
    ASSERT_TRUE(add());
    fs::create_directory_symlink(in("elsewhere"), in("location/snapshot/node001"));
    EXPECT_FALSE(tree().add_node(node("node001")));
    EXPECT_EQ(std::distance(fs::directory_iterator(in("elsewhere")), {}), 1);
    EXPECT_FALSE(fs::exists(in("tftp/pxelinux.cfg/0A088801"))) << "no node without its snapshot";
}

}  // namespace
}  // namespace diskless::server
