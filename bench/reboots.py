"""The way down: how long a node takes from the word to the reset, with its server alive and with the cable cut.

Nodes are booted two at a time, and none boots while one whose server is alive goes down: that is work, not waiting. One whose
server is gone works, too, before it waits; from then on it takes no time of the others. What hangs is given up after CAP seconds.
"""

from __future__ import annotations

import math
import queue
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Iterator

import boot_images
import boot_peers
import roots
from boot_site import Site
from kernels import Kernel
from measure import say
from namespace import LabError
from network import SERVER
from node import Node

if TYPE_CHECKING:
    from boots import TimeLeft

CAP = 60.0
NODES = (2, 3, 4, 5, 6)  # numbers that these nodes have
_AT_A_TIME = 2
_WORKING = 12.0          # seconds: what hangs has done before that what it can do
_CTL = "/run/diskless/disklessctl reboot"


@dataclass(frozen=True)
class Way:
    who: str
    userland: str             # flavour of the root
    about: str
    image: Callable[[Kernel], Path]
    command_line: str         # {root}: what is mounted
    alive: str                # what is typed when all is well
    cut: str                  # and when no packet comes or goes: the best that this system has
    runs: tuple[int, int]     # alive, cut
    quick: tuple[int, int]
    limits: tuple[float, float] = (0, 0)  # what the targets want, seconds
    why: str = ""             # told when the first of them is missed


# A program of the root cannot be started when the server is gone; a builtin of the shell can still send a signal. It is what the
# others get with the server alive, too: on a root that is read-only and has no state, logind does not start, and systemctl
# asks it in vain for 25 s. Our own command ends in the same signal.
_SYSTEMD = "kill -39 1"  # SIGRTMIN+5: reboot
_BUSYBOX = "kill -TERM 1"
_OURS = "root=/dev/nfs nfsroot={root} ip=dhcp"


def _dracut(kernel: Kernel) -> Path:
    return boot_peers.dracut(kernel, "dracut")


def _initramfs_tools(kernel: Kernel) -> Path:
    return boot_peers.initramfs_tools(kernel, "netboot")


WAYS = (
    Way("diskless", "debian", "systemd", boot_images.ours, _OURS, _CTL, _CTL, (3, 1), (0, 0), (3, 10),
        "about half a second of it is ours, the rest systemd's, whoever booted the node"),
    Way("diskless", "debian", "systemd, by systemctl", boot_images.ours, _OURS, "systemctl reboot", "", (1, 0), (0, 0)),
    Way("diskless", "busybox", "itself as PID 1", boot_images.ours, _OURS + " diskless.init=self", "reboot", _CTL, (3, 2), (2, 1),
        (1, 10)),
    Way("diskless", "busybox", "busybox init", boot_images.ours, _OURS, "reboot", _CTL, (1, 1), (0, 0), (0, 10)),
    Way("initramfs-tools", "debian", "systemd", _initramfs_tools, "boot=nfs " + _OURS, _SYSTEMD, _SYSTEMD, (1, 1), (0, 0)),
    Way("initramfs-tools", "busybox", "busybox init", _initramfs_tools, "boot=nfs " + _OURS, "reboot", _BUSYBOX, (1, 1), (1, 1)),
    Way("dracut", "debian", "systemd", _dracut, "root=nfs:{root}:vers=3,nolock ip=dhcp rd.shell=0", _SYSTEMD, _SYSTEMD,
        (1, 1), (0, 0)),
)


