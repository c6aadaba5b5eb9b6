"""Boots as tables, and what the targets say."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Callable, Iterable

import boot_page
from boot_images import FLOOR, OURS, PEER, floor_of
from boot_site import Boot, memory
from measure import Result, Table, Target
from reboots import CAP, Down

PACKETS = "a second mount, and a look at all that the node keeps; docs/rpc.md has a reason for each call"

if TYPE_CHECKING:
    from boots import Boots, Entry, Image, Stayed


def spread(values: list[float], digits: int = 2) -> str:
    """Median, and what the runs lie between."""
    middle = f"{statistics.median(values):.{digits}f}"
    return middle if len(values) < 2 else f"{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def best_peer(all_: Iterable[Entry]) -> Entry | None:
    peers = [each for each in all_ if each.contender.kind == PEER and each.boots]
    return min(peers, key=lambda each: each.median(lambda boot: boot.to_real_init), default=None)


def _ratio(entry: Entry, other: Entry | None, value: Callable[[Boot], float]) -> str:
    if other is None or not other.boots:
        return "-"
    return f"{entry.times(other, value):.2f}"


def times(all_: list[Entry]) -> Table:
    rows = [["", "runs", "/init to real init, s", "× floor", "× best peer", "power-on to real init, s", "kernel, s", ""]]
    for entry in all_:
        contender = entry.contender
        if not entry.boots:
            rows.append([contender.name, "0", "-", "-", "-", "-", "-", "; ".join(entry.failures)[:100]])
            continue
        rows.append([contender.name, str(len(entry.boots)), spread([boot.to_real_init for boot in entry.boots]),
                     _ratio(entry, floor_of(entry, all_), lambda boot: boot.to_real_init),
                     _ratio(entry, best_peer(all_), lambda boot: boot.to_real_init),
                     spread([boot.power_on for boot in entry.boots]), spread([boot.kernel for boot in entry.boots], 1),
                     f"{contender.about}{f'; {len(entry.failures)} failed' if entry.failures else ''}"])
    return Table("time", rows)


def cable_and_memory(all_: list[Entry]) -> Table:
    rows = [["", "packets", "× floor", "kB", "RPC calls", "packets after", "used, MB", "unreclaimable, MB", "over floor, MB", ""]]
    for entry in all_:
        if not entry.boots:
            continue
        floor = floor_of(entry, all_)
        over = entry.median(lambda boot: boot.used_dropped) - floor.median(lambda boot: boot.used_dropped) if floor else None
        rows.append([entry.contender.name, f"{entry.median(lambda boot: boot.packets):.0f}",
                     _ratio(entry, floor, lambda boot: boot.packets), f"{entry.median(lambda boot: boot.bytes) / 1e3:.0f}",
                     f"{entry.median(lambda boot: sum(boot.calls.values())):.0f}",
                     f"{entry.median(lambda boot: boot.packets_after):.0f}",
                     f"{entry.median(lambda boot: boot.used) / 1024:.1f}",
                     f"{entry.median(lambda boot: boot.used_dropped) / 1024:.1f}",
                     "-" if over is None else f"{over / 1024:.1f}", ""])
    return Table("cable and memory, until the real init begins (packets after: in the second that follows)", rows)


def sizes(all_: list[Entry], others: list[Image]) -> Table:
    rows = [["", "compressed, bytes", "unpacked, bytes", ""]]
    seen = set()
    for entry in all_:
        if entry.image not in seen:
            rows.append([entry.contender.name, f"{entry.image_bytes:,}", f"{entry.unpacked:,}", ""])
            seen.add(entry.image)
    rows += [[image.name, f"{image.bytes:,}", f"{image.unpacked:,}", ""] for image in others]
    return Table("initramfs", rows)


def calls(all_: list[Entry]) -> Table:
    """RPC calls by kind, medians: ours and the floor of each version."""
    shown = [entry for entry in all_ if entry.boots and entry.contender.kind in (FLOOR, OURS)]
    kinds = sorted({kind for entry in shown for boot in entry.boots for kind in boot.calls})
    rows = [["", *(entry.contender.name for entry in shown), ""]]
    for kind in kinds:
        rows.append([kind, *(f"{entry.median(lambda boot, kind=kind: boot.calls.get(kind, 0)):g}" for entry in shown), ""])
    rows.append(["all", *(f"{entry.median(lambda boot: sum(boot.calls.values())):g}" for entry in shown), ""])
    rows.append(["NFS, as the client counts", *(f"{entry.median(lambda boot: boot.client_calls):g}" for entry in shown), ""])
    return Table("RPC calls until the real init begins", rows)


def reboots(downs: list[Down]) -> Table:
    rows = [["", "PID 1", "server alive, s", "cable cut, s", ""]]
    for down in downs:
        rows.append([down.way.who, down.way.about, _seconds(down.alive), _seconds(down.cut), "; ".join(down.failures)[:150]])
    return Table("reboot: the word to the reset", rows)


def _seconds(values: list[float]) -> str:
    if not values:
        return "-"
    if math.isinf(max(values)):
        return f"> {CAP:.0f}" + (f" ({sum(map(math.isinf, values))} of {len(values)})" if len(values) > 1 else "")
    return spread(values)


def later(stayed: dict[str, Stayed]) -> Table:
    rows = [["", "minutes", "used, MB", "unreclaimable, MB", "our processes, PSS MB", ""]]
    for name, each in stayed.items():
        used, dropped = memory(each.told)
        rows.append([name, f"{each.told['seconds'] / 60:g}", f"{used / 1024:.1f}", f"{dropped / 1024:.1f}",
                     f"{ours_pss(each.told) / 1024:.1f}", ""])
    return Table("memory of a node that has been up for a while", rows)


def ours_pss(told: dict[str, Any]) -> int:
    """kB of the agent and its guardian; pages that they share are counted once."""
    return sum(process["pss"] for process in told["processes"] if process["name"].startswith("diskless"))


def _reboot_targets(downs: list[Down]) -> list[Target]:
    found = []
    for down in downs:
        for words, values, limit, why in (("server alive", down.alive, down.way.limits[0], down.way.why),
                                          ("cable cut", down.cut, down.way.limits[1], "")):
            if values and limit:
                found.append(Target(f"{down.way.who}, {down.way.about}: reboot, {words}", statistics.median(values), limit, False, "s",
                                    why))
    return found


def _later_targets(stayed: dict[str, Stayed]) -> list[Target]:
    floor = next((each for each in stayed.values() if each.kind == FLOOR), None)
    return [Target(f"{name}: memory over the floor after {each.told['seconds'] / 60:g} minutes",
                   (memory(each.told)[1] - memory(floor.told)[1]) / 1024, 6, False, "MB")
            for name, each in stayed.items() if floor and each.kind == OURS]


def targets(all_: list[Entry]) -> list[Target]:
    found = []
    ours = [entry for entry in all_ if entry.contender.kind == OURS and entry.boots]
    for entry in ours:
        floor = floor_of(entry, all_)
        if floor is not None:
            name = entry.contender.name
            found.append(Target(f"{name}: /init to real init, times the floor's",
                                entry.times(floor, lambda boot: boot.to_real_init), 1.3, False))
            found.append(Target(f"{name}: packets, times the floor's",
                                entry.times(floor, lambda boot: boot.packets), 1.3, False, why=PACKETS))
            over = entry.median(lambda boot: boot.used_dropped) - floor.median(lambda boot: boot.used_dropped)
            found.append(Target(f"{name}: memory over the floor", over / 1024, 6, False, "MB"))
    for entry in ours:
        peer = next((each for each in all_ if each.contender.name == entry.contender.beside and each.boots), None)
        if peer is not None:
            found.append(Target(f"{entry.contender.name}: times faster than {peer.contender.name}",
                                peer.times(entry, lambda boot: boot.to_real_init), 5))
    compared = [entry for entry in ours if entry.contender.beside_peers]
    for entry in all_:
        wanted = next((times for name, times in (("initramfs-tools", 5), ("dracut", 15)) if entry.contender.name.startswith(name)),
                      None)
        if wanted and entry.boots:
            found += [Target(f"{one.contender.name}: times faster than {entry.contender.name}",
                             entry.times(one, lambda boot: boot.to_real_init), wanted) for one in compared]
    for entry in ours:
        if entry.contender.image_limit:
            found.append(Target(f"{entry.contender.name}: initramfs", entry.image_bytes / 1e6, entry.contender.image_limit, False,
                                "MB"))
    return found


def result(boots: Boots) -> Result:
    all_ = boots.entries
    tables = [times(all_), cable_and_memory(all_), calls(all_)] if all_ else []
    if boots.stayed:
        tables.append(later(boots.stayed))
    if all_ or boots.images:
        tables.append(sizes(all_, boots.images))
    if boots.downs:
        tables.append(reboots(boots.downs))
    found = targets(all_) + _later_targets(boots.stayed) + _reboot_targets(boots.downs)
    found += [Target(f"{image.name}: initramfs", image.bytes / 1e6, image.limit, False, "MB", image.why) for image in boots.images if image.limit]
    data: dict[str, object] = {
        "contenders": [entry.as_json() for entry in all_], "reboots": [down.as_json() for down in boots.downs],
        "images": [asdict(image) for image in boots.images], "stayed": {name: each.told for name, each in boots.stayed.items()}}
    with_peers = any(entry.contender.kind == PEER for entry in all_)
    return Result("boots", f"Linux {boots.kernel.version} in QEMU, one processor, one node at a time", targets=found, tables=tables,
                  notes=boots.notes, data=data, headlines=boot_page.headlines(boots), panels=boot_page.panels(boots),
                  versions=boot_page.versions(boots.kernel, boots.program, with_peers), method=boot_page.METHOD,
                  limits=boot_page.LIMITS)
