"""Ways to an address and a root; servers that are not well; what a node may write; distributions."""

from __future__ import annotations

from case import CTL, FROM, NO_TROUBLE, OWN_SNAPSHOT, SNAPSHOT, UP, Case, goes_down, options
from node import Hardware
from steps import (Console, CutNetwork, GoesDown, GoesDownIn, ImageUnder, Login, MakeSnapshot, MendNetwork, OnServer, PacketsLost,
                   PowerOn, Report, Shell, Silent, StartDhcp, StartNfs, Type, mounted)

ROOT_PATH = "option:root-path,10.9.0.1:/srv/diskless/images/busybox/1"

# system-config-netboot of Red Hat Enterprise Linux 4, as an administrator left it behind.
SCN = "/srv/diskless/i386/RHEL4-AS"
SCN_FILES = {
    f"{SCN}/snapshot/files": "# a list of files that are stored in the snapshot directory of each client\n"
                             "# do not edit, create files.custom\n/etc/motd\n/var/log\n/etc/sysconfig/network\n",
    f"{SCN}/snapshot/files.custom": "/opt/data\n",
    f"{SCN}/snapshot/node1/etc/motd": "populated by pxeboot -S\n",
}

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


OVERLAY_UP = (PowerOn(), Console("busybox userland is up", 90), Login(20), mounted("/", "^overlay ", " rw,"),
              mounted("/run/diskless/root", "^10[.]9[.]0[.]1:", " ro,nosuid,nodev,"))

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
    Case("lab-loss", "the laboratory loses every fifth frame but acknowledgements, and a hand-made image boots all the same",
         "lab.root={root} lab.options=vers=3", image="handmade", loss_one_in=5,
         steps=(PowerOn(), Console("handmade: hand over", 120), Login(120), PacketsLost(100))),
    Case("lab-cut", "a node whose cable is cut stays where it is; mended, it goes on",
         "lab.root={root} lab.options=vers=3", image="handmade",
         steps=(PowerOn(), Login(60), CutNetwork(),
                Type("echo 3 >/proc/sys/vm/drop_caches; ls /home /opt/; echo went-on"),
                Silent("^went-on", 5), MendNetwork(), Console("^went-on", 60)), waits=True),

    # Ways to an address and a root.
    Case("dhcp-v4.2", "DHCP, NFS 4.2", FROM + ",vers=4.2 ip=dhcp",
         (*UP, *OWN_SNAPSHOT, mounted("/", "nfs4", "vers=4.2"), Report("root.version", "^4.2$"),
          Report("lease.source", "dhcp"), Report("time.source", "sntp 10.9.0.1"), *NO_TROUBLE, *goes_down())),
    Case("dhcp-v3", "DHCP, NFS 3, without rpcbind or lockd on the node", FROM + ",vers=3 ip=dhcp",
         (*UP, *OWN_SNAPSHOT, mounted("/", "nfs ", "vers=3", "nolock"), Report("root.version", "^3$"), *NO_TROUBLE,
          ImageUnder(3000), *goes_down())),
    Case("modules-lean", "drivers and NFS client without signatures and trace events", FROM + " ip=dhcp",
         (*UP, *OWN_SNAPSHOT, Shell("cat /proc/sys/kernel/tainted", "^8192$"),  # an unsigned module, and nothing else
          Shell("mount -t tracefs t /mnt; ls /mnt/events >/tmp/events; grep -c . /tmp/events", "^[1-9]"),
          Shell("grep -c nfs /tmp/events", "^0$"),
          # nor is there a call of the function tracer for the kernel to take out; its own are there
          Shell("grep -c . /mnt/available_filter_functions", "^[1-9]"),
          Shell("grep -c '[[]nfs' /mnt/available_filter_functions", "^0$"), *NO_TROUBLE, *goes_down())),
    Case("modules-signed", "a kernel that takes signed modules only gets them whole",
         FROM + " ip=dhcp module.sig_enforce=1",
         (*UP, *OWN_SNAPSHOT, Shell("cat /proc/sys/kernel/tainted", "^0$"),
          Shell("mount -t tracefs t /mnt; ls -1 /mnt/events", "^nfs$"),
          Shell("grep -c '[[]nfs' /mnt/available_filter_functions", "^[1-9]"), *NO_TROUBLE, *goes_down())),
    Case("modules-locked-down", "a kernel that Secure Boot has locked down gets them whole", FROM + " ip=dhcp lockdown=integrity",
         (*UP, *OWN_SNAPSHOT, Shell("cat /proc/sys/kernel/tainted", "^0$"), *NO_TROUBLE, *goes_down())),
    Case("modules-whole", "a node that shall have its modules as they are", FROM + " ip=dhcp diskless.modules=whole",
         (*UP, *OWN_SNAPSHOT, Shell("cat /proc/sys/kernel/tainted", "^0$"), *NO_TROUBLE)),
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
         (PowerOn(), StartDhcp(after=20), *UP[1:], *OWN_SNAPSHOT), dhcp_late=True, waits=True),
    Case("nfs-late", "the NFS server comes up 20 s after the node", FROM + " ip=dhcp",
         (PowerOn(), StartNfs(after=20), *UP[1:], *OWN_SNAPSHOT), nfs_late=True, waits=True),
    Case("first-server-dead", "nobody has the address of the first of two NFS servers",
         "root=/dev/nfs nfsroot={dead},{server}:{root} ip=dhcp",
         (*UP, *OWN_SNAPSHOT, Report("root.server", "^10.9.0.1$"))),
    Case("packet-loss", "every fifth frame is lost, but no acknowledgement", FROM + " ip=dhcp",
         (PowerOn(), Console("busybox userland is up", 180), Login(120), mounted("/", "^10[.]9[.]0[.]1:"),
          PacketsLost(10)), loss_one_in=5),
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

    *(Case(f"writable-export-v{version}", f"a shared root that nodes could write, by NFS {version}: told, and read-only all the same",
           FROM + f" ip=dhcp nfsopts=vers={version}",
           (*UP, Shell("cat /run/diskless/boot.json", "is exported read-write"), Shell("touch /etc/new", "Read-only"),
            Shell("grep ' / / ' /proc/self/mountinfo", " - nfs4? [^ ]+ ro,"),
            OnServer("/srv/diskless/images/busybox/1/etc/new", None)), root_writable=True) for version in ("3", "4.2")),

    Case("init-cannot-be-executed", "a real init without its interpreter: cause, remedy, a shell; the agent is there all the same, and reboots",
         FROM + " ip=dhcp init=/sbin/broken diskless.onfail=shell",
         (PowerOn(), Console("boot stopped: run /sbin/broken", 60), Console("its #! interpreter", 5),
          Console("a shell on the console", 5), Type(f"sleep 6; {CTL} status"), Console("^agent +running", 30),
          Type(f"{CTL} reboot"), GoesDown(40), OnServer(f"{SNAPSHOT}/.diskless/last-shutdown.json", '"clean"')),
         root="golden", root_files={"sbin/broken": "#!/no/such/interpreter\n"}),

    # A shared root that can be written everywhere, in memory. The module is the root's.
    *(Case(f"overlay-v{version}", f"a root by NFS {version} under memory: what is written is gone at the next boot, what is listed stays",
           FROM + f" ip=dhcp nfsopts=vers={version} diskless.mode=overlay diskless.overlay.size=64m",
           (*OVERLAY_UP, *OWN_SNAPSHOT, Report("root.mode", "^overlay$"),
            Shell("echo mine >/etc/issue && mv /opt/tool /opt/renamed && chmod 700 /opt/renamed/file && rm /etc/os-release"),
            Shell("cat /opt/renamed/file", "^of the image$"), Shell("touch /run/diskless/root/no", "Read-only"),
            Shell("echo kept >/var/log/kept"), Shell(f"{CTL} check; {CTL} status", "overlay"),
            OnServer("/srv/diskless/images/golden/1/etc/issue", None),
            OnServer("/srv/diskless/images/golden/1/opt/tool/file", "of the image"), *NO_TROUBLE, *goes_down(),
            *OVERLAY_UP, Shell("ls /opt/renamed", "No such file"), Shell("cat /etc/os-release /var/log/kept", "^kept$"),
            Shell("dd if=/dev/zero of=/opt/big bs=1M", "No space left", 60),
            Shell(f"for i in 1 2 3 4 5; do {CTL} status >/tmp/s; grep -q larger /tmp/s && break; sleep 4; done; cat /tmp/s",
                  "memory for what is written to the root is full", 40), *goes_down()),
           root="golden", root_files={"/opt/tool/file": "of the image\n", "/etc/os-release": "NAME=golden\n"})
      for version in ("3", "4.2")),
    Case("overlay-debian", "stock Debian under memory: no failed unit, a package's files, systemctl reboot",
         FROM + " ip=dhcp diskless.mode=overlay",
         (PowerOn(), Login(90), mounted("/", "^overlay ", " rw,"), Shell("systemctl is-system-running --wait", None, 60),
          Shell("systemctl --failed --no-legend", r"\A\s*\Z"), Shell("useradd -m somebody && id somebody", "somebody"),
          Shell("cp -a /usr/share/doc /usr/share/doc2 && ls /usr/share/doc2", "dpkg", 60),
          Shell("hostname", "^node1$"), Shell("echo kept >/var/log/kept"), *OWN_SNAPSHOT, *NO_TROUBLE,
          Shell(f"{CTL} check", None, 30), Type("systemctl reboot"), GoesDown(30),
          OnServer(f"{SNAPSHOT}/var/log/kept", "kept"), OnServer(f"{SNAPSHOT}/.diskless/last-shutdown.json", '"clean"'),
          OnServer("/srv/diskless/images/debian/1/usr/share/doc2", None)), root="debian"),

    # A root that is one file. "live" has nothing beside it, so the modules are the initramfs's.
    *(Case(f"image-v{version}", f"a root in a squashfs file by NFS {version}, read-only: lists are as on any root",
           FROM + f" ip=dhcp nfsopts=vers={version} diskless.image=live/filesystem.squashfs",
           (PowerOn(), Console("busybox userland is up", 90), Login(20), mounted("/", "^/dev/loop", "squashfs", " ro,"),
            mounted("/run/diskless/image", "^10[.]9[.]0[.]1:", " ro,nosuid,nodev,"), *OWN_SNAPSHOT,
            Report("root.image", "^live/filesystem.squashfs$"), Report("root.mode", "^ro$"),
            Shell("touch /opt/no", "Read-only"), Shell("echo kept >/var/log/kept"), Shell(f"{CTL} check; {CTL} status", "live/filesystem"),
            OnServer(f"{SNAPSHOT}/var/log/kept", "kept"), *NO_TROUBLE, *goes_down()),
           root="live", image="image-root")
      for version in ("3", "4.2")),
    Case("image-live-boot", "the words of live-boot: its image, under memory",
         "boot=live netboot=nfs nfsroot={server}:{root} ip=dhcp",
         (PowerOn(), Console("busybox userland is up", 90), Login(20), mounted("/", "^overlay ", " rw,"),
          mounted("/run/diskless/root", "squashfs"), Shell("echo mine >/etc/issue && cat /etc/issue", "^mine$"),
          *OWN_SNAPSHOT, Report("root.image", "^live/filesystem.squashfs$"), Report("root.mode", "^overlay$"), *NO_TROUBLE,
          CutNetwork(), GoesDownIn(f"{CTL} poweroff", 12)), root="live", image="image-root"),
    Case("image-debian", "stock Debian in a squashfs file under memory: no failed unit, systemctl reboot",
         FROM + " ip=dhcp diskless.mode=overlay diskless.image=live/filesystem.squashfs",
         (PowerOn(), Login(90), mounted("/", "^overlay ", " rw,"), Shell("systemctl is-system-running --wait", None, 60),
          Shell("systemctl --failed --no-legend", r"\A\s*\Z"), Shell("useradd -m somebody && id somebody", "somebody"),
          Shell("hostname", "^node1$"), Shell("echo kept >/var/log/kept"), *OWN_SNAPSHOT, *NO_TROUBLE,
          Shell(f"{CTL} check", None, 30), Type("systemctl reboot"), GoesDown(30), OnServer(f"{SNAPSHOT}/var/log/kept", "kept"),
          OnServer(f"{SNAPSHOT}/.diskless/last-shutdown.json", '"clean"')), root="live-debian", image="image-root"),
    Case("image-debian-ro", "the same read-only: systemd goes down with a root on a loop device",
         FROM + " ip=dhcp diskless.image=live/filesystem.squashfs",
         (PowerOn(), Login(90), mounted("/", "^/dev/loop", " ro,"), Shell("systemctl is-system-running --wait", None, 60),
          Shell("systemctl --failed --no-legend", r"\A\s*\Z"), *OWN_SNAPSHOT, *NO_TROUBLE, Shell(f"{CTL} check", None, 30),
          Type(f"{CTL} reboot"), GoesDown(30), OnServer(f"{SNAPSHOT}/.diskless/last-shutdown.json", '"clean"')),
         root="live-debian", image="image-root"),
    Case("image-missing", "no such file in a directory that is a root itself: it boots from that, and says so",
         FROM + " ip=dhcp diskless.image=.diskless-root.squashfs",
         (*UP, *OWN_SNAPSHOT, Report("steps", "no .diskless-root.squashfs in 10.9.0.1"), *goes_down())),

    # Whole distributions.
    Case("debian", "stock Debian with systemd and sshd: identity, status, no failed unit, reboot by disklessctl",
         FROM + " ip=dhcp",
         (PowerOn(), Login(90), mounted("/", " ro,"), Shell("systemctl is-system-running --wait", None, 60),
          Shell("systemctl --failed --no-legend", r"\A\s*\Z"), Shell("hostname", "^node1$"),
          Shell("cat /etc/machine-id", "^[0-9a-f]{32}$"), Shell("ls /etc/ssh/ssh_host_ed25519_key"),
          Shell("systemctl is-active ssh", "^active$"), Shell(f"{CTL} status", "node1"),
          Shell(f"{CTL} report", "mount-root"),
          *OWN_SNAPSHOT, *NO_TROUBLE, *goes_down()), root="debian"),
    Case("debian-rw", "stock Debian on a root of its own: no failed unit, what it writes is in that root",
         FROM + " ip=dhcp rw",
         (PowerOn(), Login(90), mounted("/", " rw,"), Shell("systemctl is-system-running --wait", None, 60),
          Shell("systemctl --failed --no-legend", r"\A\s*\Z"), Shell("echo mine >/etc/issue; cat /etc/machine-id", "^[0-9a-f]{32}$"),
          Shell("sha256sum </etc/ssh/ssh_host_ed25519_key >/etc/key-of-the-first-boot"),
          *OWN_SNAPSHOT, *NO_TROUBLE, *goes_down(), OnServer("/srv/diskless/images/debian/1/etc/issue", "mine"),
          PowerOn(), Login(90), Shell("sha256sum </etc/ssh/ssh_host_ed25519_key | cmp - /etc/key-of-the-first-boot"),
          *goes_down()),
         root="debian", root_writable=True),
    Case("sysvinit", "Debian with sysvinit", FROM + " ip=dhcp",
         (PowerOn(), Login(120), mounted("/", " ro,"), Shell("hostname", "^node1$"), *OWN_SNAPSHOT, *goes_down()),
         root="debian-sysvinit"),
    Case("initramfs-tools", "the node program in an image by initramfs-tools", FROM + " ip=dhcp boot=diskless",
         (*UP, *OWN_SNAPSHOT), image="initramfs-tools"),
    Case("dracut", "the node program in an image by dracut", FROM + " ip=dhcp", (*UP, *OWN_SNAPSHOT), image="dracut"),
)
