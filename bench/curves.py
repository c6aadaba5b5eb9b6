"""What diskless-server does for ten nodes and for ten thousand: time and memory, and whether they grow as the nodes do."""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from measure import Figure, Result, Sample, Target, alternately, timed
from server_helper import make_site, no_boot_files, sizes

COMMANDS = {
    "boot apply": ["boot", "apply", "--quiet"],
    "snapshot prepare": ["snapshot", "prepare", "--quiet"],
    "image sync": ["image", "sync", "site", "--quiet"],
    "status": ["status", "--json"],
}
COLOURS = ("#1b6ca8", "#c44536", "#3a7d44", "#7a4fa3")


def _make_root(root: Path) -> None:
    """Six entries: with ten thousand snapshots, more would measure the memory that tmpfs takes."""
    for path in ("etc", "var/log", "var/spool/cron"):
        (root / path).mkdir(parents=True)
    for name in ("resolv.conf", "fstab", "adjtime", "motd"):
        (root / "etc" / name).write_text(name * 50)
    (root / "etc/statetab").write_text("/etc/resolv.conf\n/etc/fstab\n/etc/adjtime\n/etc/motd\n/var/log/\n/var/spool/cron/\n")


def _report(node: int) -> str:
    """A boot report as a node leaves it: 14 steps, 40 entries of state."""
    name = f"node{node:05}"
    steps = [{"id": f"step-{number}", "sentence": "do what the step does", "outcome": "done", "started_ns": number * 10**7,
              "ended_ns": (number + 1) * 10**7, "attempts": 1, "notes": ["eth0 has 10.8.1.1/16"]} for number in range(14)]
    state = [{"path": f"/etc/conf{number}", "kind": "persistent", "source": f"/srv/diskless/snapshots/{name}/etc/conf{number}",
              "bytes": 2000} for number in range(40)]
    return json.dumps({"format": 1, "version": "0.1.0", "wall_started_s": 1_795_000_000, "steps": steps, "state": state,
                       "root": {"server": "10.8.0.1", "path": "/srv/diskless/images/site/1", "generation": "1"}}, indent=1)


def _prepare(command: str, server: str, base: Path, root: Path, nodes: int, run: int) -> None:
    if command == "boot apply":
        no_boot_files(base)
    elif command == "snapshot prepare":
        shutil.rmtree(base / "snapshots", ignore_errors=True)
    elif command == "image sync":
        (root / "etc/motd").write_text(f"{nodes} {run}\n")  # something differs, so that a generation is made
    elif not (base / "snapshots/node00256/.diskless/boot.json").exists():
        if not (base / "snapshots").exists():
            timed([server, "snapshot", "prepare", "--quiet", "--base", str(base)])
        for number in range(256, 256 + nodes):
            place = base / f"snapshots/node{number:05}/.diskless"
            place.mkdir(parents=True, exist_ok=True)
            (place / "boot.json").write_text(_report(number))


def svg(figures: dict[str, list[Figure]]) -> str:
    """Seconds over nodes, both logarithmic; dashes grow exactly as the nodes do."""
    counts = [figure.count for figure in next(iter(figures.values()))]
    total = {name: [figure.median * figure.count for figure in rows] for name, rows in figures.items()}
    low = math.floor(math.log10(min(min(each) for each in total.values())))
    high = max(low + 1, math.ceil(math.log10(max(max(each) for each in total.values()))))
    first, last = math.log10(counts[0]), math.log10(counts[-1])
    left, top, width, height = 70, 20, 480, 300

    def x(count: float) -> float:
        return left + width * (math.log10(count) - first) / (last - first)

    def y(seconds: float) -> float:
        return top + height * (high - math.log10(seconds)) / (high - low)

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 150} {top + height + 50}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#999"/>']
    for power in range(low, high + 1):
        at = y(10.0 ** power)
        lines.append(f'<line x1="{left}" x2="{left + width}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>'
                     f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0 ** power:g} s</text>')
    for count in counts:
        lines.append(f'<text x="{x(count):.1f}" y="{top + height + 18}" text-anchor="middle">{count:,}</text>')
    lines.append(f'<text x="{left + width / 2}" y="{top + height + 40}" text-anchor="middle">nodes</text>')
    for colour, (name, seconds) in zip(COLOURS, total.items()):
        points = " ".join(f"{x(count):.1f},{y(each):.1f}" for count, each in zip(counts, seconds))
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{x(count):.1f}" cy="{y(each):.1f}" r="3" fill="{colour}"/>' for count, each in zip(counts, seconds)]
        lines.append(f'<text x="{left + width + 8}" y="{y(seconds[-1]) + 4:.1f}" fill="{colour}">{name}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def curves(options: argparse.Namespace) -> Result:
    memory = Path("/dev/shm")
    by_command: dict[str, list[Figure]] = {}
    top = Path(tempfile.mkdtemp(prefix="diskless-curves-", dir=memory if os.access(memory, os.W_OK) else None))
    try:
        work = []
        for nodes in sizes(options):
            root, base = top / f"root{nodes}", top / f"site{nodes}"
            _make_root(root)
            make_site(options.server, base, root, nodes)
            for command, words in COMMANDS.items():
                figure = Figure(f"{command}, {nodes}", nodes)
                by_command.setdefault(command, []).append(figure)

                def measure(command: str = command, words: list[str] = words, base: Path = base, root: Path = root,
                            nodes: int = nodes, figure: Figure = figure) -> Sample:
                    _prepare(command, options.server, base, root, nodes, len(figure.samples))
                    return timed([options.server, *words, "--base", str(base)], base)

                work.append((figure, measure))
        alternately(work, options.runs or (2 if options.quick else 3), "curves")
    finally:
        shutil.rmtree(top, ignore_errors=True)
    result = Result("curves", "what diskless-server does for few and for many nodes, on tmpfs", "node",
                    [figure for rows in by_command.values() for figure in rows])
    for command, rows in by_command.items():
        last, before = rows[-1], rows[-2]
        # by processor time: what else the machine does is not in it
        of_last, of_before = (statistics.median(figure.each(lambda sample: sample.cpu_seconds)) for figure in (last, before))
        result.targets.append(Target(f"{command}: processor time for a node of {last.count} against one of {before.count}: near linear",
                                     of_last / max(of_before, 1e-9), 1.5, False))
    if options.svg:
        Path(options.svg).write_text(svg(by_command))
        result.notes.append(f"Curves: {options.svg}")
    result.notes.append("tmpfs: what is measured is the program, not a disk.")
    return result
