"""The cases: how a node boots, and what must be seen. Add one by adding an entry to CASES.

In command lines {root} {server} {dead} {snapshots} {address} {mac} stand for the case's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from node import Hardware
from server import Dhcp, Export
from steps import (Console, CutNetwork, GoesDown, KillNfs, Login, MendNetwork, Mounted, Never, OnServer, PacketsLost, PowerOn, Report,
                   Shell, Silent, StartDhcp, StartNfs, Step, Type, mounted)

DISKLESSCTL = "/run/diskless/disklessctl"


@dataclass(frozen=True)
class Case:
    name: str
    about: str                                # one line for people
    cmdline: str
    steps: tuple[Step, ...]
    root: str = "busybox"                     # flavour, see roots.py
    image: str = "built"                      # see images.py
    root_path: str = ""                       # as nodes name it; "": /srv/diskless/images/<flavour>
    root_writable: bool = False
    root_files: Mapping[str, str] = field(default_factory=dict)    # put into the root before
    server_files: Mapping[str, str] = field(default_factory=dict)  # put into the server's tree (/srv/…) before
    snapshots: tuple[str, ...] = ("node1",)   # empty snapshots that exist
    snapshot: str = "node1"                   # whose boot report is looked at
    exports: tuple[Export, ...] = ()          # besides the root (ro) and /srv/diskless/snapshots (rw)
    dhcp: Dhcp | None = Dhcp()
    dhcp_late: bool = False                   # not started with the other servers: see StartDhcp
    nfs_late: bool = False
    loss_percent: int = 0
    hardware: Hardware = Hardware()
    netboot: bool = False                     # kernel and image by iPXE and TFTP, not from QEMU
    packets: bool = False                     # capture br0


CASES: tuple[Case, ...] = (
    Case("lab-itself", "a hand-made image boots busybox over NFS 3: the laboratory works",
         "lab.root={root} lab.options=vers=3", image="handmade",
         steps=(PowerOn(), Console("handmade: node1 is 10.9.0.11", 30), Console("busybox userland is up on node1", 30),
                Login(), mounted("/", "nfs", "ro,", "vers=3"), mounted("/var/log", "snapshots/node1"),
                Shell("echo hello >/var/log/x"), OnServer("/srv/diskless/snapshots/node1/var/log/x", "hello"),
                Shell("touch /opt/no", "Read-only file system"), Report("root.server", "10.9.0.1"),
                Type("/sbin/reboot -f"), GoesDown(20))),
    Case("lab-netboot", "the network card fetches kernel and image by TFTP",
         "lab.root={root} lab.options=vers=3", image="handmade", netboot=True,
         steps=(PowerOn(), Console("handmade: hand over", 60), Login(30))),
    Case("lab-loss", "the laboratory loses a fifth of all frames, and a hand-made image boots all the same",
         "lab.root={root} lab.options=vers=3", image="handmade", loss_percent=20,
         steps=(PowerOn(), Console("handmade: hand over", 120), Login(120), PacketsLost(10))),
    Case("lab-cut", "a node whose cable is cut stays where it is; mended, it goes on",
         "lab.root={root} lab.options=vers=3", image="handmade",
         steps=(PowerOn(), Login(60), CutNetwork(), Type("ls /opt >/dev/null; echo 3 >/proc/sys/vm/drop_caches; ls /home /opt/; echo went-on"),
                Silent("^went-on", 5), MendNetwork(), Console("^went-on", 60))),
)


def by_name(name: str) -> Case:
    for case in CASES:
        if case.name == name:
            return case
    raise KeyError(name)
