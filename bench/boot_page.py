"""What the page says about boots: ratios in words, bars, versions, how it was done, and what that does not show."""

from __future__ import annotations

import math
import statistics
import subprocess
from typing import TYPE_CHECKING, Callable

import boot_peers
from boot_images import OURS, PEER, floor_of
from boot_site import MEMORY, Boot
from kernels import Kernel
from picture import Bar, Panel
from reboots import CAP, Down

if TYPE_CHECKING:
    from boots import Boots, Entry


def _first(all_: list[Entry], kind: str, nfs: int = 3) -> Entry | None:
    return next((each for each in all_ if each.boots and each.contender.kind == kind and each.contender.nfs == nfs), None)


def headlines(boots: Boots) -> list[str]:
    ours = _first(boots.entries, OURS)
    if ours is None:
        return []
    lines = []
    for entry in (each for each in boots.entries if each.contender.kind == PEER and each.boots):
        lines.append(f"From the kernel's “Run /init” to the real init, {entry.contender.name} takes "
                     f"**{entry.times(ours, lambda boot: boot.to_real_init):.1f} times as long** as diskless; its initramfs is "
                     f"{entry.image_bytes / ours.image_bytes:.1f} times as large.")
    for entry in (each for each in boots.entries if each.contender.kind == OURS and each.boots):
        floor = floor_of(entry, boots.entries)
        if floor:
            ratio = entry.times(floor, lambda boot: boot.to_real_init)
            lines.append(f"{entry.contender.name}: {ratio:.2f} times the floor, a static C program that only loads modules, "
                         "sets a fixed address and mounts.")
    hung = [f"{down.way.who} ({down.way.about})" for down in boots.downs if down.cut and math.isinf(min(down.cut))]
    for down in boots.downs:
        if down.cut and down.way.who == "diskless":
            lines.append(f"With its server cut off, a node that runs diskless ({down.way.about}) is down in "
                         f"**{statistics.median(down.cut):.1f} s**.")
    if hung:
        lines.append(f"With their server cut off, {', '.join(hung)} were still up when they were given up after {CAP:.0f} s.")
    return lines


def _bars(entries: list[Entry], value: Callable[[Boot], float], text: Callable[[float], str]) -> list[Bar]:
    bars = []
    for entry in entries:
        values = [value(boot) for boot in entry.boots]
        if values:
            middle = statistics.median(values)
            bars.append(Bar(entry.contender.name, entry.contender.kind, middle, text(middle), min(values), max(values)))
    return bars


def _down_bars(downs: list[Down], cut: bool) -> list[Bar]:
    bars = []
    for down in downs:
        values = down.cut if cut else down.alive
        if values:
            middle = statistics.median(values)
            kind = OURS if down.way.who == "diskless" else PEER
            label = f"{down.way.who}, {down.way.about}"
            bars.append(Bar(label, kind, CAP, f"> {CAP:.0f} s", open_end=True) if math.isinf(middle)
                        else Bar(label, kind, middle, f"{middle:.1f} s", min(values), max(values)))
    return bars


def panels(boots: Boots) -> list[Panel]:
    images: dict[str, Entry] = {}
    for entry in boots.entries:
        images.setdefault(str(entry.image), entry)
    return [
        Panel("“Run /init” to real init, seconds", _bars(boots.entries, lambda boot: boot.to_real_init, lambda s: f"{s:.2f} s")),
        Panel("initramfs, compressed", [Bar(entry.contender.name, entry.contender.kind, entry.image_bytes / 1e6,
                                            f"{entry.image_bytes / 1e6:.1f} MB") for entry in images.values()]),
        Panel("packets until the real init", _bars(boots.entries, lambda boot: float(boot.packets), lambda n: f"{n:.0f}")),
        Panel("reboot, server alive, seconds", _down_bars(boots.downs, False)),
        Panel("reboot, cable cut (arrow: still up, given up)", _down_bars(boots.downs, True)),
    ]


