"""Clusters of other people, rebuilt from their own files: each case is docs/recipes/<name>.md, run as it stands."""

from __future__ import annotations

from dataclasses import replace

import recipe
from case import Case
from node import Hardware
from recipe import Cluster, Machine


def _case(name: str, about: str, cluster: Cluster, memory: int, slow: bool = False) -> Case:
    return Case(name, about, "", recipe.steps(name, cluster), cluster=cluster, hardware=Hardware(memory=memory), slow=slow)


RCINIT = Cluster("172.16.1.1/24", (Machine("cartman", "00:18:f3:70:91:b9"), Machine("stan", "00:18:f3:70:91:c1")),
                 {"/home/common/cluster": "culc"}, ("/tftpboot",), allowed="give the router's own address")

# Debian's own: its scripts udev and sendsigs run at the same time, and one takes away what the other lists.
UDEV_IS_FASTER = r"^cat: /run/sendsigs\.omit\.d/systemd-udevd: No such file or directory$"

CASES: tuple[Case, ...] = (
    _case("recipe-usb-stick", "sticks by hand and by one command, a root rw per node cloned from a tar, /usr shared; reset",
          Cluster("192.168.1.11/24",
                  (Machine("test1", "00:11:2f:00:00:a0", stick="/srv/stick/test1.img"),
                   Machine("g6host33", "00:11:2f:00:00:a1", stick="/srv/stick/g6host33.img")),
                  {"/srv/tl8": "vine"}, ("/home2",)), 256),
    _case("recipe-pxelinux-rcinit", "PXELINUX by MAC, one root ro for all, inittab with Rcinit, sshd respawned, /culc rw",
          RCINIT, 256),
    # Nothing but jitter gives this kernel randomness: the node has to wait for it as the kernel wants it.
    Case("recipe-pxelinux-rcinit-kernel", "the same with a small kernel that mounts its root itself: no initramfs", "",
         (*recipe.steps("recipe-pxelinux-rcinit", RCINIT, until="Switch the nodes on"),
          *recipe.steps("recipe-pxelinux-rcinit-kernel", RCINIT)),
         cluster=replace(RCINIT, kernel=("/root/nfsroot.config", "/root/linux-source-6.1/arch/x86/boot/bzImage")),
         hardware=Hardware(memory=256), slow=True),
    _case("recipe-grub-debian", "dhcpd's groups, GRUB's menu per host, Debian's root ro with /var /tmp /root rw",
          Cluster("192.168.0.1/24", (Machine("ssi1", "52:54:00:09:00:01"), Machine("ssi2", "52:54:00:09:00:02")),
                  {"/NFSROOT/kerrighed": "debian-nfsroot"}, allowed=UDEV_IS_FASTER), 512),
    _case("recipe-bootp-rarp", "bootptab, RARP, a root per client, swap, shutdown now; nine files by three nodes",
          Cluster("192.168.1.1/24",
                  (Machine("taimon", "00:00:e3:20:35:0d", disk="NT"), Machine("host2", "00:00:e3:20:35:0e"),
                   Machine("host3", "00:00:e3:20:35:0f")),
                  {"/srv/vine": "vine"}, ("/tftpboot", "/home")), 256),
    _case("recipe-red-hat-netboot", "a golden image by rsync, pxeos, pxeboot in a loop for 128 nodes, files.custom",
          Cluster("10.8.136.2/16", (Machine("node003", "00:21:5e:40:64:5c", disk="SDA"),),
                  {"/golden/node004": "debian-installed"}, ("/tftpboot", "/diskless"),
                  golden=("/golden/node004", "10.8.136.4/16"),
                  # Debian's hwclock.sh runs after umountnfs.sh, which unmounts all NFS but the root.
                  allowed=UDEV_IS_FASTER + r"|^hwclock: cannot open /etc/adjtime: Read-only file system$"), 512),
)
