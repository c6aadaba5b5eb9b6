"""The cases: how a node boots, and what must be seen. Add one by adding an entry to CASES.

In command lines {root} {server} {dead} {snapshots} {address} {mac} stand for the case's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from node import Hardware
from prepared import Site
from server import Dhcp, Export
from steps import (Administrator, ChangeGolden, Console, CutNetwork, FreezeNfs, GoesDown, GoesDownIn, Helper,
                   HoldsAddress, ImageUnder, KillNfs, Login, MakeSnapshot, MendNetwork, OfferKernel, OnServer,
                   PacketsLost, PowerOn, Reload, Report, ServerLog, Shell, Silent, StartDhcp, StartNfs, Step, ThawNfs,
                   Type, WithdrawRoot, Write, Written, at, mounted)

@dataclass(frozen=True)
class Case:
    name: str
    about: str                                # one line for people
    cmdline: str
    steps: tuple[Step, ...]                   # see steps.py
    root: str = "busybox"                     # flavour, see roots.py
    image: str = "built"                      # see images.py
    root_path: str = ""                       # as nodes name it; "": /srv/diskless/images/<flavour>/1
    root_writable: bool = False
    root_files: Mapping[str, str] = field(default_factory=dict)    # put into the root before; "#!": executable
    program_in_root: str = ""                 # where the node program is installed in the root
    server_files: Mapping[str, str] = field(default_factory=dict)  # put into the server's tree (/srv/…) before
    snapshots: tuple[str, ...] = ("node1",)   # empty snapshots that exist
    snapshot: str = "node1"                   # whose boot report is looked at
    snapshots_path: str = "/srv/diskless/snapshots"
    snapshots_size: str = ""                  # "4M": they lie on a file system of that size
    exports: tuple[Export, ...] = ()          # besides the root (ro) and the snapshots (rw)
    dhcp: Dhcp | None = Dhcp()
    time_server: bool = True
    dhcp_late: bool = False                   # not started with the other servers: see StartDhcp
    nfs_late: bool = False
    loss_percent: int = 0
    hardware: Hardware = Hardware()
    netboot: bool = False                     # kernel and image by iPXE and TFTP, not from QEMU
    boot_file: str = ""                       # the same by this file of /srv/tftp, which a step brings there
    packets: bool = False                     # capture br0
    site: Site | None = None                  # everything by diskless-server: cmdline and the fields above do not count
    slow: bool = False                        # only with --slow: takes minutes, and another case shows nearly as much


# --- what many cases have in common ---

CTL = "/run/diskless/disklessctl"
SNAPSHOT = "/srv/diskless/snapshots/node1"
FROM = "root=/dev/nfs nfsroot={server}:{root}"  # the root, in the kernel's own spelling

# busybox userland is up on a read-only root, and nothing but the node program has run before it.
UP = (PowerOn(), Console("busybox userland is up", 90), Login(20), mounted("/", "^10[.]9[.]0[.]1:", " ro,"),
      Report("executed", r"^\[\]$"))
OWN_SNAPSHOT = (Report("snapshot.state", "mounted"), Report("snapshot.name", "^node1$"),
                Shell("hostname", "^node1$"))
NO_TROUBLE = (Report("steps", r'^(?!.*"(failed|degraded)")'), Report("warnings", r"^\[\]$"))

# A node that boots by itself from what diskless-server prepared.
LOGIN = (Console("busybox userland is up on node", 180), Login(20))
NODE_UP = (PowerOn(), *LOGIN, Shell("hostname", "^node1$"),
           mounted("/", f"^10[.]9[.]0[.]1:/srv/diskless/images/busybox/", " ro,"), *OWN_SNAPSHOT, *NO_TROUBLE)

UEFI = Hardware(memory=1024, firmware="uefi")

# NFS mounts that are tried by hand, as busybox's mount takes them.
NFS_VERSIONS = ("vers=3,proto=tcp", "vers=4.2")


def nfs_mounts(node: int, refused: str | None) -> tuple[Step, ...]:
    """Mounts the snapshot of a node, by each version; it is refused with one of these words, or None: it works."""
    return tuple(Shell(f"mount -t nfs -o nolock,addr=10.9.0.1,{options}"
                       f" 10.9.0.1:/srv/diskless/snapshots/node{node} /tmp/m"
                       " && cat /tmp/m/etc/hostname && umount /tmp/m", refused or f"^node{node}$")
                 for options in NFS_VERSIONS)



def goes_down(verb: str = "reboot", within: float = 30) -> tuple[Step, ...]:
    return (Type(f"{CTL} {verb}"), GoesDown(within))


LOUD = Shell("dmesg -n 8")  # Login() has silenced the kernel

# --- the way down ---

AGAIN = (PowerOn(), Console("busybox userland is up", 90), Login(20), LOUD)
KEPT = f"{SNAPSHOT}/.diskless"
NOTHING_LOST = (Written("/var/log/before", f"{SNAPSHOT}/var/log/before"),
                OnServer(f"{KEPT}/last-shutdown.json", '"clean"'), OnServer(f"{KEPT}/running", None))
NO_WORD = (OnServer(f"{KEPT}/running"), OnServer(f"{KEPT}/last-shutdown.json", None))
DOWN, GONE = 30, 10  # seconds: the deadline; and when the server is known to be gone
BEGUN = "end all processes|at the latest in"
ENDED = Report("last_shutdown.outcome", "^clean$")
NOT_ENDED = Report("last_shutdown.outcome", "^unclean$")
STORM = "(while :; do dd if=/dev/zero of=/var/log/storm bs=64k count=64; done) >/dev/null 2>&1 &"


def down_matrix() -> tuple[Case, ...]:
    """A Debian with systemd, each way to ask, each trouble: slow."""
    up = (PowerOn(), Login(120), LOUD, Write("/var/log/before"))
    ways = {"alive": ((), (), DOWN, NOTHING_LOST), "killed": ((KillNfs(),), (), GONE, NO_WORD),
            "killed-midway": ((Type(STORM),), (KillNfs(),), DOWN, ()), "frozen": ((FreezeNfs(),), (), GONE, NO_WORD),
            "cut": ((CutNetwork(),), (), GONE, NO_WORD), "unexported": ((WithdrawRoot(),), (), DOWN, ())}
    return tuple(
        Case(f"down-systemd-{verb}-{name}", f"disklessctl {verb}, server {name}: in time", FROM + " ip=dhcp",
             (*up, *before, GoesDownIn(f"{CTL} {verb}", within, midway, BEGUN if midway else ""), *after),
             root="debian", slow=True)
        for verb in ("reboot", "poweroff") for name, (before, midway, within, after) in ways.items())


def to_agents(signal: str, *names: str) -> str:
    """Shell words that send the signal to the processes of these names (comm)."""
    return (f"for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in {'|'.join(names)}) "
            f"kill -{signal} ${{p#/proc/}};; esac; done")


def options(*lines: str) -> Dhcp:
    return Dhcp(options=lines)


ROOT_PATH = "option:root-path,10.9.0.1:/srv/diskless/images/busybox/1"

# system-config-netboot of Red Hat Enterprise Linux 4, as an administrator left it behind.
SCN = "/srv/diskless/i386/RHEL4-AS"
SCN_FILES = {
    f"{SCN}/snapshot/files": "# a list of files that are stored in the snapshot directory of each client\n"
                             "# do not edit, create files.custom\n/etc/motd\n/var/log\n/etc/sysconfig/network\n",
    f"{SCN}/snapshot/files.custom": "/opt/data\n",
    f"{SCN}/snapshot/node1/etc/motd": "populated by pxeboot -S\n",
}

# What the published procedure of a Red Hat cluster of 128 nodes types. pxelinux.0 came with the distribution; the
# addresses are the laboratory's.
RHEL5 = "/srv/diskless/i386/RHEL5-AS"
RED_HAT_LOOP = f"""\
set -e
export PXE_TFTP_DIR=/srv/tftp/linux-install
mkdir -p $PXE_TFTP_DIR
cp /usr/lib/PXELINUX/pxelinux.0 /usr/lib/syslinux/modules/bios/ldlinux.c32 $PXE_TFTP_DIR
pxeos -a -i rhel5compute -p NFS -D 1 -s -L {RHEL5} rhel5compute
for i in $(seq 1 128); do printf '10.9.0.%d node%03d\\n' $((i + 10)) "$i"; done >/srv/nodes
while read line
do
ip=`echo $line | awk -F" " '{{ print $1 }}'`
host=`echo $line | awk -F" " '{{ print $2 }}'`

