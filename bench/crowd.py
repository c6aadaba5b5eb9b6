"""Real nodes in QEMU, switched on at the same moment: as many as this machine bears."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "tests/lab"))

from boot_images import CONTENDERS, FLOOR, OURS, Contender
from boot_site import INIT, Site
from boots import LOGS
from kernels import distribution_kernel
from measure import Failed, Figure, Result, Sample, Target, say
from namespace import LabError
from node import Node

MEMORY = 256  # MiB of a node
NAMES = ("floor, NFS 3", "diskless, NFS 3", "initramfs-tools netboot")


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


def crowd(options: argparse.Namespace) -> Result:
    contenders = [next(each for each in CONTENDERS if each.name == name) for name in NAMES]
    most = min(4, most_nodes()) if options.quick else most_nodes()
    counts = sorted({min(4, most), most})
    figures: dict[tuple[str, int], Figure] = {}
    try:
        kernel = distribution_kernel()
        pictures = {each.name: each.image(kernel) for each in contenders}
        site = Site(kernel, LOGS.with_name("bench-crowd"), nodes=most)
        try:
            nodes = [site.node(number, MEMORY) for number in range(1, most + 1)]
            ours = next(each for each in contenders if each.kind == OURS)
            at_once(site, nodes, ours, pictures[ours.name])  # fills the snapshots, and does not count
            for run in range(options.runs or 1):
                for count in counts:
                    for each in contenders:
                        say(f"crowd: {count} nodes, {each.name}, run {run + 1}")
                        figure = figures.setdefault((each.name, count), Figure(f"{count} nodes, {each.name}", count))
                        figure.samples.append(at_once(site, nodes[:count], each, pictures[each.name]))
        finally:
            site.close()
    except LabError as failure:
        raise Failed(str(failure)) from failure
    result = Result("crowd", "QEMU nodes switched on at the same moment, until the last real init", "node", list(figures.values()))
    floor = next(each.name for each in contenders if each.kind == FLOOR)
    result.targets = [Target(f"{most} nodes at once: power-on to the last real init, times the floor's",
                             figures[ours.name, most].median / figures[floor, most].median, 1.3, False)]
    result.notes.append("One run unless --runs says more: of many nodes none is alone with its luck.")
    result.notes.append(f"{os.cpu_count()} processors emulate {most} nodes and run their servers: processor time is what is short.")
    return result
