"""A cluster as an administrator makes it with diskless-server, and real servers on the files that it rendered.

Nothing that servers read or nodes boot from is written here: the tree, the image, the node list, the snapshots, the
boot files and the servers' configuration come from diskless-server, and the servers are started as its systemd units
say.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping

import images
import network
import roots
from console import PATIENCE
from namespace import LabError, Namespace, Process, wait_until

BASE = "/srv/diskless"
IMAGE = "busybox"


@dataclass(frozen=True)
class Site:
    """What the administrator decides; the rest is diskless-server's."""

    loaders: tuple[str, ...] = ("pxelinux",)
    dhcp: tuple[str, ...] = ("dnsmasq",)
    choices: Mapping[str, str] = field(default_factory=dict)  # more of cluster.toml, values as TOML: {"range": '"…"'}
    nodes: int = 1
    macs: bool = True                                         # the node list knows them
    settings: tuple[str, ...] = ("console=ttyS0", "nfs-options=vers=3")  # of every node: as node add takes them
    overlays: Mapping[str, str] = field(default_factory=dict)           # {"node1/etc/motd": …}
    pack: bool = False                                        # the image is in one file, too
    stick: bool = False                                       # nodes boot from what `usb create` makes


def configured(text: str, choices: Mapping[str, str]) -> str:
    """cluster.toml as `init` wrote it, with those of its commented lines that are chosen."""
    for key, value in choices.items():
        text, found = re.subn(rf"^# {re.escape(key)} = .*$", f"{key} = {value}", text, count=1, flags=re.MULTILINE)
        if not found:
            raise LabError(f"cluster.toml that diskless-server init made has no line for {key}")
    return text


def _toml(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


class Administrator:
    """Types commands on the server; what they print is in <logs>/administrator.log."""

    def __init__(self, namespace: Namespace, tree: Path, work: Path) -> None:
        self._namespace, self._base = namespace, tree / "diskless"
        # As installed: the programs beside each other, pxeos and pxeboot as further names of one of them.
        programs = self._programs = work / "bin"
        programs.mkdir()
        shutil.copy2(images.server_helper(), programs / "diskless-server")
        shutil.copy2(images.node_program(), programs / "diskless-init")
        for name in ("pxeos", "pxeboot"):
            (programs / name).symlink_to("diskless-server")
        self._environment = {**os.environ, "LC_ALL": "C", "DISKLESS_LAB_LOGS": str(namespace.logs), "PATH": f"{programs}:{os.environ['PATH']}"}

    def install(self, program: Path, name: str) -> None:
        """One more program of the administrator's."""
        (self._programs / name).symlink_to(program)

    def write(self, path: str, text: str, append: bool = False) -> None:
        into = ">>" if append else ">"
        self._namespace.run("sh", "-c", f'mkdir -p "${{1%/*}}" && cat {into}"$1"', "sh", path, stdin=text)

    def shell(self, script: str, succeeds: bool = True) -> str:
        # syslinux and others find their own files by /proc: it must be that of the namespace of the processes.
        command = self._namespace.inside("unshare", "--mount", "--propagation", "unchanged", "bash", "-c",
                                         'mount -t proc proc /proc && exec bash -c "$1"', "bash", script,
                                         dies_with_it=True)
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120 * PATIENCE, check=False,
                              env=self._environment)
        with open(self._namespace.logs / "administrator.log", "a", encoding="utf-8") as log:
            log.write(f"# {script}\n{done.stdout}")
        if (done.returncode == 0) != succeeds:
            raise LabError(f"{script[:60]}: {done.stdout.strip()[-300:] or done.returncode}")
        return done.stdout

    def run(self, *arguments: str, succeeds: bool = True) -> str:
        return self.shell(f"diskless-server {shlex.join(arguments)}", succeeds)

    def prepare(self, site: Site, golden: Path) -> None:
        """From an empty directory to everything that the nodes boot from. `golden` becomes the image."""
        self.run("init", "--address", network.SERVER, "--network", network.PREFIX)
        file = self._base / "cluster.toml"
        file.write_text(configured(file.read_text(), {
            "loaders": _toml(site.loaders), "dhcp": _toml(site.dhcp), "nfs": '["ganesha"]',
            "ntp": _toml((network.SERVER,)), "image": f'"{IMAGE}"', **site.choices}))
        self.run("image", "add", IMAGE, "--root", str(golden))
        self.run("image", "check", IMAGE)
        if site.pack:
            self.run("image", "pack", IMAGE)
        for number in range(1, site.nodes + 1):
            mac = ("--mac", network.mac(number)) if site.macs else ()
            self.run("node", "add", f"node{number}", "--ip", network.address(number), *mac, *site.settings)
        for path, text in site.overlays.items():
            roots.write(self._base / "overlays" / path, text)
        self.run("snapshot", "prepare")
        self.run("boot", "apply")

    def make_stick(self, node: str, stick: Path) -> None:
        self.run("usb", "create", node, "--out", str(stick))

    def generations(self) -> list[Path]:
        return sorted(path.parent for path in (self._base / "images").glob("*/*/.diskless-generation")
                      if not path.parent.is_symlink())


