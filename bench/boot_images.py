"""Who takes part: the image of each, its command line, and how long a boot of it takes about."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Iterable

import boot_peers
import cache
import images
import network
from boot_site import INIT, ROOT, SNAPSHOTS, compiled
from kernels import Kernel

if TYPE_CHECKING:
    from boots import Entry

FLOOR, OURS, PEER = "floor", "ours", "peer"
_NIC = ("virtio_pci", "virtio_net")
_SERVER = network.SERVER
_ADDRESS = network.address(1)
_NFS3 = f"vers=3,nolock,proto=tcp,addr={_SERVER},mountaddr={_SERVER},mountproto=tcp,mountport=20048"
_NFS4 = f"vers=4.2,proto=tcp,addr={_SERVER},clientaddr={_ADDRESS}"


@dataclass(frozen=True)
class Contender:
    name: str
    kind: str
    about: str
    image: Callable[[Kernel], Path]
    command_line: str
    seconds: float         # about: power-on to the next one's, for the time that is left
    nfs: int               # version
    within: float = 60     # deadline of a boot
    quick: int = 3         # runs with --quick
    image_limit: float = 0  # MB that its image may have
    beside_peers: bool = False  # one of ours that is compared with each of them
    beside: str = ""        # one of ours that is compared with this peer alone: no floor does what it does

    def command_line_of(self, node: int) -> str:
        """The same for another node than the first."""
        return self.command_line.replace(_ADDRESS, network.address(node))


def floor(kernel: Kernel, last: str) -> Path:
    """floor.c and what `last` and the network card need, by gzip, as a person would pack it."""
    program = compiled("floor")
    order = images.modules_in_order(kernel, (*_NIC, last))

    def make(directory: Path) -> None:
        with tempfile.TemporaryDirectory() as name:
            tree = Path(name)
            for sub in ("modules", "dev", "proc"):
                (tree / sub).mkdir()
            shutil.copy2(program, tree / "init")
            for module in order:
                shutil.copy2(module, tree / "modules" / module.name)
            (tree / "modules/order").write_text("".join(f"/modules/{module.name}\n" for module in order))
            cache.run(["sh", "-c", f"cd {tree} && mknod dev/console c 5 1 && find . | cpio --quiet -o -H newc | gzip -9 "
                                   f">{directory / 'initramfs.img'}"])

    name = f"bench-floor-{cache.fingerprint(kernel.version, program.parent.name, *order)}"
    return cache.kept(name, make) / "initramfs.img"


def ours(kernel: Kernel, *options: str) -> Path:
    """What `diskless-server initramfs build` makes."""
    return images.built(kernel, cache.directory(), *options)


THIS_MACHINE = ("--modules", ",".join(_NIC))
_OURS = f"root=/dev/nfs nfsroot={_SERVER}:{ROOT} ip=dhcp"

# What is compared with a floor boots right after it.
CONTENDERS = (
    Contender("floor, NFS 3", FLOOR, "static C, fixed address", lambda kernel: floor(kernel, "nfsv3"),
              f"floor={_ADDRESS},{_SERVER}:{ROOT},{_NFS3} real_init={INIT}", 6, 3),
    Contender("diskless, NFS 3", OURS, "as shipped", ours, _OURS, 7, 3, image_limit=3, beside_peers=True),
    Contender("diskless, NFS 3, --strip", OURS, "modules stripped: a smaller image",
              lambda kernel: ours(kernel, "--strip"), _OURS, 6, 3, image_limit=3, beside_peers=True),
    Contender("diskless, NFS 3, own drivers", OURS, "this machine's modules only",
              lambda kernel: ours(kernel, *THIS_MACHINE), _OURS, 7, 3, quick=1, image_limit=2.2),
    Contender("floor, NFS 4.2", FLOOR, "static C, fixed address", lambda kernel: floor(kernel, "nfsv4"),
              f"floor={_ADDRESS},{_SERVER}:{ROOT},{_NFS4} real_init={INIT}", 7, 4),
    Contender("diskless, NFS 4.2", OURS, "as shipped", ours, _OURS + " nfsopts=vers=4.2", 8, 4),
    Contender("diskless, NFS 4.2, --strip", OURS, "modules stripped: a smaller image",
              lambda kernel: ours(kernel, "--strip"), _OURS + " nfsopts=vers=4.2", 7, 4),
    Contender("diskless, one file", OURS, "filesystem.squashfs, overlay", lambda kernel: ours(kernel, "--image-root"),
              f"boot=live netboot=nfs nfsroot={_SERVER}:/srv/live/squashfs ip=dhcp diskless.snapshot={_SERVER}:{SNAPSHOTS}", 8, 3,
              quick=1, beside="live-boot squashfs"),
    Contender("initramfs-tools netboot", PEER, "boot=nfs, MODULES=netboot",
              lambda kernel: boot_peers.initramfs_tools(kernel, "netboot"), f"boot=nfs {_OURS}", 13, 3, 120, 2),
    Contender("initramfs-tools most", PEER, "boot=nfs, MODULES=most",
              lambda kernel: boot_peers.initramfs_tools(kernel, "most"), f"boot=nfs {_OURS}", 13, 3, 120, 1),
    Contender("dracut", PEER, "nfs, network-legacy, systemd", lambda kernel: boot_peers.dracut(kernel, "dracut"),
              f"root=nfs:{_SERVER}:{ROOT}:vers=3,nolock ip=dhcp rd.shell=0", 36, 3, 180, 1),
    Contender("dracut minimal", PEER, "base, nfs, network-legacy", lambda kernel: boot_peers.dracut(kernel, "dracut-minimal"),
              f"root=nfs:{_SERVER}:{ROOT}:vers=3,nolock ip=dhcp rd.shell=0", 28, 3, 180, 0),
    Contender("live-boot directory", PEER, "filesystem.dir, overlay", boot_peers.live_boot,
              f"boot=live netboot=nfs nfsroot={_SERVER}:/srv/live/directory ip=dhcp", 18, 3, 120, 1),
    Contender("live-boot squashfs", PEER, "filesystem.squashfs, overlay", boot_peers.live_boot,
              f"boot=live netboot=nfs nfsroot={_SERVER}:/srv/live/squashfs ip=dhcp", 19, 3, 120, 0),
)


def floor_of(entry: Entry, all_: Iterable[Entry]) -> Entry | None:
    """The floor of the same NFS version, when it has booted."""
    if entry.contender.beside:
        return None
    return next((each for each in all_ if each.contender.kind == FLOOR and each.contender.nfs == entry.contender.nfs
                 and each.boots), None)
