"""The way down: who asks, and in which trouble the server is."""

from __future__ import annotations

from case import CTL, FROM, LOUD, SNAPSHOT, UP, Case, goes_down
from steps import (Console, CutNetwork, FreezeNfs, GoesDownIn, KillNfs, Login, OfferKernel, OnServer, PowerOn, Report,
                   Shell, StartNfs, ThawNfs, Type, WithdrawRoot, Write, Written)

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


CASES: tuple[Case, ...] = (
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
    Case("reboot-cable-cut", "disklessctl reboot when no packet comes or goes", FROM + " ip=dhcp",
         (PowerOn(), Login(90), CutNetwork(), *goes_down("reboot", 60)), root="debian"),
    Case("poweroff-server-killed", "disklessctl poweroff after the NFS server was killed", FROM + " ip=dhcp",
         (PowerOn(), Login(90), KillNfs(), *goes_down("poweroff", 60)), root="debian"),
    Case("busybox-reboot-cut", "the same with busybox for PID 1", FROM + " ip=dhcp",
         (*UP, CutNetwork(), *goes_down("reboot", 60))),
)
