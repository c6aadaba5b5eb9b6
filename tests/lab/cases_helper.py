"""Everything from diskless-server: its tree, its image, its rendered boot files and servers."""

from __future__ import annotations

from case import CTL, NO_TROUBLE, OWN_SNAPSHOT, SNAPSHOT, Case, goes_down
from node import Hardware
from prepared import Site
from steps import (ChangeGolden, Console, Helper, Login, OnServer, PowerOn, Reload, Report, ServerLog, Shell, Step, at,
                   mounted)

# A node that boots by itself from what diskless-server prepared.
LOGIN = (Console("busybox userland is up on node", 180), Login(20))
NODE_UP = (PowerOn(), *LOGIN, Shell("hostname", "^node1$"),
           mounted("/", "^10[.]9[.]0[.]1:/srv/diskless/images/busybox/", " ro,"), *OWN_SNAPSHOT, *NO_TROUBLE)

UEFI = Hardware(memory=1024, firmware="uefi")

# NFS mounts that are tried by hand, as busybox's mount takes them.
NFS_VERSIONS = ("vers=3,proto=tcp", "vers=4.2")


def nfs_mounts(node: int, refused: str | None) -> tuple[Step, ...]:
    """Mounts the snapshot of a node, by each version; it is refused with one of these words, or None: it works."""
    return tuple(Shell(f"mount -t nfs -o nolock,addr=10.9.0.1,{options}"
                       f" 10.9.0.1:/srv/diskless/snapshots/node{node} /tmp/m"
                       " && cat /tmp/m/etc/hostname && umount /tmp/m", refused or f"^node{node}$")
                 for options in NFS_VERSIONS)