@dataclass
class _Unit:
    """What systemd would do with a rendered unit."""

    name: str
    command: list[str]
    binds: list[tuple[str, str]]

    @staticmethod
    def of(file: Path) -> _Unit:
        unit = _Unit(file.stem, [], [])
        for line in file.read_text().splitlines():
            key, _, value = line.partition("=")
            if key == "ExecStart":
                unit.command = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(value)]
            elif key == "BindReadOnlyPaths":
                source, _, target = value.partition(":")
                unit.binds.append((source, target))
            elif key.startswith("Exec") and key != "ExecReload":
                raise LabError(f"{file.name}: the laboratory does not know {key}")
        return unit


# Where it is seen that a server is up: ss shows the port; a server of raw frames has a socket of that protocol.
_READY = {"diskless-dnsmasq": "udp 67", "diskless-dhcpd": "udp 67", "diskless-kea": "udp 67", "diskless-tftp": "udp 69",
          "diskless-bootpd": "udp 67", "diskless-rarpd": "frames 8035", "diskless-ganesha": "tcp 2049",
          "diskless-http": "tcp 80"}


class Servers:
    """Every unit that `boot apply` rendered, started as it says."""

    def __init__(self, namespace: Namespace, tree: Path) -> None:
        self._namespace = namespace
        self._units = {unit.name: unit
                       for unit in map(_Unit.of, sorted((tree / "diskless/boot/etc/systemd").glob("*.service")))}
        self._running: dict[str, Process] = {}

    def start(self) -> None:
        rpcbind = self._namespace.start("rpcbind", "rpcbind", "-f", "-w", changes_user=True)
        self._wait("rpcbind", rpcbind, "tcp 111")
        for name in self._units:
            self._start(name)

    def _start(self, name: str) -> None:
        unit = self._units[name]
        if name not in _READY:
            raise LabError(f"the laboratory does not know when {name}.service is up")
        for source, target in unit.binds:
            self._namespace.run("touch", target)
            self._namespace.run("mount", "--bind", source, target)
        # dnsmasq changes its user; the others must be reached by a signal.
        process = self._namespace.start(name, *unit.command, changes_user="dnsmasq" in unit.command[0])
        self._running[name] = process
        self._wait(name, process, _READY[name])

    def _wait(self, name: str, process: Process, ready: str) -> None:
        kind, which = ready.split()

        def up() -> bool:
            if not process.alive:
                raise LabError(f"{name} ended at once: see {process.log}")
            if kind == "frames":
                lines = self._namespace.run("cat", "/proc/net/packet").splitlines()
                return any(line.split()[3] == which for line in lines[1:])
            lines = self._namespace.run("ss", "-Hln", f"-{kind[0]}").splitlines()
            return any(line.split()[3].endswith(f":{which}") for line in lines if len(line.split()) > 3)

        wait_until(f"{name} is up", up, 20)

    def reload(self, name: str) -> None:
        self._running[name].signal(signal.SIGHUP)
