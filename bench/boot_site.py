"""The laboratory as boots are measured in it: servers, one shared root, a node, and what is seen of one boot."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping

import cache
import network
import roots
import wire
from console import PATIENCE
from kernels import Kernel
from namespace import LabError, Namespace, Process
from network import Network
from node import Hardware, Node
from server import Dhcp, DhcpServer, Export, NfsServer, TimeServer, mount_tree, place
from server_helper import make_root

HERE = Path(__file__).resolve().parent
ROOT = "/srv/diskless/images/bench/1"
SNAPSHOTS = "/srv/diskless/snapshots"
INIT = "/marker"
MEMORY = 512  # MiB of a node
NODES = 8


def compiled(name: str) -> Path:
    """A static program of this directory."""
    source = HERE / f"{name}.c"

    def make(directory: Path) -> None:
        cache.run(["musl-gcc", "-Os", "-static", "-s", "-o", str(directory / name), str(source)])

    return cache.kept(f"bench-{name}-{cache.fingerprint(source.read_text())}", make) / name


def shared_root() -> Path:
    """busybox, the marker, and etc/statetab with 40 entries that exist. Other programs take no notice of that list."""
    marker = compiled("marker")

    def make(root: Path) -> None:
        roots.copy(roots.busybox(), root)
        listed = root / "listed"
        make_root(listed, False)
        cache.run(["cp", "-a", f"{listed}/.", str(root)])
        shutil.rmtree(listed)
        shutil.copy2(marker, root / INIT.lstrip("/"))
        # systemd enters nothing that does not look like an operating system
        roots.write(root / "etc/os-release", "NAME=bench\nID=bench\n")

    return cache.kept(f"root-bench-{cache.fingerprint(marker.parent.name, roots.busybox().name, 1)}", make)


@dataclass
class Boot:
    """What one boot was like. Seconds, kB."""

    to_real_init: float  # the kernel's "Run /init" to the first instruction of the real init, both on the kernel's clock
    kernel: float        # until "Run /init", on the same clock
    power_on: float      # QEMU's start to the line on the console, on the host's clock
    used: int            # MemTotal - MemAvailable
    used_dropped: int    # MemTotal - MemFree, caches dropped: what cannot be had back
    packets: int = 0
    bytes: int = 0
    calls: dict[str, int] = field(default_factory=dict)      # on the wire, until the real init
    protocols: dict[str, int] = field(default_factory=dict)  # packets by protocol
    client_calls: int = 0        # what the kernel's NFS client counted itself, until the real init
    packets_after: int = 0       # in the seconds after it
    calls_after: dict[str, int] = field(default_factory=dict)
    processes: list[dict[str, Any]] = field(default_factory=list)
    round: int = 0               # in which everybody booted once


def client_calls(counters: str) -> int:
    """All calls of the client, by /proc/net/rpc/nfs with ';' for newlines: "rpc CALLS RETRANSMISSIONS REFRESHES"."""
    found = re.search(r"(?:^|;)rpc (\d+)", counters)
    return int(found[1]) if found else 0


def memory(told: dict[str, Any]) -> tuple[int, int]:
    now, dropped = told["memory"], told["memory_dropped"]
    return now["MemTotal"] - now["MemAvailable"], dropped["MemTotal"] - dropped["MemFree"]


class Site:
    """Servers and cables; made once for a run."""

    def __init__(self, kernel: Kernel, logs: Path, live: Callable[[Path, Path], None] | None = None,
                 other_roots: Mapping[str, Path] | None = None, nodes: int = NODES) -> None:
        """`live` lays out what live-boot boots from; `other_roots` are exported, too: path -> directory."""
        self.kernel, self.logs, self._nodes = kernel, logs, nodes
        self._other_roots = other_roots or {}
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)
        self.work = cache.temporary()
        self.namespace = Namespace(logs)
        try:
            self._set_up(live)
        except BaseException:
            self.close()
            raise

    def _set_up(self, live: Callable[[Path, Path], None] | None) -> None:
        self.network = Network(self.namespace)
        tree = self.work / "srv"
        tree.mkdir()
        mount_tree(self.namespace, tree)
        place(self.namespace, tree, ROOT, shared_root())
        exports = [Export(ROOT), Export(SNAPSHOTS, writable=True)]
        for path, directory in self._other_roots.items():
            place(self.namespace, tree, path, directory)
            exports.append(Export(path))
        self.snapshots = tree / "diskless/snapshots"
        for number in range(1, self._nodes + 1):
            (self.snapshots / f"node{number}").mkdir(parents=True)
        if live is not None:
            (tree / "live").mkdir()
            live(tree / "live", shared_root())
            exports.append(Export("/srv/live"))
        self.nfs = NfsServer(self.namespace, self.work, exports)
        self.nfs.start()
        DhcpServer(self.namespace, self.work, Dhcp(), self._nodes).start()
        TimeServer(self.namespace, self.work).start()

    def node(self, number: int, memory: int = MEMORY) -> Node:
        return Node(self.namespace, self.network, number, Hardware(memory=memory), self.logs, self.work)

    def stay(self, node: Node, image: Path, command_line: str, seconds: int) -> Callable[[], dict[str, Any]]:
        """A boot whose node runs on; what is returned waits until it has spoken again, `seconds` after."""
        node.start(self.kernel.image, image, f"console=ttyS0 quiet ro init={INIT} bench_wait={seconds} {command_line}")
        node.console.expect(r"^bench: \{.*\}\n", 60)
        until = time.monotonic() + seconds

        def later() -> dict[str, Any]:
            try:
                found = node.console.expect(r"^bench later: (\{.*\})\n", max(0.0, until - time.monotonic()) + 30)
            finally:
                node.power_off()
            told: dict[str, Any] = json.loads(found[1])
            return told

        return later

    def boot(self, node: Node, image: Path, command_line: str, within: float, quiet_after: float = 1.0) -> Boot:
        """One boot of `node` until the real init has spoken, and `quiet_after` seconds more of listening."""
        capture = self.work / f"{node.name}.pcap"
        capture.unlink(missing_ok=True)
        listener = self._listen(node, capture)
        try:
            started = time.monotonic()
            node.start(self.kernel.image, image, f"console=ttyS0 quiet ro init={INIT} {command_line}")
            found = node.console.expect(r"^bench: (\{.*\})\n", within)
            seconds = time.monotonic() - started
            time.sleep(quiet_after)  # what a boot leaves for later belongs to its costs
        finally:
            node.power_off()
            # what is on the cable is in the file at once, and complete when tcpdump has ended
            listener.signal(signal.SIGINT)
            listener.wait(5)
        dropped_frames = re.findall(r"^(\d+) packets? dropped by kernel", listener.log.read_text(), re.MULTILINE)
        if not dropped_frames or dropped_frames[-1] != "0":
            raise LabError(f"tcpdump has not seen every packet: {listener.log}")
        traffic = wire.read(capture, network.mac(node.number))
        if not traffic.complete:
            kept = shutil.copy2(capture, self.logs)
            raise LabError(f"{node.name}: the real init's first packet is not in {kept}")
        told = json.loads(found[1])
        used, dropped = memory(told)
        return Boot(told["kmsg"] - told["run_init"], told["run_init"], seconds, used, dropped, traffic.packets, traffic.bytes,
                    dict(traffic.calls), dict(traffic.protocols), client_calls(told["rpc"]), traffic.packets_after,
                    dict(traffic.calls_after), told["processes"])

    def _listen(self, node: Node, capture: Path) -> Process:
        # a slot of its buffer is as large as the longest frame that it may meet: with the default of 256 kB frames were lost
        listener = self.namespace.start(f"{node.name}.tcpdump", "tcpdump", "-i", node.taps[0], "--immediate-mode", "-U",
                                        "-s", "2000", "-B", "8192", "-Z", "root", "-w", str(capture))
        deadline = time.monotonic() + 10 * PATIENCE
        while not capture.exists() or capture.stat().st_size < 24:  # the file's header: it listens
            if time.monotonic() > deadline or not listener.alive:
                raise LabError(f"tcpdump does not listen: see {listener.log}")
            time.sleep(0.01)
        return listener

    def close(self) -> None:
        self.namespace.close()
        shutil.rmtree(self.work, ignore_errors=True)


def unpacked_bytes(image: Path) -> int:
    """Size of an initramfs without compression; what it is compressed with shows in its first bytes."""
    start = image.read_bytes()[:4]
    command = {b"\x28\xb5\x2f\xfd": "zstd -dc", b"\x1f\x8b\x08\x00": "gzip -dc", b"\xfd7zX": "xz -dc"}.get(start)
    if command is None and start[:2] == b"\x1f\x8b":
        command = "gzip -dc"
    if command is None:
        return image.stat().st_size
    with subprocess.Popen([*command.split(), str(image)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        return sum(len(part) for part in iter(lambda: process.stdout.read(1 << 20), b""))