CASES: tuple[Case, ...] = (
    Case("helper-pxelinux", "PXELINUX's menu by MAC; DHCP and TFTP by dnsmasq", "",
         (*NODE_UP, ServerLog("diskless-dnsmasq", "sent .*/pxelinux.cfg/01-52-54-00-09-00-01"), *goes_down()),
         site=Site()),
    Case("helper-dhcpd", "PXELINUX's menu by address, of a node whose MAC is not known; ISC dhcpd", "",
         (*NODE_UP, ServerLog("diskless-tftp", "sent .*/pxelinux.cfg/0A09000B")),
         site=Site(dhcp=("isc",), macs=False, choices={"range": '"10.9.0.11-10.9.0.11"'})),
    Case("helper-kea", "PXELINUX's menu by MAC; Kea", "",
         (*NODE_UP, ServerLog("diskless-tftp", "sent .*/pxelinux.cfg/01-52-54-00-09-00-01")),
         site=Site(dhcp=("kea",))),
    Case("helper-grub", "GRUB's menu by MAC, BIOS", "",
         (*NODE_UP, ServerLog("diskless-dnsmasq", "sent .*/grub/grub.cfg-01-52-54-00-09-00-01")),
         site=Site(loaders=("grub",))),
    Case("helper-grub-uefi", "GRUB's menu by MAC, UEFI; signed, where the server has those packages", "",
         (*NODE_UP, ServerLog("diskless-dnsmasq", "sent .*/grub/grub.cfg-01-52-54-00-09-00-01")),
         site=Site(loaders=("grub",)), hardware=UEFI),
    Case("helper-ipxe", "the iPXE of the network card takes its script by TFTP; NFS 4.2", "",
         (*NODE_UP, ServerLog("diskless-dnsmasq", "sent .*/ipxe/01-52-54-00-09-00-01.ipxe"), mounted("/", "vers=4.2"),
          # Owners are numbers, also without anybody on the node who would translate names.
          Shell("ls -ln /etc/passwd", " 0 +0 "),
          Shell("touch /var/log/x; chown 7:8 /var/log/x; ls -ln /var/log/x", " 7 +8 "),
          *goes_down()),
         site=Site(loaders=("ipxe",), settings=("console=ttyS0", "nfs-options=vers=4.2"))),
    Case("helper-overlay", "nodes whose root-mode is overlay: an overlay file that the image lacks, and the exports are read-only", "",
         (PowerOn(), *LOGIN, Shell("hostname", "^node1$"), mounted("/", "^overlay ", " rw,"),
          mounted("/run/diskless/root", "^10[.]9[.]0[.]1:/srv/diskless/images/busybox/", " ro,nosuid,nodev,"),
          *OWN_SNAPSHOT, *NO_TROUBLE, Shell("cat /etc/only-here", "^node1$"), Shell("echo new >/etc/only-here; echo gone >/etc/unlisted"),
          OnServer(f"{SNAPSHOT}/etc/only-here", "^new$"), *goes_down()),
         site=Site(settings=("console=ttyS0", "nfs-options=vers=3", "root-mode=overlay"),
                   overlays={"node1/etc/only-here": "node1\n"})),
    Case("helper-image", "nodes whose root-mode is image: the initramfs has what mounts it, and a later generation is packed, too", "",
         (PowerOn(), *LOGIN, Shell("hostname", "^node1$"), mounted("/", "^overlay ", " rw,"),
          mounted("/run/diskless/root", "^/dev/loop", "squashfs"), Report("root.image", "^.diskless-root.squashfs$"),
          *OWN_SNAPSHOT, *NO_TROUBLE, Shell("cat /etc/only-here", "^node1$"), Shell("ls /run/diskless/root/.diskless-root*", "No such"),
          Shell(f"{CTL} status", "generation"), *goes_down(),
          ChangeGolden("etc/issue", "the next one"), Helper("image sync busybox", "generation"), Helper("boot apply"), Reload("diskless-ganesha"),
          PowerOn(), *LOGIN, Shell("cat /run/diskless/root/etc/issue", "^the next one$"), *NO_TROUBLE, *goes_down()),
         site=Site(pack=True, settings=("console=ttyS0", "nfs-options=vers=3", "root-mode=image"),
                   overlays={"node1/etc/only-here": "node1\n"})),
    Case("helper-http", "the iPXE of the network card takes everything by HTTP", "",
         (*NODE_UP, Shell("cat /proc/cmdline", "BOOTIF=01-52-54-00-09-00-01")),
         site=Site(choices={"http": '"http://10.9.0.1/"'})),
    Case("helper-usb", "a stick of `usb create`; the network card has no boot ROM", "",
         (*NODE_UP, *goes_down()), site=Site(stick=True)),
    Case("helper-usb-uefi", "the same stick in a machine with UEFI", "",
         (*NODE_UP, Shell("ls /sys/firmware/efi", "efivars")), site=Site(stick=True), hardware=UEFI),
    Case("helper-bootp", "bootpd alone: the network card, PXELINUX and the node ask by BOOTP", "",
         (*NODE_UP, Report("lease.source", "^bootp$"), Report("lease.address", "10.9.0.11")),
         site=Site(dhcp=("bootptab",), settings=(*Site().settings, "cmdline=ip=bootp"))),
    Case("helper-rarp", "a stick and rarpd, no DHCP server at all", "",
         (*NODE_UP, Report("lease.source", "^rarp$"), Report("lease.address", "10.9.0.11")),
         site=Site(dhcp=("ethers",), settings=(*Site().settings, "cmdline=ip=rarp"), stick=True)),
    Case("helper-two-nodes", "two nodes on one image write the same files, and each keeps its own over a reboot", "",
         (PowerOn(), at(2, PowerOn()),
          *LOGIN, Shell("cat /etc/motd", "^welcome to node1$"),
          Shell("echo own of node1 >/etc/motd; echo 1 >/var/log/x"),
          at(2, *LOGIN, Shell("hostname", "^node2$"), Shell("cat /etc/motd", "^welcome to node2$"),
             Shell("echo own of node2 >/etc/motd; echo 2 >/var/log/x"), *NO_TROUBLE),
          Shell("cat /etc/motd /var/log/x", "^own of node1\n1$"), *goes_down(),
          PowerOn(), *LOGIN, *OWN_SNAPSHOT, Shell("cat /etc/motd /var/log/x", "^own of node1\n1$"),
          at(2, Shell("cat /etc/motd /var/log/x", "^own of node2\n2$")),
          OnServer(f"{SNAPSHOT}/etc/motd", "^own of node1$"),
          OnServer("/srv/diskless/snapshots/node2/etc/motd", "^own of node2$"),
          Helper("status", "^node1 .*\nnode2 ")),
         site=Site(nodes=2, dhcp=("isc",), overlays={"node1/etc/motd.in": "welcome to ${node}\n",
                                                    "node2/etc/motd.in": "welcome to ${node}\n"})),
    Case("helper-isolation", "a node's root cannot mount what is another node's, nor the image rw", "",
         (*NODE_UP,
          # What is its own can be mounted in the same way: the refusals below are not for another reason.
          Shell("modprobe nfsv4; mkdir -p /tmp/m"), *nfs_mounts(1, None),
          Shell("mount | grep -c ' /tmp/m '", "^0$"),
          *nfs_mounts(2, "denied|No such file|not permitted"),
          *(step for options in NFS_VERSIONS for step in (
              # The pseudo file system of NFSv4 shows where exports are; nothing of another node's is below.
              Shell(f"mount -t nfs -o nolock,addr=10.9.0.1,{options} 10.9.0.1:/srv/diskless/snapshots /tmp/m;"
                    " cat /tmp/m/node2/etc/hostname; echo stolen >/tmp/m/node2/etc/hostname; umount /tmp/m",
                    "node2.*(denied|No such file|nonexistent)"),
              Shell("root=$(grep -o '10.9.0.1:/srv/diskless/images/[^ ]*' /proc/mounts | head -n 1);"
                    f" mount -t nfs -o rw,nolock,addr=10.9.0.1,{options} $root /tmp/m && ls /tmp/m/etc/motd;"
                    " echo x >/tmp/m/etc/motd; umount /tmp/m", "/tmp/m/etc/motd\n.*(Read-only|denied)"))),
          OnServer("/srv/diskless/snapshots/node2/etc/hostname", "^node2$")),
         site=Site(nodes=2)),
    Case("helper-generations", "a new generation while a node runs: it keeps its own until it boots again", "",
         (*NODE_UP, Shell("cat /opt/data", "^data of the image$"),
          ChangeGolden("opt/data", "data of the second generation\n"),
          Helper("image sync busybox", "generation"), Helper("snapshot prepare"), Helper("boot apply", "changed"),
          Reload("diskless-ganesha"),
          Helper("status", "node1 .*needs a reboot"), Helper("image gc --keep 1"),
          Helper("image show busybox", "node1 runs it"),
          Shell("echo 3 >/proc/sys/vm/drop_caches; cat /opt/data", "^data of the image$"),
          *goes_down(), *NODE_UP, Shell("cat /opt/data", "^data of the second generation$"),
          Helper("status", "^node1 +done .* -$"), Helper("image gc --keep 1", "removed"),
          Shell("cat /opt/data", "^data of the second generation$")),
         site=Site()),
)
