"""Boots of nodes without disks: ours, the floor, and what people use instead; same kernel, root and servers, in turns."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Callable

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "tests/lab"))

import boot_peers
import boot_report
from boot_images import CONTENDERS, FLOOR, OURS, Contender
from boot_site import Boot, Site, unpacked_bytes
from kernels import Kernel, distribution_kernel
from measure import Failed, Result, say
from namespace import LabError

LOGS = Path(__file__).resolve().parents[1] / "build/bench"


@dataclass
class Entry:
    """A contender, its image, and its boots so far."""

    contender: Contender
    runs: int
    image_bytes: int = 0
    unpacked: int = 0
    image: Path = Path()
    boots: list[Boot] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def median(self, value: Callable[[Boot], float]) -> float:
        return statistics.median(value(boot) for boot in self.boots)

    def as_json(self) -> dict[str, object]:
        return {"name": self.contender.name, "kind": self.contender.kind, "nfs": self.contender.nfs,
                "image_bytes": self.image_bytes, "unpacked_bytes": self.unpacked, "command_line": self.contender.command_line,
                "boots": [asdict(boot) for boot in self.boots], "failures": self.failures}


class TimeLeft:
    """What is still to be done takes as long as it did before, or as it is told to take about."""

    def __init__(self) -> None:
        self._jobs: dict[str, tuple[float, int]] = {}  # seconds of one, how many are left

    def plan(self, name: str, seconds: float, count: int) -> None:
        self._jobs[name] = (seconds, count)

    def done(self, name: str, seconds: float) -> None:
        about, count = self._jobs[name]
        self._jobs[name] = ((about + seconds) / 2, count - 1)

    def __str__(self) -> str:
        left = sum(seconds * count for seconds, count in self._jobs.values())
        return f"{left / 60:.0f} min left" if left >= 90 else f"{left:.0f} s left"


def entries(options: argparse.Namespace) -> list[Entry]:
    wanted = options.only.split(",") if options.only else []
    chosen = [contender for contender in CONTENDERS
              if not wanted or any(contender.kind == word or word in contender.name for word in wanted)]
    if not chosen:
        raise Failed(f"--only {options.only}: nobody of that name; there are {', '.join(c.name for c in CONTENDERS)}")
    runs = options.runs or (3 if options.quick else 7)
    return [Entry(contender, min(runs, contender.quick) if options.quick else runs) for contender in chosen]


def make_images(kernel: Kernel, taking_part: list[Entry]) -> None:
    for entry in taking_part:
        say(f"boots: image of {entry.contender.name}; the first time this takes minutes")
        entry.image = entry.contender.image(kernel)
        entry.image_bytes = entry.image.stat().st_size
        entry.unpacked = unpacked_bytes(entry.image)


def boot_in_turns(site: Site, taking_part: list[Entry], left: TimeLeft) -> None:
    """One of each, then one of each again, one node at a time; the first boot of ours fills the snapshot and does not count."""
    node = site.node(1)
    warm = next((entry for entry in taking_part if entry.contender.kind == OURS), taking_part[0])
    site.boot(node, warm.image, warm.contender.command_line, warm.contender.within)
    for number in range(max(entry.runs for entry in taking_part)):
        for entry in taking_part:
            if number >= entry.runs:
                continue
            contender = entry.contender
            say(f"boots: {contender.name}, run {number + 1} of {entry.runs}, {left}")
            started = time.monotonic()
            try:
                entry.boots.append(site.boot(node, entry.image, contender.command_line, contender.within))
            except LabError as failure:
                entry.failures.append(str(failure))
                if contender.kind in (FLOOR, OURS):
                    raise
            left.done(contender.name, time.monotonic() - started)


def boots(options: argparse.Namespace) -> Result:
    try:
        kernel = distribution_kernel()
        taking_part = entries(options)
        make_images(kernel, taking_part)
        left = TimeLeft()
        for entry in taking_part:
            left.plan(entry.contender.name, entry.contender.seconds, entry.runs)
        site = Site(kernel, LOGS, boot_peers.live_medium)
        try:
            boot_in_turns(site, taking_part, left)
        finally:
            site.close()
    except LabError as failure:
        raise Failed(str(failure)) from failure
    return boot_report.result(kernel, taking_part)
