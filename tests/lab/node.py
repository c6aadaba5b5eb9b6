"""A node: QEMU without any disk, its serial console, and what can be done to it from outside."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import network
from console import PATIENCE, Console
from namespace import LabError, Namespace, Process
from network import Network

_UEFI = Path("/usr/share/OVMF")


@dataclass(frozen=True)
class Hardware:
    memory: int = 512                         # MiB
    interfaces: tuple[str, ...] = ("br0",)    # bridge of each
    rtc: str = "utc"                          # "1970-01-02": a battery that is flat
    device: str = "virtio-net-pci"
    firmware: str = "bios"                    # "uefi": OVMF with its own drivers
    disk: str = ""                            # image file of the server that is its local disk


class Node:
    """Powered on by start(): runs `kernel` with `initramfs` directly, or boots from `stick`, or its network card."""

    def __init__(self, namespace: Namespace, cables: Network, number: int, hardware: Hardware, logs: Path,
                 work: Path, name: str = "", mac: str = "") -> None:
        self.number, self.hardware = number, hardware
        self.name, self._mac = name or f"node{number}", mac
        self._namespace, self._network, self._logs, self._work = namespace, cables, logs, work
        self._process: Process | None = None
        self._console: Console | None = None
        self._boots = 0
        self.taps = [f"n{number}e{index}" for index in range(len(hardware.interfaces))]
        for tap, bridge in zip(self.taps, hardware.interfaces):
            cables.plug(tap, bridge)

    @property
    def console_log(self) -> Path:
        return self._logs / f"{self.name}.console.log"

    @property
    def console_socket(self) -> Path:
        return self._work / f"{self.name}.console.{self._boots}"

    @property
    def console(self) -> Console:
        if self._console is None:
            raise LabError(f"{self.name} has never been powered on")
        return self._console

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.alive

    def start(self, kernel: Path | None = None, initramfs: Path | None = None, command_line: str = "",
              stick: Path | None = None) -> None:
        """Power on. A reboot of the node ends QEMU: that is how the way down is seen from outside."""
        self._boots += 1
        argv = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", str(self.hardware.memory),
                "-machine", "pc,graphics=off", "-nodefaults", "-display", "none", "-no-reboot",
                "-rtc", f"base={self.hardware.rtc}", "-device", "virtio-rng-pci",
                "-chardev", f"socket,id=console,path={self.console_socket},server=on,wait=on",
                "-serial", "chardev:console",
                "-uuid", f"00000000-0000-4000-8000-0000000009{self.number:02x}"]
        for index, tap in enumerate(self.taps):
            rom = "" if kernel or stick else f",bootindex={index + 1}"
            # UEFI takes its own driver where the card has no ROM.
            rom += ",romfile=" if kernel or stick or self.hardware.firmware == "uefi" else ""
            argv += ["-netdev", f"tap,id=net{index},ifname={tap},script=no,downscript=no,vnet_hdr=off",
                     "-device", f"{self.hardware.device},netdev=net{index},"
                                f"mac={self._mac or network.mac(self.number, index)}{rom}"]
        if self.hardware.disk:
            argv += ["-drive", f"if=none,id=disk,format=raw,file={self.hardware.disk}",
                     "-device", "virtio-blk-pci,drive=disk"]
        if kernel:
            argv += ["-kernel", str(kernel), "-append", command_line]
        if initramfs:
            argv += ["-initrd", str(initramfs)]
        if stick:
            argv += ["-drive", f"if=none,id=stick,format=raw,file={stick}", "-device", "qemu-xhci",
                     "-device", "usb-storage,drive=stick,removable=on,bootindex=1"]
        if self.hardware.firmware == "uefi":
            argv += self._uefi()
        self._process = self._namespace.start(f"{self.name}.qemu", *argv)
        self._console = Console(self.console_socket, self.console_log)

    def _uefi(self) -> list[str]:
        variables = self._work / f"{self.name}.uefi"
        if not variables.exists():
            shutil.copyfile(_UEFI / "OVMF_VARS_4M.fd", variables)
        return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={_UEFI / 'OVMF_CODE_4M.fd'}",
                "-drive", f"if=pflash,format=raw,unit=1,file={variables}"]

    def wait_for_exit(self, within: float) -> None:
        """Waits until the node has rebooted or switched itself off."""
        within *= PATIENCE
        deadline = time.monotonic() + within
        while self.alive:
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} is still up after {within:g} s")
            if not self.console.pump(0.1):
                time.sleep(0.02)
        while self.console.pump(1):
            pass

    def power_off(self) -> None:
        """Pulls the plug."""
        if self._process is not None:
            self._process.kill()

    def cut(self) -> None:
        for tap in self.taps:
            self._network.cut(tap)

    def restore(self) -> None:
        for tap in self.taps:
            self._network.restore(tap)
