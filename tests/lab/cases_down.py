"""The way down: who asks, and in which trouble the server is."""

from __future__ import annotations

from case import CTL, FROM, LOUD, SNAPSHOT, UP, Case
from cases_pid1 import NODE_OF_2010, STAYED, TELINIT
from disk import DiskClean, SwapFileOnServer
from node import Hardware
from steps import (Console, CutNetwork, FreezeNfs, GoesDownIn, KillNfs, Login, OfferKernel, OnServer, PowerOn, Report,
                   Shell, StartNfs, Step, ThawNfs, Type, WithdrawRoot, Write, Written, mounted)

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


# What may be wrong with the server: steps before the node is told to go down, steps in the middle of its way, seconds that
# are allowed, and what must be seen on the server afterwards.
FILL = Shell("cat /dev/zero >/var/log/fill; sync", "No space left", 60)
KEPT_BEFORE = (Written("/var/log/before", f"{SNAPSHOT}/var/log/before"),)
TROUBLES: dict[str, tuple[tuple[Step, ...], tuple[Step, ...], int, tuple[Step, ...]]] = {
    "alive": ((), (), DOWN, NOTHING_LOST), "killed": ((KillNfs(),), (), GONE, NO_WORD),
    "killed-midway": ((Type(STORM),), (KillNfs(),), DOWN, ()), "frozen": ((FreezeNfs(),), (), GONE, NO_WORD),
    "cut": ((CutNetwork(),), (), GONE, NO_WORD), "unexported": ((WithdrawRoot(),), (), DOWN, KEPT_BEFORE),
    "full": ((FILL,), (), DOWN, KEPT_BEFORE)}


ALWAYS = ("down-systemd-reboot-cut", "down-systemd-poweroff-killed", "down-busybox-reboot-cut")


def down_matrix() -> tuple[Case, ...]:
    """Each PID 1, each verb, each trouble: slow, but for ALWAYS."""
    cases = []
    for init in ("systemd", "self", "busybox"):
        up = {"systemd": (PowerOn(), Login(120)), "self": STAYED, "busybox": UP}[init]
        for verb in ("reboot", "poweroff"):
            for name, (before, midway, within, after) in TROUBLES.items():
                if init == "busybox" and name == "alive":
                    after = KEPT_BEFORE  # busybox unmounts by itself
                case = f"down-{init}-{verb}-{name}"
                cases.append(Case(
                    case, f"disklessctl {verb} with {init} for PID 1, server {name}: in time",
                    FROM + " ip=dhcp" + (" diskless.init=self" if init == "self" else ""),
                    (*up, LOUD, Write("/var/log/before", 512), *before,
                     GoesDownIn(f"{CTL} {verb}", within, midway, BEGUN if midway else ""), *after),
                    root="debian" if init == "systemd" else "busybox",
                    root_files=NODE_OF_2010 if init == "self" else {},
                    snapshots_size="64M" if name == "full" else "", slow=case not in ALWAYS))
    return tuple(cases)


CASES: tuple[Case, ...] = (
    *(Case(f"down-overlay-{name}", f"a root under memory, server {name}: in time", FROM + " ip=dhcp diskless.mode=overlay",
           (PowerOn(), Login(120), LOUD, Write("/var/log/before", 512), Shell("echo x >/usr/x"), *before,
            GoesDownIn(f"{CTL} reboot", within, midway, BEGUN if midway else ""), *after), root="debian")
      for name, (before, midway, within, after) in TROUBLES.items() if name in ("cut", "killed-midway")),
    Case("down-overlay-self", "our own PID 1 on a root under memory: nothing lost, and up again",
         FROM + " ip=dhcp diskless.mode=overlay diskless.init=self",
         (*STAYED, mounted("/", "^overlay "), LOUD, Shell("echo x >/bin/x"), Write("/var/log/before", 512),
          GoesDownIn(f"{CTL} reboot", DOWN), *NOTHING_LOST, *STAYED, LOUD, ENDED, Shell("ls /bin/x", "No such file"),
          CutNetwork(), GoesDownIn(f"{CTL} poweroff", GONE)), root="golden", root_files=NODE_OF_2010),
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
    Case("swap", "compressed memory, a partition, a file on a Windows partition, a file of the snapshot: on, used, off",
         FROM + " ip=dhcp diskless.swap=zram:16M diskless.swap=LABEL=scratch "
         "diskless.swap=LABEL=WINDOWS:/LINUX.SWP diskless.swap=snapshot:/swap",
         (SwapFileOnServer(f"{SNAPSHOT}/swap"), *UP, LOUD,
          Shell("cat /proc/swaps", r"(?s)(?=.*/dev/zram0)(?=.*/dev/vda2)(?=.*/LINUX[.]SWP)(?=.*/swap\s)"),
          Report("steps.swap-on.outcome", "done|ok"),
          Shell("mkdir /tmp/fill; mount -t tmpfs -o size=300m tmpfs /tmp/fill; dd if=/dev/urandom of=/tmp/fill/x bs=1M "
                "count=90; sha256sum /tmp/fill/x >/tmp/sum; sha256sum -c /tmp/sum", "OK", 120),
          Shell("awk 'NR > 1 { used += $4 } END { print used }' /proc/swaps", "^[1-9][0-9]{2}"),
          Shell("umount /tmp/fill"), Write("/var/log/before"), GoesDownIn(f"{CTL} reboot --now", DOWN), *NOTHING_LOST,
          DiskClean()),
         root="golden", windows_disk=True, hardware=Hardware(memory=128)),
    Case("busybox-told-server-gone", "busybox is told, not we, and its server is gone: we finish it, in time",
         FROM + " ip=dhcp",
         (*UP, LOUD, Write("/var/log/before"), KillNfs(), GoesDownIn("kill -TERM 1", GONE), *NO_WORD[:1])),
    Case("sysvinit-told-server-gone", "sysvinit is told, and its server dies on the way: we finish it, in time",
         FROM + " ip=dhcp",
         (PowerOn(), Login(120), LOUD, GoesDownIn("shutdown -h now", DOWN, (KillNfs(),), "init takes the node down")),
         root="debian-sysvinit"),
    Case("pid1-down", "our PID 1 by telinit, a signal and disklessctl; the server alive, killed, killed midway, frozen",
         FROM + " ip=dhcp diskless.init=self",
         (*STAYED, LOUD, Write("/var/log/before"), GoesDownIn(f"{TELINIT} 6", DOWN), *NOTHING_LOST,
          *STAYED, LOUD, ENDED, KillNfs(), GoesDownIn("kill -TERM 1", GONE), *NO_WORD, StartNfs(),
          *STAYED, LOUD, NOT_ENDED, Type(STORM), GoesDownIn(f"{CTL} reboot", DOWN, (KillNfs(),), BEGUN), StartNfs(),
          *STAYED, LOUD, FreezeNfs(), GoesDownIn(f"{CTL} poweroff", GONE), ThawNfs(), *NO_WORD),
         root_files=NODE_OF_2010),
    Case("pid1-down-full", "our PID 1 is told with the snapshot full, and then with the root not exported any more",
         FROM + " ip=dhcp diskless.init=self",
         (*STAYED, LOUD, Write("/var/log/before", 512), FILL, GoesDownIn(f"{TELINIT} 0", DOWN), *KEPT_BEFORE,
          OnServer(f"{KEPT}/running", None),
          *STAYED, LOUD, Shell("rm /var/log/fill"), Write("/var/log/before", 512), WithdrawRoot(),
          GoesDownIn(f"{CTL} reboot", DOWN), *KEPT_BEFORE),
         root_files=NODE_OF_2010, snapshots_size="4M"),
)
