"""The serial console of a node: a log of every line with its time, waiting for a pattern, and the shell behind it."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import select
import socket
import sys
import termios
import threading
import time
import tty
from pathlib import Path

from namespace import LabError, wait_until


# Deadlines are for a machine of which two cores are free: a busier one gets so many times as long.
PATIENCE = float(os.environ.get("DISKLESS_LAB_PATIENCE", "1"))


class Console:
    """Connects to QEMU's socket `path`; every line goes to `log` with the seconds since power-on."""

    def __init__(self, path: Path, log: Path) -> None:
        self._log = open(log, "a", encoding="utf-8", errors="replace")
        self._socket = socket.socket(socket.AF_UNIX)
        wait_until(f"console {path}", lambda: self._connected(path), 10, 0.01)
        self._started = time.monotonic()
        self.text = ""          # everything seen so far, without control sequences
        self._unread = 0        # where expect() goes on
        self._pending = b""
        self._line_open = False
        self.closed = False
        self.has_shell = False
        self.answered = 0       # where the last thing ends that was asked by login() or shell()
        self._arrived: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        threading.Thread(target=self._receive, daemon=True).start()

    def _connected(self, path: Path) -> bool:
        try:
            self._socket.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False  # QEMU has not bound it yet, or does not listen yet
        return True

    def write(self, text: str) -> None:
        try:
            self._socket.sendall(text.encode())
        except OSError as error:
            raise LabError(f"console: the node is gone ({error.strerror})") from error

    def _receive(self) -> None:
        """Takes what the node says also while nobody waits for it: some hundred bytes unread, and QEMU lets it stand."""
        data = b"?"
        while data:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            self._arrived.put((time.monotonic(), data))

    def pump(self, within: float) -> bool:
        """Reads what there is; waits at most `within` seconds for something. False: nothing came."""
        return bool(self._take(within))

    def _take(self, within: float) -> bytes:
        if self.closed:
            return b""
        try:
            when, data = self._arrived.get(timeout=max(within, 0))
        except queue.Empty:
            return b""
        self.closed = not data
        self._keep(data, when)
        return data

    def _keep(self, data: bytes, when: float) -> None:
        data, self._pending = _complete(self._pending + data)
        text = _CONTROL.sub("", data.decode("utf-8", "replace"))
        self.text += text
        for piece in text.splitlines(keepends=True):
            if not self._line_open:
                self._log.write(f"[{when - self._started:8.3f}] ")
            self._log.write(piece)
            self._line_open = not piece.endswith("\n")
        self._log.flush()

    def expect(self, pattern: str, within: float) -> re.Match[str]:
        """Waits until `pattern` (multi-line regular expression) appears in what no earlier expect() has consumed."""
        compiled = re.compile(pattern, re.MULTILINE)
        within *= PATIENCE
        deadline = time.monotonic() + within
        while True:
            found = compiled.search(self.text, self._unread)
            if found:
                self._unread = found.end()
                return found
            panic = re.search(r"Kernel panic - not syncing: .*\n", self.text)
            if panic:
                raise LabError(f"console: {panic[0].strip()}")
            if self.closed:
                raise LabError(f"console: the node ended before /{pattern}/ was seen")
            if time.monotonic() > deadline:
                raise LabError(f"console: /{pattern}/ not seen within {within:g} s; last line: {self._last_line()!r}")
            self.pump(min(0.5, deadline - time.monotonic()))

    def _last_line(self) -> str:
        lines = [line for line in self.text.splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def login(self, within: float, user: str = "root", password: str = "") -> None:
        """A root shell that answers and does not echo: the one that is there, or behind a login prompt."""
        prompt = r"([#$]|login:) $"
        if self.expect(prompt, within)[1] == "login:":
            # agetty prints that also before it logs in by itself. An empty line tells: getty asks again, a shell prompts.
            self.write("\n")
            if self.expect(prompt, 60)[1] == "login:":
                self.write(f"{user}\n")
                if self.expect(r"([#$]|assword:) $", 20)[1] == "assword:":
                    self.write(f"{password}\n")
                    self.expect(r"[#$] $", 20)
        # A message of the kernel may follow the prompt: ask until the shell answers.
        deadline = time.monotonic() + 20 * PATIENCE
        while True:
            self.write("stty -echo 2>/dev/null; PS1=; PS2=; dmesg -n 1 2>/dev/null; echo sh'ell-'ready\n")
            try:
                self.expect(r"^shell-ready", 4)
                self.has_shell = True
                self.answered = len(self.text)
                return
            except LabError:
                if time.monotonic() > deadline or self.closed:
                    raise

    def shell(self, command: str, within: float = 15) -> tuple[int, str]:
        """Runs `command` in the shell that login() found: exit code and output."""
        mark = f"{time.monotonic_ns() & 0xFFFFFFFF:08x}"
        # Each mark has an end of its own: where the kernel speaks, its line may begin before the mark's newline.
        self.write(f"echo; echo 'be''gin-{mark}.'; {{ {command}\n}} 2>&1; echo \"e\"\"nd-{mark}:$?.\"\n")
        start = self.expect(rf"begin-{mark}[.]\n?", within).end()
        found = self.expect(rf"end-{mark}:(\d+)[.]", within)
        self.answered = len(self.text)
        return int(found[1]), self.text[start:found.start()].removeprefix("\n").rstrip("\n")

    def interact(self) -> None:
        """Connects this terminal to the console until Ctrl-] or the node's end."""
        print("console of the node; Ctrl-] leaves", flush=True)
        saved = termios.tcgetattr(sys.stdin)
        try:
            tty.setraw(sys.stdin)
            while not self.closed:
                if select.select([sys.stdin], [], [], 0.01)[0]:
                    keys = os.read(sys.stdin.fileno(), 1024)
                    if b"\x1d" in keys or not keys:
                        return
                    self._socket.sendall(keys)
                while data := self._take(0):
                    os.write(sys.stdout.fileno(), data)
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
            print()

    def close(self) -> None:
        while self._take(0):
            pass  # the log is complete
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # ends _receive(), too
        self._socket.close()
        self._log.close()


_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78cM]|\r|\x08|\x00")


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
