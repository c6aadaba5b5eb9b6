"""Clusters of other people, rebuilt from their own files: each case is docs/recipes/<name>.md, run as it stands."""

from __future__ import annotations

import recipe
from case import Case
from node import Hardware
from recipe import Cluster, Machine


def _case(name: str, about: str, cluster: Cluster, memory: int) -> Case:
    return Case(name, about, "", recipe.steps(name, cluster), cluster=cluster, hardware=Hardware(memory=memory))


CASES: tuple[Case, ...] = (
    _case("recipe-grub-debian", "dhcpd's groups, GRUB's menu per host, Debian's root ro with /var /tmp /root rw",
          Cluster("192.168.0.1/24", (Machine("ssi1", "52:54:00:09:00:01"), Machine("ssi2", "52:54:00:09:00:02")),
                  {"/NFSROOT/kerrighed": "debian-nfsroot"},
                  # What the node program mounted beneath /var before the boot scripts covered it by the server's /var.
                  allowed=r"umount\.nfs: /var/|^failed"), 512),
    _case("recipe-bootp-rarp", "bootptab, RARP, a root per client, swap, shutdown now; nine files by three nodes",
          Cluster("192.168.1.1/24",
                  (Machine("taimon", "00:00:e3:20:35:0d", disk="NT"), Machine("host2", "00:00:e3:20:35:0e"),
                   Machine("host3", "00:00:e3:20:35:0f")),
                  {"/srv/vine": "vine"}, ("/tftpboot", "/home")), 256),
    _case("recipe-red-hat-netboot", "a golden image by rsync, pxeos, pxeboot in a loop for 128 nodes, files.custom",
          Cluster("10.8.136.2/16", (Machine("node003", "00:21:5e:40:64:5c", disk="SDA"),),
                  {"/golden/node004": "debian-installed"}, ("/tftpboot", "/diskless"),
                  golden=("/golden/node004", "10.8.136.4/16")), 512),
)
