"""Boots of nodes without disks: ours, the floor, and what people use instead; same kernel, root and servers, in turns."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "tests/lab"))

import boot_images
import boot_peers
import boot_report
import images
import reboots
import roots
from boot_images import CONTENDERS, FLOOR, OURS, Contender
from boot_site import Boot, Site, unpacked_bytes
from kernels import Kernel, distribution_kernel, generic_kernel
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

    def times(self, other: Entry, value: Callable[[Boot], float]) -> float:
        """How many times the other's value ours is: the median of the rounds' ratios. A machine that is slow for a while is
        so for a whole round, hardly for all rounds of one contender; without a common round, of the medians."""
        theirs = {boot.round: value(boot) for boot in other.boots}
        ratios = [value(boot) / theirs[boot.round] for boot in self.boots if boot.round in theirs]
        return statistics.median(ratios) if ratios else self.median(value) / other.median(value)

    def as_json(self) -> dict[str, object]:
        return {"name": self.contender.name, "kind": self.contender.kind, "nfs": self.contender.nfs,
                "image_bytes": self.image_bytes, "unpacked_bytes": self.unpacked, "command_line": self.contender.command_line,
                "boots": [asdict(boot) for boot in self.boots], "failures": self.failures}


@dataclass(frozen=True)
class Image:
    """One that is only built."""

    name: str
    bytes: int
    unpacked: int
    limit: float = 0  # MB
    why: str = ""     # told when it is larger


@dataclass(frozen=True)
class Stayed:
    """What a node said that was left alone for a while."""

    kind: str
    told: dict[str, Any]


@dataclass
class Boots:
    """All that was measured."""

    kernel: Kernel
    program: str
    entries: list[Entry]
    downs: list[reboots.Down] = field(default_factory=list)
    stayed: dict[str, Stayed] = field(default_factory=dict)
    images: list[Image] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


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


PARTS = ("generic", "later", "reboots")  # besides the boots


def entries(words: list[str], options: argparse.Namespace) -> list[Entry]:
    runs = options.runs or (3 if options.quick else 7)
    taking_part = [Entry(contender, min(runs, contender.quick) if options.quick else runs) for contender in CONTENDERS
                   if not words or any(contender.kind == word or word in contender.name for word in words)]
    return [entry for entry in taking_part if entry.runs]


def make_images(kernel: Kernel, taking_part: list[Entry]) -> None:
    for entry in taking_part:
        say(f"boots: image of {entry.contender.name}; the first time this takes minutes")
        entry.image = entry.contender.image(kernel)
        entry.image_bytes = entry.image.stat().st_size
        entry.unpacked = unpacked_bytes(entry.image)


def generic_images(like: Kernel) -> list[Image]:
    say("boots: image of the kernel for every machine; the first time this takes minutes")
    kernel = generic_kernel(like)
    made = []
    for words, options in (("", ()), (", --strip", ("--strip",))):
        image = boot_images.ours(kernel, *options)
        why = "" if options else "modules whole, as their signatures need them; --strip leaves these out"
        made.append(Image(f"diskless, {kernel.version}, every server NIC{words}", image.stat().st_size, unpacked_bytes(image), 6,
                          why))
    return made


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
                boot = site.boot(node, entry.image, contender.command_line, contender.within)
                boot.round = number
                entry.boots.append(boot)
            except LabError as failure:
                entry.failures.append(str(failure))  # is told; a run of half an hour is not lost by it
            left.done(contender.name, time.monotonic() - started)


def stay(site: Site, kernel: Kernel, seconds: int) -> dict[str, tuple[str, Callable[[], dict[str, Any]]]]:
    """Nodes that are left alone beside all others, which they hardly disturb: they sleep."""
    chosen = [contender for contender in CONTENDERS if contender.kind in (FLOOR, OURS) and contender.nfs == 3][:2]
    return {contender.name: (contender.kind, site.stay(site.node(number), contender.image(kernel),
                                                       contender.command_line_of(number), seconds))
            for number, contender in enumerate(chosen, 7)}


def boots(options: argparse.Namespace) -> Result:
    words = options.only.split(",") if options.only else []
    contenders = [word for word in words if word not in PARTS]
    parts = set(words) & set(PARTS) if words else set(PARTS)
    try:
        kernel = distribution_kernel()
        found = Boots(kernel, program(options.server), entries(contenders, options) if contenders or not words else [])
        if not found.entries and not parts:
            raise Failed(f"--only {options.only}: nobody of that name; there are {', '.join(c.name for c in CONTENDERS)}; "
                         f"{', '.join(PARTS)}")
        make_images(kernel, found.entries)
        if "generic" in parts:
            found.images += generic_images(kernel)
        measure_all(found, parts, options.quick)
    except LabError as failure:
        raise Failed(str(failure)) from failure
    found.notes += [f"Failed: {entry.contender.name}: {failure}" for entry in found.entries for failure in entry.failures]
    found.notes += [f"Failed: reboot of {down.way.who}, {down.way.about}: {failure}" for down in found.downs
                    for failure in down.failures]
    if options.quick:
        left_out = [contender.name for contender in CONTENDERS if not contender.quick]
        found.notes.append(f"Quick: {', '.join(left_out)} and the reboots under systemd were left out; the slow ones booted once.")
    return boot_report.result(found)


def program(server: str) -> str:
    done = subprocess.run([server, "--version"], capture_output=True, text=True, check=False)
    return f"{done.stdout.strip() or 'unknown'}; node program {images.node_program().stat().st_size:,} bytes"


def measure_all(found: Boots, parts: set[str], quick: bool) -> None:
    ways = reboots.chosen(quick) if "reboots" in parts else []
    for way in ways:
        say(f"boots: image and root of {way.who}, {way.about}; the first time this takes minutes")
        way.image(found.kernel)
    other_roots = {reboots.root_path(name): roots.flavour(name, found.kernel) for name in sorted({way.userland for way in ways})}
    site = Site(found.kernel, LOGS, boot_peers.live_medium, other_roots)
    left = TimeLeft()
    try:
        for entry in found.entries:
            left.plan(entry.contender.name, entry.contender.seconds, entry.runs)
        down = reboots.Reboots(site, ways, quick, left)
        down.plan()
        staying = stay(site, found.kernel, 120 if quick else 600) if "later" in parts else {}
        if found.entries:
            boot_in_turns(site, found.entries, left)
        if ways:
            say(f"boots: reboots, {left}")
            down.run()
            found.downs = down.downs
        for name, (kind, wait) in staying.items():
            say(f"boots: waiting for {name}, which is left alone")
            try:
                found.stayed[name] = Stayed(kind, wait())
            except LabError as failure:
                found.notes.append(f"Failed: {name}, left alone: {failure}")
    finally:
        site.close()
