"""A node: QEMU without any disk, its serial console, and what can be done to it from outside."""

from __future__ import annotations

import os
import re
import select
import socket
import sys
import termios
import time
import tty
from dataclasses import dataclass
from pathlib import Path

import network
from namespace import LabError, Namespace, Process, wait_until
from network import Network


@dataclass(frozen=True)
class Hardware:
    memory: int = 512                         # MiB
    interfaces: tuple[str, ...] = ("br0",)    # bridge of each
    rtc: str = "utc"                          # "1970-01-02": a battery that is flat
    device: str = "virtio-net-pci"


class Console:
    """Serial console: every byte goes to a log with the seconds since power-on; expect() waits for a line with a deadline."""

    def __init__(self, path: Path, log: Path) -> None:
        self._log = open(log, "a", encoding="utf-8", errors="replace")
        self._socket = socket.socket(socket.AF_UNIX)
        wait_until(f"console {path}", path.exists, 10, 0.01)
        self._socket.connect(str(path))
        self._started = time.monotonic()
        self.text = ""          # everything seen so far, without control sequences
        self._unread = 0        # where expect() goes on
        self._pending = b""
        self._line_open = False
        self.closed = False

    def write(self, text: str) -> None:
        try:
            self._socket.sendall(text.encode())
        except OSError as error:
            raise LabError(f"console: the node is gone ({error.strerror})") from error

    def pump(self, within: float) -> bool:
        """Reads what there is; waits at most `within` seconds for something. False: nothing came."""
        if self.closed or not select.select([self._socket], [], [], max(within, 0))[0]:
            return False
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return False
        self._keep(data)
        return True

    def _keep(self, data: bytes) -> None:
        data, self._pending = _complete(self._pending + data)
        text = _CONTROL.sub("", data.decode("utf-8", "replace"))
        self.text += text
        for piece in text.splitlines(keepends=True):
            if not self._line_open:
                self._log.write(f"[{time.monotonic() - self._started:8.3f}] ")
            self._log.write(piece)
            self._line_open = not piece.endswith("\n")
        self._log.flush()

    def expect(self, pattern: str, within: float) -> re.Match[str]:
        """Waits until `pattern` (multi-line regular expression) appears in what no earlier expect() has consumed."""
        compiled = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + within
        while True:
            found = compiled.search(self.text, self._unread)
            if found:
                self._unread = found.end()
                return found
            if self.closed:
                raise LabError(f"console: the node ended before /{pattern}/ was seen")
            if time.monotonic() > deadline:
                raise LabError(f"console: /{pattern}/ not seen within {within:g} s; last line: {self._last_line()!r}")
            self.pump(min(0.5, deadline - time.monotonic()))

    def _last_line(self) -> str:
        lines = [line for line in self.text.splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def interact(self) -> None:
        """Connects this terminal to the console until Ctrl-] or the node's end."""
        print("console of the node; Ctrl-] leaves", flush=True)
        saved = termios.tcgetattr(sys.stdin)
        try:
            tty.setraw(sys.stdin)
            while not self.closed:
                ready = select.select([self._socket, sys.stdin], [], [])[0]
                if sys.stdin in ready:
                    keys = os.read(sys.stdin.fileno(), 1024)
                    if b"\x1d" in keys or not keys:
                        return
                    self._socket.sendall(keys)
                if self._socket in ready:
                    data = self._socket.recv(65536)
                    self.closed = not data
                    os.write(sys.stdout.fileno(), data)
                    self._keep(data)
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
            print()

    def close(self) -> None:
        self._socket.close()
        self._log.close()


_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78cM]|\r|\x00")


def _complete(data: bytes) -> tuple[bytes, bytes]:
    """Splits off an escape sequence or a character that has not come completely yet."""
    escape = data.rfind(b"\x1b", max(0, len(data) - 16))
    if escape >= 0 and not re.match(rb"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78cM])", data[escape:]):
        return data[:escape], data[escape:]
    for back in range(1, min(4, len(data)) + 1):
        if data[-back] & 0xC0 == 0xC0:  # first byte of a longer character
            length = 2 if data[-back] < 0xE0 else 3 if data[-back] < 0xF0 else 4
            return (data[:-back], data[-back:]) if length > back else (data, b"")
    return data, b""


class Node:
    """Powered on by start(); runs `kernel` with `initramfs` directly, or boots from its network card (kernel None)."""

    def __init__(self, namespace: Namespace, cables: Network, number: int, hardware: Hardware, logs: Path,
                 work: Path) -> None:
        self.number, self.hardware = number, hardware
        self._namespace, self._network, self._logs, self._work = namespace, cables, logs, work
        self._process: Process | None = None
        self._console: Console | None = None
        self._boots = 0
        self.taps = [f"n{number}e{index}" for index in range(len(hardware.interfaces))]
        for tap, bridge in zip(self.taps, hardware.interfaces):
            cables.plug(tap, bridge)

    @property
    def name(self) -> str:
        return f"node{self.number}"

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

    def start(self, kernel: Path | None = None, initramfs: Path | None = None, command_line: str = "") -> None:
        """Power on. A reboot of the node ends QEMU: that is how the way down is seen from outside."""
        self._boots += 1
        argv = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", str(self.hardware.memory),
                "-machine", "pc,graphics=off", "-nodefaults", "-display", "none", "-no-reboot",
                "-rtc", f"base={self.hardware.rtc}", "-device", "virtio-rng-pci",
                "-chardev", f"socket,id=console,path={self.console_socket},server=on,wait=on",
                "-serial", "chardev:console",
                "-uuid", f"00000000-0000-4000-8000-0000000009{self.number:02x}"]
        for index, tap in enumerate(self.taps):
            rom = ",romfile=" if kernel else f",bootindex={index + 1}"
            argv += ["-netdev", f"tap,id=net{index},ifname={tap},script=no,downscript=no,vnet_hdr=off",
                     "-device", f"{self.hardware.device},netdev=net{index},"
                                f"mac={network.mac(self.number, index)}{rom}"]
        if kernel:
            argv += ["-kernel", str(kernel), "-append", command_line]
        if initramfs:
            argv += ["-initrd", str(initramfs)]
        self._process = self._namespace.start(f"{self.name}.qemu", *argv)
        self._console = Console(self.console_socket, self.console_log)

    def wait_for_exit(self, within: float) -> None:
        """Waits until the node has rebooted or switched itself off."""
        deadline = time.monotonic() + within
        while self.alive:
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} is still up after {within:g} s")
            if not self.console.pump(0.1):
                time.sleep(0.02)
        while self.console.pump(0):
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
