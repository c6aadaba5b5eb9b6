#include "init/identity/rewrite.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(RewriteFstab, TakesOutTheRootAlone) {
    EXPECT_EQ(rewrite_fstab(""), std::nullopt);
    EXPECT_EQ(rewrite_fstab("# / is elsewhere\na:/home /home nfs\n"), std::nullopt);
    EXPECT_EQ(rewrite_fstab("UUID=1 / ext4 defaults 0 1\n/dev/sdb1 /home ext4"),
              "# mounted by diskless-init: UUID=1 / ext4 defaults 0 1\n/dev/sdb1 /home ext4\n");
    EXPECT_EQ(rewrite_fstab(*rewrite_fstab("a / b\n")), std::nullopt) << "a second time there is nothing to do";
}

// The fstab of a published NFS root: with its last line the agent's socket was hidden, with that of /dev the console.
TEST(RewriteFstab, LeavesOutWhatIsThereAlready) {
    EXPECT_EQ(rewrite_fstab("none /proc/ proc defaults 0 0\nnone /dev/pts devpts gid=5 0 0\n"
                            "192.168.0.1:/NFSROOT/dev /dev nfs rw,nolock 0 0\n"
                            "192.168.0.1:/NFSROOT/var /var nfs rw,nolock 0 0\n"
                            "none /run tmpfs defaults 0 0\n"),
              "# mounted by diskless-init: none /proc/ proc defaults 0 0\nnone /dev/pts devpts gid=5 0 0\n"
              "# mounted by diskless-init: 192.168.0.1:/NFSROOT/dev /dev nfs rw,nolock 0 0\n"
              "192.168.0.1:/NFSROOT/var /var nfs rw,nolock 0 0\n"
              "# mounted by diskless-init: none /run tmpfs defaults 0 0\n");
    const char* old = "none /var/run tmpfs defaults 0 0\n";
    EXPECT_EQ(rewrite_fstab(old), std::nullopt) << "a directory before 2012";
    EXPECT_EQ(rewrite_fstab(old, "", true), "# mounted by diskless-init: none /var/run tmpfs defaults 0 0\n");
}

TEST(RewriteRcs, MountsWithoutIfup) {
    EXPECT_EQ(rewrite_rcs(""), std::nullopt);
    EXPECT_EQ(rewrite_rcs("VERBOSE=no\n"), std::nullopt) << "a distribution that has no such word";
    EXPECT_EQ(rewrite_rcs("#ASYNCMOUNTNFS=yes"),
              "#ASYNCMOUNTNFS=yes\n# the interface that carries the root is up before any ifup\nASYNCMOUNTNFS=no\n");
}

TEST(RewriteInterfaces, MakesOursManualAndLeavesOthers) {
    EXPECT_EQ(rewrite_interfaces("auto lo\niface lo inet loopback\n", "eth0"), std::nullopt);
    EXPECT_EQ(rewrite_interfaces("auto lo eth0 eth1\n"
                                 "iface eth0 inet static\n  address 1.2.3.4\n\n  gateway 1.2.3.1\n"
                                 "iface eth1 inet dhcp\n  metric 5\n"
                                 "allow-hotplug eth0\n",
                                 "eth0"),
              "auto lo eth1\n"
              "# eth0 carries the root: diskless-init keeps it\niface eth0 inet manual\n\n"
              "iface eth1 inet dhcp\n  metric 5\n");
    EXPECT_EQ(rewrite_interfaces("auto\niface\n", "eth0"), std::nullopt);
}

TEST(RewriteDhcpcd, DeniesBeforeAnyBlock) {
    EXPECT_EQ(rewrite_dhcpcd("interface eth1", "eth0"),
              "# eth0 carries the root: diskless-init keeps it\ndenyinterfaces eth0\ninterface eth1\n");
}

TEST(RewriteIfcfg, IsNotStartedAtBoot) {
    EXPECT_EQ(rewrite_ifcfg("DEVICE=eth0\nONBOOT=yes\nNM_CONTROLLED=yes\n"),
              "# this interface carries the root: diskless-init keeps it\nDEVICE=eth0\nONBOOT=no\nNM_CONTROLLED=no\n");
}

}  // namespace
}  // namespace diskless
