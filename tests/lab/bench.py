"""One case set up: servers, cables and node, with what its steps need to look at them."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable

import cache
import disk
import images
import network
import recipe
import roots
from case import Case
from kernels import Kernel, built_kernel
from namespace import LabError, Namespace, wait_until
from network import Network
from node import Node
from recipe import Cluster
from server import (DhcpServer, Export, NfsServer, TimeServer, advertise_router, keep_own_etc, mount_tree, own_top,
                    place)
from prepared import Administrator, Servers

IMAGES = "/srv/diskless/images"


@dataclass(frozen=True)
class Choices:
    """What the command line of `run` decides for every case."""

    kernel: Kernel
    logs: Path
    root: Path | None = None       # the user's own root in place of the case's flavour
    initramfs: Path | None = None  # the user's own image
    verbose: bool = False


class Bench:
    def __init__(self, case: Case, choices: Choices) -> None:
        self.case, self.choices = case, choices
        self.logs = choices.logs / case.name
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self._work = cache.temporary()
        self.tree = self._work / "srv"
        self._beside: Path | None = None
        self._report_before: dict[str, int] = {}  # by snapshot: the report of the boot before this one
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failure_of_later: LabError | None = None
        self.written: dict[str, str] = {}  # path on the node: checksum of what it wrote there
        self.namespace = Namespace(self.logs)
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise

    def _set_up(self) -> None:
        case = self.case
        if case.cluster:
            self._set_up_cluster(case.cluster)
            return
        self.network = Network(self.namespace)
        if case.netboot or case.site:
            self.network.announce_ipv6()
        self.tree.mkdir()
        mount_tree(self.namespace, self.tree)
        if case.site:
            self.administrator = Administrator(self.namespace, self.tree, self._work)
        self._before: dict[Path, roots.Manifest] = {}
        if case.site:
            self._set_up_site()
        else:
            self._set_up_servers()
        nodes = case.site.nodes if case.site else 1
        hardware = replace(case.hardware, disk=str(disk.windows_disk(self._work))) if case.windows_disk else case.hardware
        self.nodes = [Node(self.namespace, self.network, number, hardware, self.logs, self._work)
                      for number in range(1, nodes + 1)]
        self.node = self.nodes[0]  # whom the steps are about: see steps.At

    def _set_up_site(self) -> None:
        """Everything by diskless-server: see prepared.py."""
        site = self.case.site
        assert site is not None
        self.golden = self._directory_beside() / "golden"
        self.golden.mkdir()
        roots.clone(self.choices.root or roots.golden(self.choices.kernel), self.golden)
        keep_own_etc(self.namespace, self._work)
        self.administrator.prepare(site, self.golden)
        self.watch_generations()
        advertise_router(self.namespace)
        TimeServer(self.namespace, self._work).start()
        self.servers = Servers(self.namespace, self.tree)
        self.servers.start()

    def _set_up_cluster(self, cluster: Cluster) -> None:
        """Machines and installed systems; everything else is the recipe's."""
        self._before = {}
        self.network = Network(self.namespace, cluster.server)
        self.network.announce_ipv6()
        top = self._directory_beside() / "server"
        names = {*cluster.directories, "/srv", "/root", *(f"/{path.split('/')[1]}" for path in cluster.systems)}
        own_top(self.namespace, top, tuple(sorted(names)))
        for path in ("/run", "/var/lib/nfs"):
            self.namespace.run("mount", "-t", "tmpfs", "tmpfs", path)
        keep_own_etc(self.namespace, self._work)
        for path, flavour in cluster.systems.items():
            (top / path.lstrip("/")).mkdir(parents=True)
            roots.copy(roots.flavour(flavour, self.choices.kernel), top / path.lstrip("/"))
        self.administrator = Administrator(self.namespace, self.tree, self._work)
        self.administrator.install(images.TREE / "tests/lab/systemctl.py", "systemctl")
        self.namespace.start("rpcbind", "rpcbind", "-f", "-w", changes_user=True)
        advertise_router(self.namespace)
        TimeServer(self.namespace, self._work, cluster.server).start()
        if cluster.golden:
            self._start_golden(*cluster.golden)
        if cluster.kernel:
            configuration, built = cluster.kernel
            target = top / built.lstrip("/")
            target.parent.mkdir(parents=True)
            shutil.copy2(built_kernel(recipe.file_of(self.case.name, configuration)), target)
        self.nodes = [Node(self.namespace, self.network, number,
                           replace(self.case.hardware, disk=machine.disk and str(disk.used_disk(self._work / f"{machine.name}.disk", machine.disk))), self.logs,
                           self._work, machine.name, machine.mac)
                      for number, machine in enumerate(cluster.nodes, 1)]
        self.node = self.nodes[0]

    def _start_golden(self, directory: str, address: str) -> None:
        """A machine that runs from a disk of its own, where the server's root may log in."""
        self.administrator.shell(f"""set -e
            ip address add {address} dev br0
            mkdir -p -m 700 /root/.ssh {directory}/root/.ssh {directory}/run/sshd
            ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
            cp /root/.ssh/id_ed25519.pub {directory}/root/.ssh/authorized_keys
            echo 'StrictHostKeyChecking accept-new' >/root/.ssh/config""")
        self.namespace.start("golden", "chroot", directory, "/usr/sbin/sshd", "-D", "-e",
                             "-o", f"ListenAddress={address.partition('/')[0]}")

    def node_called(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise LabError(f"the cluster has no node {name}")

    def watch_generations(self) -> None:
        """What is a generation from now on must stay as it is."""
        for generation in self.administrator.generations():
            if generation not in self._before:
                self._before[generation] = roots.Manifest.of(generation)

    def _set_up_servers(self) -> None:
        case = self.case
        self._lay_out_tree()
        if not case.root_writable:
            self._before[self.shared_root] = roots.Manifest.of(self.shared_root)
        exports = [Export(self.root_path, writable=case.root_writable), Export(case.snapshots_path, writable=True)]
        exports += case.exports
        self.nfs = NfsServer(self.namespace, self._work, exports)
        boot_file = "boot.ipxe" if case.netboot else None
        self.dhcp = DhcpServer(self.namespace, self._work, case.dhcp, tftp_boot=boot_file) if case.dhcp else None
        self.time = TimeServer(self.namespace, self._work)
        if case.packets:
            self.network.capture(self.packets)
        if case.loss_one_in:
            self.network.lose(case.loss_one_in)
        if case.time_server:
            self.time.start()
        if not case.nfs_late:
            self.nfs.start()
        if self.dhcp and not case.dhcp_late:
            self.dhcp.start()

    def _lay_out_tree(self) -> None:
        """/srv as nodes see it: images (bound from the cache), snapshots, and what the case adds."""
        case = self.case
        (self.tree / "tftp").mkdir()
        source = self.choices.root or roots.flavour(case.root, self.choices.kernel)
        if case.root_writable or case.root_files or case.program_in_root:
            self.shared_root = self._directory_beside() / "root"
            self.shared_root.mkdir()
            (roots.copy if case.root_writable else roots.clone)(source, self.shared_root)
            for path, text in case.root_files.items():
                roots.write(self.shared_root / path.lstrip("/"), text, 0o755 if text.startswith("#!") else 0o644)
            if case.program_in_root:
                roots.install(images.node_program(), self.shared_root / case.program_in_root)
        else:
            self.shared_root = source
        place(self.namespace, self.tree, self.root_path, self.shared_root)
        self.snapshots.mkdir(parents=True)
        if case.snapshots_size:
            self.namespace.run("mount", "-t", "tmpfs", "-o", f"size={case.snapshots_size}", "tmpfs",
                               case.snapshots_path)
        for name in case.snapshots:
            self.on_server(f"{case.snapshots_path}/{name}").mkdir()
        for path, text in case.server_files.items():
            roots.write(self.tree / Path(path).relative_to("/srv"), text)

    def _directory_beside(self) -> Path:
        """Not below the case's own temporary directory: hard links need the cache's file system."""
        if self._beside is None:
            self._beside = cache.temporary(cache.directory())
        return self._beside

    @property
    def root_path(self) -> str:
        """The root as nodes name it."""
        return self.case.root_path or f"{IMAGES}/{self.case.root}/1"

    @property
    def snapshots(self) -> Path:
        return self.tree / Path(self.case.snapshots_path).relative_to("/srv")

    @property
    def packets(self) -> Path:
        return self.logs / "packets.pcap"

    def on_server(self, path: str) -> Path:
        """Where the host has what nodes and servers call `path`: the root is shown to them, and lies elsewhere."""
        if not self.case.site and Path(path).is_relative_to(self.root_path):
            return self.shared_root / Path(path).relative_to(self.root_path)
        if self.case.snapshots_size:  # mounted where only the servers see it
            return Path(f"/proc/{self.namespace.pid}/root{path}")
        return self.tree / Path(path).relative_to("/srv")

    def command_line(self) -> str:
        values = {"root": self.root_path, "server": network.SERVER, "dead": network.DEAD_SERVER,
                  "snapshots": self.case.snapshots_path, "address": network.address(1), "mac": network.mac(1)}
        return f"console=ttyS0 {self.case.cmdline.format(**values)}".strip()

    def initramfs(self) -> Path:
        if self.choices.initramfs:
            return self.choices.initramfs
        return images.image(self.case.image, self.choices.kernel, self._work)

    def power_on(self) -> None:
        self._report_before[self.snapshot] = self._report_time()
        site = self.case.site
        if site and site.stick:
            stick = self._work / f"{self.node.name}.stick"
            if not stick.exists():
                self.administrator.make_stick(self.node.name, stick)
            self.node.start(stick=stick)
        elif site:
            self.node.start()
        elif self.case.netboot:
            self._offer_boot_files()
            self.node.start()
        else:
            self.node.start(self.choices.kernel.image, self.initramfs(), self.command_line())

    def _offer_boot_files(self) -> None:
        """Kernel, image and an iPXE script for TFTP: the node's network card does the rest."""
        tftp = self.tree / "tftp"
        shutil.copyfile(self.choices.kernel.image, tftp / "vmlinuz")
        shutil.copyfile(self.initramfs(), tftp / "initramfs.img")
        (tftp / "boot.ipxe").write_text("#!ipxe\n"
                                        f"kernel vmlinuz initrd=initramfs.img {self.command_line()}\n"
                                        "initrd initramfs.img\nboot\n")

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Calls `what` in `seconds`; its failure is the case's."""
        def work() -> None:
            if self._closing.wait(seconds):
                return
            try:
                what()
            except LabError as error:
                self._failure_of_later = error
            # The servers that were started die with the thread that started them.
            self._closing.wait()

        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

    def report_file(self) -> Path:
        return self.on_server(f"{self.case.snapshots_path}/{self.snapshot}/.diskless/boot.json")

    @property
    def snapshot(self) -> str:
        return self.node.name if self.case.site else self.case.snapshot

    def _report_time(self) -> int:
        """When the boot report was written, nanoseconds since 1970; 0: there is none."""
        try:
            return self.report_file().stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def boot_report(self) -> dict[str, Any]:
        """boot.json as the node leaves it in its snapshot on the server, a moment after the hand-over of this boot."""
        file = self.report_file()
        wait_until(f"a boot report in {self.case.snapshots_path}/{self.snapshot}/.diskless",
                   lambda: self._report_time() != self._report_before.get(self.snapshot, 0), 15)
        shutil.copy2(file, self.logs / "boot.json")
        try:
            report: dict[str, Any] = json.loads(file.read_text())
        except ValueError as error:
            raise LabError(f"boot report: not JSON: {error}") from error
        return report

    def check_root_untouched(self) -> None:
        for root, before in self._before.items():
            changed = before.differences(roots.Manifest.of(root)) if root.exists() else []
            if changed:
                raise LabError(f"the shared root was written to: {', '.join(changed[:5])}")

    def check_servers(self) -> None:
        if self._failure_of_later:
            raise LabError(f"while the case ran: {self._failure_of_later}")

    def ask_failed_node(self) -> None:
        """What a node that can still talk knows of its boot, into the console log."""
        for node in self.nodes:
            if node.alive and node.console.has_shell:
                try:
                    node.console.shell("cat /run/diskless/boot.json; dmesg | grep diskless", 10)
                except LabError:
                    pass  # it was worth a try

    def close(self) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self.namespace.close()
        shutil.rmtree(self._work, ignore_errors=True)
        if self._beside:
            shutil.rmtree(self._beside, ignore_errors=True)