class Quiet:
    """Many may make noise together; who wants silence waits for their end, and they for his."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._noisy, self._silent = 0, False

    @contextmanager
    def noise(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._silent)
            self._noisy += 1
        try:
            yield
        finally:
            with self._changed:
                self._noisy -= 1
                self._changed.notify_all()

    @contextmanager
    def silence(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._silent and self._noisy == 0)
            self._silent = True
        try:
            yield
        finally:
            with self._changed:
                self._silent = False
                self._changed.notify_all()


@dataclass
class Down:
    """A way, and how long it took each time; math.inf: it was given up."""

    way: Way
    alive: list[float] = field(default_factory=list)
    cut: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        def told(values: list[float]) -> list[float | None]:
            return [None if math.isinf(value) else value for value in values]

        return {"who": self.way.who, "userland": self.way.about, "cap": CAP, "alive": told(self.alive), "cut": told(self.cut),
                "failures": self.failures}


def root_path(flavour: str) -> str:
    return f"/srv/diskless/images/{flavour}/1"


def chosen(quick: bool) -> list[Way]:
    return [way for way in WAYS if any(way.quick if quick else way.runs)]


class Reboots:
    def __init__(self, site: Site, ways: list[Way], quick: bool, left: TimeLeft) -> None:
        self._site, self._quick, self._left = site, quick, left
        self.downs = [Down(way) for way in ways]
        self._turn = threading.Semaphore(_AT_A_TIME)
        self._quiet = Quiet()
        self._nodes: queue.Queue[Node] = queue.Queue()
        for number in NODES:
            self._nodes.put(site.node(number))

    def jobs(self) -> list[tuple[Down, bool]]:
        """Those that will hang first: the others go on beside them."""
        each = [(down, cut) for down in self.downs for cut, count in zip((False, True), self._counts(down.way)) for _ in range(count)]
        return sorted(each, key=lambda job: not (job[1] and job[0].way.who != "diskless"))

    def _counts(self, way: Way) -> tuple[int, int]:
        return way.quick if self._quick else way.runs

    def plan(self) -> None:
        """Tells how long it takes about, a job in turn with another."""
        jobs = self.jobs()
        seconds = sum({"debian": 60, "busybox": 14}[down.way.userland] for down, _ in jobs) / _AT_A_TIME + 15
        if jobs:
            self._left.plan("reboots", seconds / len(jobs), len(jobs))

    def run(self) -> None:
        jobs = self.jobs()
        started = time.monotonic()
        with ThreadPoolExecutor(max_workers=len(NODES)) as pool:
            running = [pool.submit(self._one, down, cut) for down, cut in jobs]
            for number, each in enumerate(as_completed(running), 1):
                each.result()
                self._left.done("reboots", (time.monotonic() - started) / number)
                say(f"boots: reboots, {number} of {len(jobs)} done, {self._left}")

    def _one(self, down: Down, cut: bool) -> None:
        node = self._nodes.get()
        try:
            self._turn.acquire()
            try:
                with self._quiet.noise():
                    self._bring_up(node, down.way)
                    if cut:
                        node.cut()
                        wait = self._say(node, down.way.cut)
                        took = wait(_WORKING)
                if not cut:
                    with self._quiet.silence():
                        wait = self._say(node, down.way.alive)
                        took = wait(CAP)
            finally:
                self._turn.release()
            (down.cut if cut else down.alive).append(wait(CAP) if math.isinf(took) else took)
        except LabError as failure:
            down.failures.append(str(failure))
        finally:
            node.power_off()
            node.restore()
            self._nodes.put(node)

    def _bring_up(self, node: Node, way: Way) -> None:
        snapshot = self._site.snapshots / node.name  # that of another root is of no use here
        shutil.rmtree(snapshot, ignore_errors=True)
        snapshot.mkdir()
        words = way.command_line.format(root=f"{SERVER}:{root_path(way.userland)}")
        node.start(self._site.kernel.image, way.image(self._site.kernel), f"console=ttyS0 quiet ro {words}")
        node.console.login(300, "root", roots.PASSWORD)

    def _say(self, node: Node, word: str) -> Callable[[float], float]:
        """What is returned waits for the reset until so many seconds after the word, and tells when it came."""
        started = time.monotonic()
        node.console.write(f"{word}\n")

        def wait(until: float) -> float:
            while node.alive:
                if time.monotonic() - started > until:
                    return math.inf
                if not node.console.pump(0.02):
                    time.sleep(0.01)
            return time.monotonic() - started

        return wait
