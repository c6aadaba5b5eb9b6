#include "init/identity/rewrite.hpp"

#include <gtest/gtest.h>

namespace diskless {
namespace {

TEST(RewriteFstab, TakesOutTheRootAlone) {
    EXPECT_EQ(rewrite_fstab(""), std::nullopt);
    EXPECT_EQ(rewrite_fstab("# / is elsewhere\nproc /proc proc\n"), std::nullopt);
    EXPECT_EQ(rewrite_fstab("UUID=1 / ext4 defaults 0 1\n/dev/sdb1 /home ext4"),
              "# mounted by diskless-init: UUID=1 / ext4 defaults 0 1\n/dev/sdb1 /home ext4\n");
    EXPECT_EQ(rewrite_fstab(*rewrite_fstab("a / b\n")), std::nullopt) << "a second time there is nothing to do";
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
