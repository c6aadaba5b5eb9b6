"""Many nodes switched on at once: the node program's questions and retries against dnsmasq and NFS-Ganesha."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/lab"))

import network
import server
from measure import Failed, Figure, Result, Sample, Target, say
from namespace import LabError, Namespace, wait_until

STORM = ROOT / "build/release/bench/storm"
LOSSY = 40  # seconds for those whose servers lose half: longer than the target allows; TCP's backoff would go on for minutes


@dataclass
class Outcome:
    """What one storm was like; seconds since the nodes were switched on."""

    nodes: int
    seconds: float  # until the last node was up; the whole time when one never was
    up: int
    told: dict[str, list[float]]
    frames: int  # that the servers' side received and sent
    cpu: dict[str, float] = field(default_factory=dict)

    def late(self, what: str) -> float:
        return max(self.told[what])

    def note(self) -> str:
        nodes = self.nodes
        return (f"{self.up} up; lease {self.late('leased'):.1f} s, server found {self.late('answered'):.1f} s; a node: "
                f"{sum(self.told['asked']) / nodes:.1f} DHCP messages, {sum(self.told['probes']) / nodes:.2f} probes, "
                f"{sum(self.told['mounts']) / nodes:.2f} mounts, {self.frames / nodes:.0f} frames; server CPU "
                f"{1000 * sum(self.cpu.values()) / nodes:.1f} ms (" +
                ", ".join(f"{name} {1000 * seconds / nodes:.1f}" for name, seconds in self.cpu.items()) + ")")


def _address(node: int) -> str:
    return f"10.9.{16 + (node >> 8)}.{node & 255}"


def _cpu_of(processes: dict[str, int]) -> dict[str, float]:
    found = {}
    for name, pid in processes.items():
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        found[name] = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return found


def _frames(namespace: Namespace) -> int:
    link = json.loads(namespace.run("ip", "-json", "-statistics", "link", "show", "to-nodes"))[0]["stats64"]
    return link["rx"]["packets"] + link["tx"]["packets"]


class Servers:
    """A network of servers, and beside it one that holds the addresses of all nodes."""

    def __init__(self, top: Path, most: int) -> None:
        (top / "logs").mkdir()
        self.servers = Namespace(top / "logs")
        self.nodes = Namespace(top / "logs")
        network.Network(self.servers)
        run = self.servers.run
        run("ip", "address", "flush", "dev", "br0")
        run("ip", "address", "add", f"{network.SERVER}/16", "dev", "br0")
        run("ip", "link", "add", "to-nodes", "type", "veth", "peer", "name", "eth0", "netns", str(self.nodes.pid))
        run("ip", "link", "set", "to-nodes", "master", "br0", "up")
        addresses = "".join(f"address add {_address(node)}/16 dev eth0\n" for node in range(most))
        self.nodes.run("ip", "link", "set", "eth0", "up")
        self.nodes.run("ip", "-batch", "-", stdin=addresses)
        # dnsmasq tells its kernel each node's hardware address, and all nodes are behind one interface
        self.nodes.run("nft", "-f", "-", stdin="table netdev nodes { chain incoming { type filter hook ingress device eth0 "
                                               "priority 0; meta pkttype set host; }; }\n")
        tree = top / "srv"
        for path in ("root/sbin", "root/etc"):
            (tree / path).mkdir(parents=True)
        (tree / "root/sbin/init").write_bytes(os.urandom(1 << 20))
        (tree / "root/etc/statetab").write_text("/var/log/\n")
        server.mount_tree(self.servers, tree)
        server.NfsServer(self.servers, top, [server.Export("/srv/root")]).start()
        hosts = "".join(f"dhcp-host=52:54:00:0a:{node >> 8:02x}:{node & 255:02x},{_address(node)},node{node}\n" for node in range(most))
        (top / "dnsmasq.conf").write_text(
            "port=0\ninterface=br0\nbind-interfaces\nno-resolv\nno-hosts\nno-ping\nuser=root\ngroup=root\nleasefile-ro\n"
            f"dhcp-lease-max=5000\ndhcp-range=10.9.16.0,static,255.255.0.0,3600\ndhcp-authoritative\n{hosts}")
        self.servers.start("dnsmasq", "dnsmasq", "--keep-in-foreground", f"--conf-file={top}/dnsmasq.conf", "--log-facility=-")
        wait_until("DHCP server is up", lambda: ":67 " in run("ss", "-Hlnu"), 10)
        self.pids = {name: self._pid(name) for name in ("dnsmasq", "ganesha.nfsd")}

    def _pid(self, name: str) -> int:
        ours = os.readlink(f"/proc/{self.servers.pid}/ns/net")
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if (path / "comm").read_text().strip() == name and os.readlink(path / "ns/net") == ours:
                    return int(path.name)
            except OSError:
                continue
        raise Failed(f"{name} does not run")

    def drop(self, percent: int) -> None:
        """Loses that share of what nodes send to the servers, at random."""
        rule = f"numgen random mod 100 < {percent} drop"
        self.servers.run("nft", "-f", "-", stdin="table netdev loss { chain from_nodes { type filter hook ingress device "
                                                 f"to-nodes priority 0; {rule}; }}; }}\n")

    def heal(self) -> None:
        self.servers.run("nft", "delete", "table", "netdev", "loss")

    def storm(self, nodes: int, jitter: bool, within: int) -> Outcome:
        before, frames = _cpu_of(self.pids), _frames(self.servers)
        started = time.monotonic()
        done = subprocess.run(self.nodes.inside(str(STORM), "eth0", network.SERVER, str(nodes), str(int(jitter)), str(within)),
                              capture_output=True, text=True, timeout=within + 60, check=False)
        seconds = time.monotonic() - started
        if done.returncode not in (0, 3):
            raise Failed(f"storm of {nodes} nodes ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        told = json.loads(done.stdout)
        after = _cpu_of(self.pids)
        up = sum(1 for at in told["up"] if at >= 0)
        return Outcome(nodes, max(told["up"]) if up == nodes else seconds, up, told, _frames(self.servers) - frames,
                       {name: after[name] - before[name] for name in after})

    def close(self) -> None:
        self.nodes.close()
        self.servers.close()


def build() -> None:
    """The program that is many nodes at once; it is in no other target, since it needs libnfs."""
    say("storm: building build/release/bench/storm")
    configure = [] if STORM.exists() else [["cmake", "--preset", "release"]]
    for command in configure + [["cmake", "--build", "build/release", "--target", "storm"]]:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{STORM} is not built: apt-get install libnfs-dev, then {' '.join(command)}\n"
                         + "\n".join((done.stdout + done.stderr).splitlines()[-5:]))


def storm(options: argparse.Namespace) -> Result:
    build()
    sizes = [10, 100, 300] if options.quick else [10, 100, 300, 1000]
    figures: list[Figure] = []
    outcomes: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="diskless-storm-") as top:
        try:
            servers = Servers(Path(top), max(sizes))
        except LabError as error:
            raise Failed(str(error)) from error
        try:
            def one(name: str, nodes: int, jitter: bool, within: int) -> None:
                say(f"storm: {name}")
                outcome = outcomes[name] = servers.storm(nodes, jitter, within)
                figures.append(Figure(name, nodes, outcome.note(), [Sample(outcome.seconds, sum(outcome.cpu.values()), 0)]))

            for size in sizes:
                one(f"{size} nodes", size, True, 90)
            one(f"{sizes[-1]} nodes in step", sizes[-1], False, 90)
            servers.drop(50)
            one("100 nodes, servers lose half", 100, True, LOSSY)
            if not options.quick:
                one("100 nodes in step, servers lose half", 100, False, LOSSY)
            servers.heal()
        finally:
            servers.close()
    largest, smaller = outcomes[f"{sizes[-1]} nodes"], outcomes[f"{sizes[-2]} nodes"]
    result = Result("storm", "switched on at once: lease, server found, root mounted, 1 MB read", "node", figures)
    lossy, lossy_in_step = outcomes["100 nodes, servers lose half"], outcomes.get("100 nodes in step, servers lose half")
    result.targets = [
        Target(f"nodes of {largest.nodes} that came up", largest.up, largest.nodes),
        Target(f"seconds to the last of {largest.nodes} nodes", largest.seconds, 30, False),
        Target(f"server CPU a node of {largest.nodes} against one of {smaller.nodes}: near linear",
               (sum(largest.cpu.values()) / largest.nodes) / max(1e-6, sum(smaller.cpu.values()) / smaller.nodes), 1.5, False),
        Target(f"DHCP messages a node of {largest.nodes}", sum(largest.told["asked"]) / largest.nodes, 4, False),
        Target("nodes of 100 that found their server while half was lost", sum(1 for at in lossy.told["answered"] if at >= 0), 100),
        Target("seconds to the last of these", lossy.late("answered"), 30, False),
    ]
    result.notes.append("In step: nobody draws a delay, all ask again at the same moments.")
    if lossy_in_step:
        result.notes.append(f"While half was lost, the last server was found after {lossy_in_step.late('answered'):.1f} s in step, "
                            f"{lossy.late('answered'):.1f} s with jitter.")
    result.notes.append("Servers that lose half: every second frame from the nodes is dropped. What is slow then is TCP's own backoff "
                        "below the mounts, in libnfs here.")
    median = statistics.median(at for at in largest.told["up"])
    result.notes.append(f"All of {largest.nodes} nodes run in one process beside the servers, on the same processors; the median node was up "
                        f"after {median:.1f} s.")
    return result
