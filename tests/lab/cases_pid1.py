"""The node program stays PID 1."""

from __future__ import annotations

from case import CTL, FROM, NO_TROUBLE, OWN_SNAPSHOT, SNAPSHOT, Case, goes_down
from server import Export
from steps import Console, CutNetwork, GoesDown, Login, OnServer, PowerOn, Report, Shell, Type, mounted

# A cluster of 2010: three lines of inittab, a service, and a directory that all nodes share. (And a shell, for us.)
SERVICE = "#!/bin/sh\necho sshd listens >&2\nwhile :; do sleep 1000; done\n"
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


CASES: tuple[Case, ...] = (
    Case("pid1", "a root of 2010 runs by its three lines of inittab", FROM + " ip=dhcp diskless.init=self",
         (*STAYED, mounted("/", " ro,"), mounted("/tmp", "tmpfs", "size=10240k", "nodev"), mounted("/culc", "nfs"),
          Shell("echo shared >/culc/x"), OnServer("/srv/diskless/culc/x", "shared"), *OWN_SNAPSHOT, *NO_TROUBLE,
          Report("init", "diskless-init$"), *RESPAWNED, Shell(f"{TELINIT} q && sleep 1 && pidof sshd"),
          Shell("p=$(pidof sshd); {} u; sleep 2; [ $(pidof sshd) = $p ]; tr '\\0' ' ' </proc/1/cmdline".format(TELINIT),
                "Rsshd="),
          *RESPAWNED, Shell("dmesg", "boot script is not run"),
          Shell(f"{CTL} log sshd", "-- process [0-9]+ was killed by signal 15 --"), Shell(f"{CTL} log sshd", "sshd listens"),
          Shell(f"(cat /etc/inittab; echo new:1:respawn:/bin/sleep 1001) >/tmp/t; mount -o bind /tmp/t /etc/inittab; {CTL} reload",
                "^[+] inittab new: /bin/sleep 1001"),
          Shell("grep -x $(pidof sshd) /sys/fs/cgroup/diskless/sshd/cgroup.procs"), Shell(f"{CTL} status", "node1"),
          Shell("echo kept >/var/log/kept"), Type("reboot"), GoesDown(30),
          OnServer(f"{SNAPSHOT}/var/log/kept", "^kept$"), *STAYED, *goes_down()),
         root_files=NODE_OF_2010, server_files={"/srv/diskless/culc/here": "yes\n"},
         exports=(Export("/srv/diskless/culc", writable=True),)),
    Case("pid1-image", "the root is one file: it is let go of, and so is what holds it", "boot=live netboot=nfs nfsroot={server}:{root} ip=dhcp diskless.init=self diskless.mode=ro",
         (PowerOn(), Login(90), Shell("tr '\\0' ' ' </proc/1/cmdline", "^init @supervise"), mounted("/", "squashfs", " ro,"),
          *OWN_SNAPSHOT, *NO_TROUBLE, Type("reboot"), GoesDown(30),
          OnServer(f"{SNAPSHOT}/.diskless/last-shutdown.json", '"clean"')),
         root="live-vine", image="image-root"),
    Case("pid1-storm", "what a PID 1 must live through: a service that dies, orphans, signals, random bytes, no room",
         FROM + " ip=dhcp diskless.init=self",
         (*STAYED, Shell("for i in $(seq 30); do dmesg | grep -q 'rests for 5 minutes' && break; sleep 1; done; "
                         "dmesg | grep rests", "inittab die", 60),
          Shell("p=$(awk '/^processes/ {print $2}' /proc/stat); sleep 10; "
                "q=$(awk '/^processes/ {print $2}' /proc/stat); [ $((q - p)) -lt 10 ]", None, 30),
          Shell("i=0; while [ $i -lt 1000 ]; do (sleep 1 &); i=$((i + 1)); done; "
                "for i in $(seq 30); do sleep 1; left=$(grep -l '^State:.Z' /proc/[0-9]*/status | wc -l); "
                "[ $(pidof sleep | wc -w) -le 1 ] && [ $left = 0 ] && break; done 2>/dev/null; echo left: $left", "^left: 0$", 90),
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
)
