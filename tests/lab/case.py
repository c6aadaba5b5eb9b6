"""What a case is, and what many cases have in common.

In command lines {root} {server} {dead} {snapshots} {address} {mac} stand for the case's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from node import Hardware
from prepared import Site
from recipe import Cluster
from server import Dhcp, Export
from steps import Console, GoesDown, Login, PowerOn, Report, Shell, Step, Type, mounted


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
    loss_one_in: int = 0                      # one frame of so many is lost
    hardware: Hardware = Hardware()
    windows_disk: bool = False                # a local disk, see disk.py
    netboot: bool = False                     # kernel and image by iPXE and TFTP, not from QEMU
    packets: bool = False                     # capture br0
    site: Site | None = None                  # everything by diskless-server: cmdline and the fields above do not count
    cluster: Cluster | None = None            # everything by a recipe: cmdline and the fields above do not count
    # Most of its time nobody computes: it runs beside the others.
    waits: bool = False
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


def goes_down(verb: str = "reboot", within: float = 30) -> tuple[Step, ...]:
    return (Type(f"{CTL} {verb}"), GoesDown(within))


LOUD = Shell("dmesg -n 8")  # Login() has silenced the kernel


def options(*lines: str) -> Dhcp:
    return Dhcp(options=lines)
