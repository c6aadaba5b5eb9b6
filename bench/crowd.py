"""Real nodes in QEMU, switched on at the same moment: as many as this machine bears."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "tests/lab"))

from boot_images import CONTENDERS, Contender
from boot_site import INIT, Site
from boots import LOGS
from kernels import distribution_kernel
from measure import Failed, Figure, Result, Sample, Target, say
from namespace import LabError
from node import Node

MEMORY = 256  # MiB of a node
NAMES = ("floor, NFS 3", "diskless, NFS 3", "initramfs-tools netboot")
FEW = 4


def most_nodes() -> int:
    """Half of the memory, and eight nodes a processor: beyond that, emulation is all that is measured."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(8 * (os.cpu_count() or 1), free // 2 // (MEMORY << 20)))


def at_once(site: Site, nodes: list[Node], contender: Contender, image: Path) -> Sample:
    """Seconds from the first power-on to the last real init."""
    def one(node: Node) -> float:
        node.start(site.kernel.image, image,
                   f"console=ttyS0 quiet ro init={INIT} {contender.command_line_of(node.number)}")
        node.console.expect(r"^bench: \{.*\}\n", contender.within + 20 * len(nodes))
        return time.monotonic()

    started = time.monotonic()
    try:
        with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
            ends = list(pool.map(one, nodes))
    finally:
        for node in nodes:
            node.power_off()
    return Sample(max(ends) - started, 0.0, 0)


def fill_snapshots(site: Site, nodes: list[Node], ours: Contender, image: Path) -> None:
    """One node boots and fills its snapshot; the others have the same then, as if they had been up before."""
    first = nodes[0]
    site.boot(first, image, ours.command_line_of(first.number), ours.within)
    for node in nodes[1:]:
        shutil.copytree(site.snapshots / first.name, site.snapshots / node.name, symlinks=True, dirs_exist_ok=True)


def crowd(options: argparse.Namespace) -> Result:
    floor, ours, peer = (next(each for each in CONTENDERS if each.name == name) for name in NAMES)
    most = min(FEW, most_nodes()) if options.quick else most_nodes()
    few = min(FEW, most)
    # Ours stands between two floors: a machine that grows faster or slower meanwhile does so for both sides of the ratio.
    turns = [(few, floor), (few, ours), (few, peer)] + ([(most, floor), (most, ours), (most, floor)] if most > few else [])
    figures: dict[tuple[int, str], Figure] = {}
    ratios: list[float] = []
    try:
        kernel = distribution_kernel()
        pictures = {each.name: each.image(kernel) for each in (floor, ours, peer)}
        site = Site(kernel, LOGS.with_name("bench-crowd"), nodes=most)
        try:
            nodes = [site.node(number, MEMORY) for number in range(1, most + 1)]
            fill_snapshots(site, nodes, ours, pictures[ours.name])
            for run in range(options.runs or 1):
                seconds: dict[str, list[float]] = {}
                for count, each in turns:
                    say(f"crowd: {count} nodes, {each.name}, run {run + 1}")
                    sample = at_once(site, nodes[:count], each, pictures[each.name])
                    figures.setdefault((count, each.name), Figure(f"{count} nodes, {each.name}", count)).samples.append(sample)
                    if count == most:
                        seconds.setdefault(each.name, []).append(sample.seconds)
                ratios.append(statistics.mean(seconds[ours.name]) / statistics.mean(seconds[floor.name]))
        finally:
            site.close()
    except LabError as failure:
        raise Failed(str(failure)) from failure
    result = Result("crowd", "QEMU nodes switched on at the same moment, until the last real init", "node", list(figures.values()))
    result.targets = [Target(f"{most} nodes at once: power-on to the last real init, times the floor's",
                             statistics.median(ratios), 1.3, False)]
    result.notes.append("One run unless --runs says more; of many nodes, ours stands between two of the floor.")
    result.notes.append(f"{os.cpu_count()} processors emulate {most} nodes and run their servers: processor time is what is short.")
    return result