pxeboot -a -O rhel5compute -r 28753 -S $host -e eth0 -N my_nis_domain -s console=ttyS0,115200n8r     $ip

done </srv/nodes
[ "$(ls $PXE_TFTP_DIR/pxelinux.cfg | grep -c 0A)" = 128 ]
pxeos -l
"""

LISTS = """\
# every way to write a list wrongly, and a few right ones among them
/var/log            # a comment behind
/var/log/deep/nested
/etc/motd /opt/data
/opt/*.conf
/not/there
relative/path
/etc/../escape

/home/
"""


# A cluster of 2010: three lines of inittab, a service, and a directory that all nodes share. (And a shell, for us.)
SERVICE = "#!/bin/sh\nwhile :; do sleep 1000; done\n"
NODE_OF_2010 = {
    "etc/inittab": "id:1:initdefault:\nboot::bootwait:/bin/Rcinit\nsshd:1:respawn:/bin/sshd -D\n"
                   "S0:1:respawn:-/bin/sh\n",
    "etc/fstab": "proc /proc proc defaults,noauto 0 0\nnone /tmp tmpfs defaults,noauto,size=10M,nodev,nosuid 0 0\n"
                 "none /sys sysfs defaults,noauto 0 0\n"
                 "10.9.0.1:/srv/diskless/culc /culc nfs hard,intr,nodev,rw,defaults,proto=tcp 0 0\n",
    "bin/Rcinit": "#!/bin/sh\necho must not be run\n",
    "bin/sshd": SERVICE,
    "culc/.keep": "",
}
TELINIT = "/run/diskless/bin/telinit"
STAYED = (PowerOn(), Login(90), Shell("tr '\\0' ' ' </proc/1/cmdline", "^init @supervise"), Shell("hostname", "^node1$"))
RESPAWNED = (Shell("p=$(pidof sshd); kill $p; sleep 3; q=$(pidof sshd); [ \"$q\" -gt 1 ] && [ \"$q\" != \"$p\" ]"),)


# --- the cases ---

CASES: tuple[Case, ...] = (
    # The laboratory itself, without the product.
    Case("lab-itself", "a hand-made image boots busybox over NFS 3: the laboratory works",
         "lab.root={root} lab.options=vers=3", image="handmade",
         steps=(PowerOn(), Console("handmade: node1 is 10.9.0.11", 30), Console("busybox userland is up on node1", 30),
                Login(), mounted("/", "nfs", "ro,", "vers=3"), mounted("/var/log", "snapshots/node1"),
                Shell("echo hello >/var/log/x"), OnServer("/srv/diskless/snapshots/node1/var/log/x", "hello"),
                Shell("touch /opt/no", "Read-only file system"), Report("root.server", "10.9.0.1"),
                Type("/sbin/reboot -f"), GoesDown(20))),
    Case("lab-nfs4", "the same over NFS 4.2",
         "lab.root={root} lab.options=vers=4.2", image="handmade",
         steps=(PowerOn(), Login(60), mounted("/", "nfs4", "ro,", "vers=4.2"),
                mounted("/mnt", "nfs4", "snapshots/node1"), Shell("echo hello >/var/log/x"),
                OnServer("/srv/diskless/snapshots/node1/var/log/x", "hello"))),
    Case("lab-netboot", "the network card fetches kernel and image by TFTP",
         "lab.root={root} lab.options=vers=3", image="handmade", netboot=True,
         steps=(PowerOn(), Console("handmade: hand over", 60), Login(30))),
    Case("lab-loss", "the laboratory loses a fifth of all frames, and a hand-made image boots all the same",
         "lab.root={root} lab.options=vers=3", image="handmade", loss_percent=20,
         steps=(PowerOn(), Console("handmade: hand over", 120), Login(120), PacketsLost(10))),
    Case("lab-cut", "a node whose cable is cut stays where it is; mended, it goes on",
         "lab.root={root} lab.options=vers=3", image="handmade",
         steps=(PowerOn(), Login(60), CutNetwork(),
                Type("echo 3 >/proc/sys/vm/drop_caches; ls /home /opt/; echo went-on"),
                Silent("^went-on", 5), MendNetwork(), Console("^went-on", 60))),

    # Ways to an address and a root.
    Case("dhcp-v4.2", "DHCP, NFS 4.2", FROM + ",vers=4.2 ip=dhcp",
         (*UP, *OWN_SNAPSHOT, mounted("/", "nfs4", "vers=4.2"), Report("root.version", "^4.2$"),
          Report("lease.source", "dhcp"), Report("time.source", "sntp 10.9.0.1"), *NO_TROUBLE, *goes_down())),
    Case("dhcp-v3", "DHCP, NFS 3, without rpcbind or lockd on the node", FROM + ",vers=3 ip=dhcp",
         (*UP, *OWN_SNAPSHOT, mounted("/", "nfs ", "vers=3", "nolock"), Report("root.version", "^3$"), *NO_TROUBLE,
          ImageUnder(3000), *goes_down())),
    Case("root-of-lease", "the root is named by DHCP only, the version by nobody", "root=dhcp",
         (*UP, *OWN_SNAPSHOT, Report("lease.root_path", "busybox"), *NO_TROUBLE), dhcp=options(ROOT_PATH)),
    Case("dracut-words", "root and address as dracut writes them",
         "root=nfs4:{server}:{root} ip=eth0:dhcp rd.neednet=1",
         (*UP, *OWN_SNAPSHOT, mounted("/", "nfs4"))),
    Case("static-ip", "ip= with every field, no DHCP server at all",
         "root=/dev/nfs nfsroot={root} ip={address}:{server}:{server}:255.255.255.0:node1:eth0:off",
         (*UP, *OWN_SNAPSHOT, Report("lease.source", "fixed"), Report("lease.address", "10.9.0.11"), *NO_TROUBLE),
         dhcp=None),
    Case("pxelinux-ip", "the four fields of PXELINUX and a broadcast address for a gateway",
         "root=/dev/nfs nfsroot={server}:{root} ip={address}:{server}:10.9.0.255:255.255.255.0 hostname=node1",
         (*UP, *OWN_SNAPSHOT, Report("lease.address", "10.9.0.11"), Report("warnings", "10.9.0.255")), dhcp=None),
    Case("bootp", "BOOTP only", FROM + " ip=bootp",
         (*UP, *OWN_SNAPSHOT, Report("lease.source", "bootp"), Report("lease.address", "10.9.0.11"))),
    Case("two-nics", "two interfaces with carrier, a server behind the second only", FROM + " ip=dhcp",
         (*UP, *OWN_SNAPSHOT, Report("interface", "eth1")), hardware=Hardware(interfaces=("br1", "br0"))),
    Case("netboot", "the network card fetches kernel and image by TFTP", FROM + " ip=dhcp",
         (*UP, *OWN_SNAPSHOT, *NO_TROUBLE), netboot=True),

    # Servers and networks that are not well.
    Case("dhcp-late", "the DHCP server comes up 20 s after the node", FROM + " ip=dhcp",
         (PowerOn(), StartDhcp(after=20), *UP[1:], *OWN_SNAPSHOT), dhcp_late=True),
    Case("nfs-late", "the NFS server comes up 20 s after the node", FROM + " ip=dhcp",
         (PowerOn(), StartNfs(after=20), *UP[1:], *OWN_SNAPSHOT), nfs_late=True),
    Case("first-server-dead", "nobody has the address of the first of two NFS servers",
         "root=/dev/nfs nfsroot={dead},{server}:{root} ip=dhcp",
         (*UP, *OWN_SNAPSHOT, Report("root.server", "^10.9.0.1$"))),
    Case("packet-loss", "a fifth of all frames is lost", FROM + " ip=dhcp",
         (PowerOn(), Console("busybox userland is up", 180), Login(120), mounted("/", "^10[.]9[.]0[.]1:"),
          PacketsLost(10)), loss_percent=20),
    Case("snapshot-missing", "no snapshot for this node: it boots with volatile state and says so",
         FROM + " ip=dhcp",
         (PowerOn(), Console("snapshot.*node1", 60), Console("busybox userland is up", 30), Login(20),
          Shell("hostname", "^node1$"), Shell("echo x >/var/log/x"), Shell("cat /run/diskless/boot.json", '"volatile"'),
          OnServer(SNAPSHOT, None)), snapshots=()),
    Case("snapshot-waited-for", "no snapshot, and the node shall wait for it",
         FROM + " ip=dhcp diskless.snapshot.policy=wait",
         (PowerOn(), Console("snapshot.*node1", 60), MakeSnapshot("node1"), *UP[1:], *OWN_SNAPSHOT), snapshots=()),
    Case("clock-1970", "a flat battery: the clock says 1970", FROM + " ip=dhcp",
         (*UP, Shell("date +%Y", "^20[2-9][0-9]$"), Report("time.source", "sntp"),
          Report("time.step_ns", r"^1\d{18}$")),
         hardware=Hardware(rtc="1970-01-02")),
    Case("no-time", "a flat battery and no time server: the time of the image, at least", FROM + " ip=dhcp",
         (*UP, Shell("date +%Y", "^20[2-9][0-9]$"), Report("time.source", "image|snapshot")), time_server=False,
         hardware=Hardware(rtc="1970-01-02")),

    # State.
    Case("red-hat", "system-config-netboot's command line and tree, just as they were",
         f"root=/dev/ram0 init=disklessrc NFSROOT={{server}}:{SCN} ramdisk_size=10240 ETHERNET=eth0 SNAPSHOT=node1 "
         "NISDOMAIN=lab",
         (*UP, Shell("cat /etc/motd", "populated by pxeboot"), mounted("/etc/motd", "10.9.0.1:"),
          mounted("/var/log", "nfs"),
          Shell("domainname 2>/dev/null || cat /proc/sys/kernel/domainname", "^lab$"),
          Shell("echo mine >/opt/data"), OnServer(f"{SCN}/snapshot/node1/opt/data", "mine"),
          Report("snapshot.name", "^node1$")),
         root_path=f"{SCN}/root", snapshots_path=f"{SCN}/snapshot", server_files=SCN_FILES),
    Case("rwtab-statetab", "Red Hat's readonly-root lists in the root", FROM + " ip=dhcp",
         (*UP, Shell("ls /var/log/app/old.log", "No such file"),
          Shell("test -d /var/log/app && echo x >/var/log/app/x"),
          Shell("cat /opt/data", "data of the image"), Shell("echo volatile >/opt/data"),
          Shell("echo kept >>/etc/motd"),
          Shell("cat /var/lib/kept/seed", "seed"), Shell("echo kept >/var/lib/kept/x"),
          OnServer(f"{SNAPSHOT}/etc/motd", "kept"), OnServer(f"{SNAPSHOT}/var/lib/kept/x", "kept"),
          OnServer(f"{SNAPSHOT}/opt/data", None),
          *goes_down(), PowerOn(), Console("busybox userland is up", 90), Login(20),
          Shell("cat /etc/motd", "kept"), Shell("cat /opt/data", "data of the image")), root="rwtab"),
    Case("hard-lists", "a list with missing, nested, glob and bad entries", FROM + " ip=dhcp",
         (*UP, *OWN_SNAPSHOT, Shell("echo own >/var/log/deep/nested/x"),
          OnServer(f"{SNAPSHOT}/var/log/deep/nested/x", "own"),
          Shell("echo own >/opt/a.conf; echo own >/opt/b.conf"), OnServer(f"{SNAPSHOT}/opt/a.conf", "own"),
          OnServer(f"{SNAPSHOT}/opt/b.conf", "own"), Shell("touch /opt/other", "Read-only"),
          Shell("echo own >/home/x"), OnServer(f"{SNAPSHOT}/home/x", "own"),
          Shell("cat /run/diskless/boot.json", "relative/path"), Shell("cat /run/diskless/boot.json", "/not/there"),
          OnServer("/srv/diskless/snapshots/escape", None), OnServer(f"{SNAPSHOT}/escape", None)),
         root_files={"var/log/deep/nested/seed": "seed", "opt/a.conf": "a", "opt/b.conf": "b"},
         server_files={f"{SNAPSHOT}/files": LISTS}),
    Case("own-and-kept", "what a node writes is its own, outlives a reboot, and is not in the root", FROM + " ip=dhcp",
         (*UP, *OWN_SNAPSHOT, Shell("echo kept >/etc/motd"), Shell("cat /proc/sys/kernel/random/uuid >/var/log/token"),
          *goes_down(), OnServer(f"{SNAPSHOT}/etc/motd", "^kept$"), PowerOn(), Console("busybox userland is up", 90),
          Login(20), Shell("cat /etc/motd", "^kept$"), Shell("cat /var/log/token", "^[0-9a-f-]{36}$")),
         server_files={f"{SNAPSHOT}/files": "/etc/motd\n"}),
    Case("rw-root", "a root of the node's own, mounted rw", FROM + " rw ip=dhcp",
         (PowerOn(), Console("busybox userland is up", 60), Login(20), mounted("/", " rw,"),
          Shell("echo mine >/opt/new"), *goes_down(),
          OnServer("/srv/diskless/images/busybox/1/opt/new", "mine")), root_writable=True),

    # Whole distributions.
    Case("debian", "stock Debian with systemd and sshd: identity, status, no failed unit, reboot by disklessctl",
         FROM + " ip=dhcp",
         (PowerOn(), Login(90), mounted("/", " ro,"), Shell("systemctl is-system-running --wait", None, 60),
          Shell("systemctl --failed --no-legend", r"\A\s*\Z"), Shell("hostname", "^node1$"),
          Shell("cat /etc/machine-id", "^[0-9a-f]{32}$"), Shell("ls /etc/ssh/ssh_host_ed25519_key"),
          Shell("systemctl is-active ssh", "^active$"), Shell(f"{CTL} status", "node1"),
          Shell(f"{CTL} report", "mount-root"),
          *OWN_SNAPSHOT, *NO_TROUBLE, *goes_down()), root="debian"),
    Case("systemd-reboot", "systemctl reboot: in time, nothing lost, and the snapshot tells of it", FROM + " ip=dhcp",
         (PowerOn(), Login(90), LOUD, Write("/var/log/before"), GoesDownIn("systemctl reboot", DOWN), *NOTHING_LOST),
         root="debian"),
    Case("systemd-poweroff", "systemctl poweroff, though a service does not want to stop", FROM + " ip=dhcp",
         (PowerOn(), Login(90), LOUD,
          Shell("systemd-run --property=KillSignal=SIGCONT --property=SendSIGKILL=no sleep infinity"),
          Write("/var/log/before"), GoesDownIn("systemctl poweroff", DOWN), *NOTHING_LOST), root="debian"),
    Case("down-alive", "disklessctl from busybox: nothing is lost; asking init, without it, with a kernel of kexec",
         FROM + " ip=dhcp",
         (*UP, LOUD, Write("/var/log/before"), GoesDownIn(f"{CTL} reboot", DOWN),
          Written("/var/log/before", f"{SNAPSHOT}/var/log/before"), *AGAIN,
          Report("last_shutdown.outcome", "^init$"), Write("/var/log/before"),
          GoesDownIn(f"{CTL} poweroff --now", DOWN), *NOTHING_LOST, *AGAIN, ENDED,
          Shell(f"{CTL} kexec", "no kernel .*in /boot"))),
    Case("down-kexec", "disklessctl kexec: down safely, and up again without the firmware", FROM + " ip=dhcp",
         (*UP, LOUD, Write("/var/log/before", 512), OfferKernel(f"{SNAPSHOT}/var/log"),
          Type(f"{CTL} kexec --kernel /var/log/vmlinuz --initrd /var/log/initramfs.img"),
          Console("Command line: .*root=/dev/nfs", 40), Console("busybox userland is up", 60), Login(20),
          Written("/var/log/before", f"{SNAPSHOT}/var/log/before"),
          Shell("cat /run/diskless/boot.json", '"verb": "kexec"'))),
    Case("down-killed", "the server is killed before, in the middle of much writing, and frozen: in time",
         FROM + " ip=dhcp",
         (*UP, LOUD, KillNfs(), GoesDownIn(f"{CTL} reboot", GONE), *NO_WORD, StartNfs(), *AGAIN, NOT_ENDED,
          Type(STORM), GoesDownIn(f"{CTL} reboot --now", DOWN, (KillNfs(),), BEGUN), StartNfs(), *AGAIN,
          FreezeNfs(), GoesDownIn(f"{CTL} poweroff", GONE), ThawNfs(), *NO_WORD)),
    Case("down-unexported", "the root is not exported any more", FROM + " ip=dhcp",
         (*UP, LOUD, Write("/var/log/before"), WithdrawRoot(), GoesDownIn(f"{CTL} reboot", DOWN),
          Written("/var/log/before", f"{SNAPSHOT}/var/log/before"))),
    Case("down-full", "the snapshot is full: down in time, nothing of what fitted is lost", FROM + " ip=dhcp",
         (*UP, LOUD, Write("/var/log/before", 512), Shell("cat /dev/zero >/var/log/fill; sync", "No space left"),
          GoesDownIn(f"{CTL} reboot --now", DOWN), Written("/var/log/before", f"{SNAPSHOT}/var/log/before"),
          OnServer(f"{KEPT}/running", None)), snapshots_size="4M"),
    *down_matrix(),

    # A lease that is too short to be lost once, and programs of the root that would like to have the interface.
    Case("lease-held", "a lease of 20 s for a minute, with systemd-networkd told to take all interfaces",
         FROM + " ip=dhcp",
         (PowerOn(), Login(120), Shell("systemctl is-active systemd-networkd", "^active$"),
          Shell("networkctl reload; networkctl renew eth0; networkctl reconfigure eth0", ""), HoldsAddress(60),
          *goes_down()), root="debian-networkd", dhcp=Dhcp(lease_seconds=20)),
    *(Case(f"lease-held-{flavour}", f"a lease of 20 s for ten minutes, with {flavour}", FROM + " ip=dhcp",
           (PowerOn(), Login(120), Shell(provoke, ""), HoldsAddress(600), *goes_down()),
           root=f"debian-{flavour}", dhcp=Dhcp(lease_seconds=20), slow=True)
      for flavour, provoke in (("networkd", "networkctl renew eth0; networkctl reconfigure eth0"),
                               ("networkmanager", "systemctl is-active NetworkManager; nmcli device connect eth0"),
                               ("ifupdown", "ifdown eth0; ifup eth0"))),
    Case("reboot-cable-cut", "disklessctl reboot when no packet comes or goes", FROM + " ip=dhcp",
         (PowerOn(), Login(90), CutNetwork(), *goes_down("reboot", 60)), root="debian"),
    Case("poweroff-server-killed", "disklessctl poweroff after the NFS server was killed", FROM + " ip=dhcp",
         (PowerOn(), Login(90), KillNfs(), *goes_down("poweroff", 60)), root="debian"),
    Case("busybox-reboot-cut", "the same with busybox for PID 1", FROM + " ip=dhcp",
         (*UP, CutNetwork(), *goes_down("reboot", 60))),
    Case("agent-killed", "agent and guardian were killed at once: disklessctl takes the node down by itself",
         FROM + " ip=dhcp",
         (*UP, Shell(to_agents("STOP", "diskless-agent", "diskless-guard")),
          Shell(to_agents("KILL", "diskless-agent", "diskless-guard")),
          Shell(f"{CTL} status", "not answering"), *goes_down())),
    Case("agent-restarted", "the agent is killed every second for 20 s, then its guardian: all goes on as before",
         FROM + " ip=dhcp",
         (*UP, Shell(f"for i in $(seq 20); do {to_agents('KILL', 'diskless-agent')}; sleep 1; done", None, 90),
          Shell(f"{CTL} status", r"agent +running, started again (19|20|21) times"), Shell(f"{CTL} check"),
          Shell(to_agents("KILL", "diskless-guard")), Shell("sleep 5; for p in /proc/[0-9]*; do cat $p/comm; done",
                                                            "^diskless-guard", 20),
          Shell(f"{CTL} log", "its guardian is gone, taking its place"),
          Shell(f"for i in $(seq 120); do {CTL} metrics | grep -q 'lease_renewals_total [1-9]' && echo renewed && "
                "break; sleep 1; done", "^renewed", 150),
          Shell("ip addr show dev eth0", "10[.]9[.]0[.]11/24"), *goes_down()), dhcp=Dhcp(lease_seconds=120)),
    Case("server-restarted", "the NFS server restarts under load: the node goes on, and told what it saw",
         FROM + " ip=dhcp",
         (*UP, Shell("(while :; do date >>/var/log/load; sleep 0.2; done) &"),
          Shell("sleep 1; cat /var/log/load", ":"), LOUD, KillNfs(), Console("root server is unreachable: 10.9.0.1", 40),
          Shell(f"{CTL} status", "server unreachable for"), StartNfs(),
          Console("root server 10[.]9[.]0[.]1 is well again", 90),
          Shell("ls -l /bin/busybox; n=$(wc -l </var/log/load); sleep 2; test $(wc -l </var/log/load) -gt $n", None, 60),
          Shell(f"{CTL} metrics", r'server_outages_total[{]server="root"[}] 1'),
          Shell(f"{CTL} check"), *goes_down())),
    Case("root-lost", "a root that stays away is not waited for for ever, when so told",
         FROM + " ip=dhcp diskless.root-loss=20",
         (*UP, LOUD, KillNfs(), Console("rebooting because the root is gone", 60), GoesDown(45))),
    Case("watchdog", "a node whose agent hangs is reset by the watchdog; being killed is no reason",
         FROM + " ip=dhcp diskless.watchdog=10",
         (PowerOn(), Login(90), LOUD, Shell("modprobe softdog"),
          Console("watchdog resets the node when it is not fed for 10 s", 30),
          Shell(to_agents("KILL", "diskless-agent")), Shell(f"sleep 20; {CTL} status", "watchdog +fed", 40),
          Shell(to_agents("STOP", "diskless-agent")), GoesDown(30)), root="debian"),
    Case("reload", "a list that was changed on a running node", FROM + " ip=dhcp",
         (*UP, Shell("touch /opt/data", "Read-only"), Shell(f"{CTL} reload", "^nothing has changed"),
          Shell("echo /opt/data >/run/diskless/snapshot/files.custom"),
          Shell(f"{CTL} reload", r"^[+] persistent /opt/data"), Shell("echo mine >/opt/data"),
          OnServer(f"{SNAPSHOT}/opt/data", "^mine"), Shell(f"{CTL} state", "/opt/data"), Shell(f"{CTL} check"),
          *goes_down()), root_files={"opt/data": "of the image"}),
    Case("sysvinit", "Debian with sysvinit", FROM + " ip=dhcp",
         (PowerOn(), Login(120), mounted("/", " ro,"), Shell("hostname", "^node1$"), *OWN_SNAPSHOT, *goes_down()),
         root="debian-sysvinit"),

    # The node program stays PID 1.
    Case("pid1", "a root of 2010 runs by its three lines of inittab", FROM + " ip=dhcp diskless.init=self",
         (*STAYED, mounted("/", " ro,"), mounted("/tmp", "tmpfs", "size=10240k", "nodev"), mounted("/culc", "nfs"),
          Shell("echo shared >/culc/x"), OnServer("/srv/diskless/culc/x", "shared"), *OWN_SNAPSHOT, *NO_TROUBLE,
          Report("init", "diskless-init$"), *RESPAWNED, Shell(f"{TELINIT} q && sleep 1 && pidof sshd"),
          Shell("p=$(pidof sshd); {} u; sleep 2; [ $(pidof sshd) = $p ]; tr '\\0' ' ' </proc/1/cmdline".format(TELINIT),
                "Rsshd="),
          *RESPAWNED, Shell("dmesg", "boot script is not run"),
          Shell("grep -x $(pidof sshd) /sys/fs/cgroup/diskless/sshd/cgroup.procs"), Shell(f"{CTL} status", "node1"),
          Shell("echo kept >/var/log/kept"), Type("reboot"), GoesDown(30),
          OnServer(f"{SNAPSHOT}/var/log/kept", "^kept$"), *STAYED, *goes_down()),
         root_files=NODE_OF_2010, server_files={"/srv/diskless/culc/here": "yes\n"},
         exports=(Export("/srv/diskless/culc", writable=True),)),
    Case("pid1-storm", "what a PID 1 must live through: a service that dies, orphans, signals, random bytes, no room",
         FROM + " ip=dhcp diskless.init=self",
         (*STAYED, Shell("for i in $(seq 30); do dmesg | grep -q 'rests for 5 minutes' && break; sleep 1; done; "
                         "dmesg | grep rests", "inittab die", 60),
          Shell("p=$(awk '/^processes/ {print $2}' /proc/stat); sleep 10; "
                "q=$(awk '/^processes/ {print $2}' /proc/stat); [ $((q - p)) -lt 10 ]", None, 30),
          Shell("i=0; while [ $i -lt 1000 ]; do (sleep 1 &); i=$((i + 1)); done; sleep 4; "
                "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l", "^0$", 60),
          Shell("kill -SEGV 1; kill -ABRT 1; kill -ILL 1; sleep 1; dmesg | grep -c 'stands for a crash'", "^[123]$"),
          Shell("dd if=/dev/zero of=/run/full bs=64k 2>&1; df /run", "100%", 60), *RESPAWNED, Shell("rm /run/full"),
          Shell(f"head -c 5000 /dev/urandom >/tmp/random; mount -o bind /tmp/random /etc/inittab; {TELINIT} q; sleep 2; "
                "dmesg | grep 'stays in force'", "stays in force"),
          *RESPAWNED, *goes_down("poweroff")),
         root_files={"etc/inittab": "id:1:initdefault:\ndie:1:respawn:/bin/false\nsshd:1:respawn:/bin/sshd -D\n"
                                    "S0:1:respawn:-/bin/sh\n", "bin/sshd": SERVICE}),
    Case("pid1-cut", "a reboot that PID 1 itself is asked for when no packet comes or goes",
         FROM + " ip=dhcp diskless.init=self", (*STAYED, CutNetwork(), Type("kill -TERM 1"), GoesDown(40)),
         root_files={"etc/inittab": NODE_OF_2010["etc/inittab"], "bin/sshd": SERVICE}),
    Case("pid1-no-inittab", "no init in the root, an inittab that says nothing: a login on the console",
         FROM + " ip=dhcp diskless.init=self",
         (PowerOn(), Console("no entry that can be used", 90), Login(30), Shell("tr '\\0' ' ' </proc/1/cmdline", "@supervise"),
          *goes_down()), root_files={"etc/inittab": "\x01\x02 nothing: at all\n", "sbin/getty": "#!/bin/sh\nexec sh -l\n"}),
    Case("pid1-mounted-root", "another initramfs has mounted the root, the node program is its init",
         "lab.root={root} lab.options=vers=3 init=/sbin/diskless-init", image="handmade", program_in_root="sbin/diskless-init",
         steps=(*STAYED, mounted("/", "^10[.]9[.]0[.]1:", " ro,"), *OWN_SNAPSHOT, Report("interface", "eth0"),
                Report("root.version", "^3$"), *RESPAWNED, Shell("echo kept >/var/log/kept"), *goes_down(),
                OnServer(f"{SNAPSHOT}/var/log/kept", "^kept$")),
         root_files={**NODE_OF_2010, "sbin/init": "#!/bin/sh\nexec /sbin/diskless-init\n", "etc/fstab": "# none\n"}),
    Case("initramfs-tools", "the node program in an image by initramfs-tools", FROM + " ip=dhcp boot=diskless",
         (*UP, *OWN_SNAPSHOT), image="initramfs-tools"),
    Case("dracut", "the node program in an image by dracut", FROM + " ip=dhcp", (*UP, *OWN_SNAPSHOT), image="dracut"),

    # Everything from diskless-server: its tree, its image, its rendered boot files and servers.
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
    Case("helper-red-hat", "pxeos once, pxeboot in a loop, as published: a node of the list boots", "",
         (Administrator(RED_HAT_LOOP, "Location: " + RHEL5), PowerOn(), *LOGIN, Shell("hostname", "^node001$"),
          mounted("/", f"10.9.0.1:{RHEL5}/root", " ro,"), mounted("/var/log", "nfs"),
          Report("snapshot.name", "^node001$"), Report("snapshot.state", "mounted"),
          Shell("cat /proc/sys/kernel/domainname", "^my_nis_domain$"),
          Shell("echo own >/var/log/x"), OnServer(f"{RHEL5}/snapshot/node001/var/log/x", "^own$"),
          OnServer(f"{RHEL5}/snapshot/node002/var/log/x", None), *goes_down()),
         root="golden", root_path=f"{RHEL5}/root", snapshots_path=f"{RHEL5}/snapshot", snapshots=(),
         snapshot="node001", boot_file="linux-install/pxelinux.0"),
)


def by_name(name: str) -> Case:
    for case in CASES:
        if case.name == name:
            return case
    raise KeyError(name)