def _told(*argv: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return (done.stdout + done.stderr).strip().splitlines()[0] if done.stdout + done.stderr else "unknown"


def _package(name: str, root: str = "/") -> str:
    return f"{name} {_told('dpkg-query', f'--admindir={root}/var/lib/dpkg', '-W', '-f', '${Version}', name)}"


def versions(kernel: Kernel, program: str, with_peers: bool) -> list[str]:
    lines = [f"Nodes: Debian's Linux {kernel.version} in {_told('qemu-system-x86_64', '--version')}, TCG (no hardware "
             f"virtualisation), one processor, {MEMORY} MB, virtio-net",
             f"Servers: {_package('nfs-ganesha')}, {_package('dnsmasq-base')}, {_package('chrony')}", f"diskless: {program}"]
    if with_peers:
        live = str(boot_peers.workshop(boot_peers.WITH_LIVE))
        lines.append(f"Others: {_package('initramfs-tools', live)}, {_package('live-boot', live)}, "
                     f"{_package('dracut-core', str(boot_peers.workshop(boot_peers.WITH_DRACUT)))}")
    return lines


METHOD = [
    "Boots: a node in QEMU, servers and cable in a network namespace; no other node runs that does more than sleep. All boot the same "
    "kernel with `console=ttyS0 quiet ro` from QEMU's `-kernel` and `-initrd`, and the same root. Everybody boots once, then everybody "
    "again. A figure is the median, in parentheses the smallest and the largest. A ratio is the median of the ratios within each such "
    "round, since the machine may be half as fast for a while, which meets neighbours alike; so it is not quite the ratio of the two "
    "figures beside it.",
    "Real init is a static program of 60 kB in the root. Its first instruction reads CLOCK_MONOTONIC; it then writes a line to the "
    "kernel's log and sees by that line's stamp how far that clock is from the log's, on which “Run /init” is stamped. The time told is "
    "between these two. Power-on to real init is taken outside: QEMU's start to the marker's line on the console.",
    "Its second act is a datagram. tcpdump on the node's cable writes every frame; packets, bytes and calls are counted up to that "
    "datagram, both directions, without IPv6 (nobody here uses it, and the kernel says more of it the longer a boot takes). RPC records "
    "are put together from TCP and named by program and procedure; an NFSv4 compound by its first operation that is not about sessions "
    "or file handles. What the client's kernel counted itself is read a few look-ups later.",
    "Memory used is MemTotal - MemAvailable of /proc/meminfo; unreclaimable is MemTotal - MemFree after drop_caches, and what is over "
    "the floor is told of this one, which is not an estimate of the kernel's.",
    "The floor (`bench/floor.c`) loads the modules that virtio-net and one NFS version need, in order, sets a fixed address, mounts and "
    "executes. It frees each module's file, has no DHCP, no time, no state, no report and no second try.",
    "diskless does everything: DHCP, SNTP, the root, the snapshot, a state list of 40 entries, identity, report, agent. Its snapshot has "
    "been filled by a boot that does not count.",
    "dracut gets `network-legacy`, since with the handler that it chooses itself on Debian 12 it does not mount an NFS root; minimal is "
    "without systemd. live-boot mounts an overlay over the directory or over a squashfs file.",
    "Reboots: from the word typed on the console to QEMU's end; no other node boots while one goes down whose server is alive. Alive, "
    "under systemd: `disklessctl reboot`, which ends in a signal to PID 1, and that signal for the others, which spares them 25 s of "
    "asking a logind that does not start on a read-only root; `systemctl reboot` has a line of its own, where it works. Else `reboot`. "
    "Cut: the node's cable loses every packet first; diskless gets `disklessctl reboot`, the others a signal to PID 1 by a builtin of "
    f"the shell, since no program of the root can be started any more. Given up after {CAP:.0f} s.",
]
LIMITS = [
    "Real hardware: firmware, link negotiation of real switches are absent, and emulation makes processor time "
    "(loading modules, unpacking) dear beside the network's.",
    "Time to unpack the initramfs is the kernel's and is in “kernel”, not in “/init to real init”; transfer of kernel and initramfs by "
    "TFTP or HTTP is in neither.",
    "dracut's reboot is that of systemd in a root that has no dracut-shutdown, which was not measured.",
    "What the real init of a distribution then costs is the same for all and is left out.",
]
