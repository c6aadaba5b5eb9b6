"""Local disks as diskless nodes may find them: a partition of another system, swap beside it, nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cache
from namespace import LabError

if TYPE_CHECKING:
    from bench import Bench

_MEGABYTE = 1 << 20
_SECTOR = 512
_FIRST, _FAT = 2048, 65536  # sectors: where the FAT partition begins, and how large it is; the rest is swap


def used_disk(disk: Path, label: str, sectors: int = 64 * _MEGABYTE // _SECTOR - _FIRST, rest: str = "") -> Path:
    """A FAT16 partition of `sectors` called `label`, and after it the partitions of `rest`, lines for sfdisk(8)."""
    with disk.open("wb") as file:
        file.truncate(64 * _MEGABYTE)
    cache.run(["sh", "-c", f"printf '{_FIRST},{sectors},e\\n{rest}' | sfdisk --quiet {disk}"])
    cache.run(["mkfs.fat", "-F", "16", "-n", label, "-h", str(_FIRST), "--offset", str(_FIRST), str(disk), str(sectors // 2)])
    return disk


def windows_disk(directory: Path) -> Path:
    """disk.img: partition 1 is FAT, labelled WINDOWS, with the swap file LINUX.SWP; partition 2 is swap, labelled scratch."""
    disk, swap = used_disk(directory / "disk.img", "WINDOWS", _FAT, ",,82\\n"), directory / "LINUX.SWP"
    swap.write_bytes(bytes(8 * _MEGABYTE))  # written out: a hole cannot be swapped to
    swap.chmod(0o600)
    cache.run(["mkswap", str(swap)])
    cache.run(["mcopy", "-i", f"{disk}@@{_FIRST * _SECTOR}", str(swap), "::LINUX.SWP"])
    # mkswap knows files and devices, not where in a file one begins
    area = directory / "scratch"
    with area.open("wb") as file:
        file.truncate(64 * _MEGABYTE - (_FIRST + _FAT) * _SECTOR)
    cache.run(["mkswap", "--label", "scratch", str(area)])
    with disk.open("r+b") as file:
        file.seek((_FIRST + _FAT) * _SECTOR)
        file.write(area.read_bytes()[:4096])
    return disk


@dataclass(frozen=True)
class DiskClean:
    """The node has left the FAT file system of its disk as it must be left: nothing to repair, not marked as in use."""

    def run(self, bench: Bench) -> None:
        partition = bench.logs / "fat"
        with open(bench.node.hardware.disk, "rb") as disk:
            disk.seek(_FIRST * _SECTOR)
            partition.write_bytes(disk.read(_FAT * _SECTOR))
        cache.run(["fsck.fat", "-n", str(partition)])
        if partition.read_bytes()[0x25] & 1:  # "dirty" in the boot sector of FAT16
            raise LabError("disk: the FAT file system is marked as in use: it was not unmounted")
        partition.unlink()


@dataclass(frozen=True)
class SwapFileOnServer:
    """The administrator makes a swap file in a snapshot."""

    path: str

    def run(self, bench: Bench) -> None:
        file = bench.on_server(self.path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(8 * _MEGABYTE))
        file.chmod(0o600)
        cache.run(["mkswap", str(file)])
