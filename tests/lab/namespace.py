"""The machine that holds servers and cables: a network and mount namespace of its own, and the processes in it.

Nothing here has a name on the host: a namespace lives as long as its holder process, and every process started is told
to die with us, so that even a killed run leaves nothing behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable, Sequence

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something that a case expected did not happen, or the laboratory could not be set up. The text says what."""


def wait_until(what: str, condition: Callable[[], bool], within: float, every: float = 0.05) -> None:
    """Polls `condition` until it holds; LabError that names `what` after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {within:g} s")
        time.sleep(every)


def start_time(pid: int) -> int:
    """Ticks since the machine's boot when the process started; 0: there is none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return 0


class Process:
    """A process that this run started, and ends by its pid."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, dies_with_us: bool = True) -> None:
        self.name, self.log = name, log

        def tie_to_parent() -> None:
            if dies_with_us:
                _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

        with open(log, "ab") as output:
            self._popen = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=tie_to_parent,
                start_new_session=True)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._popen.poll()

    def wait(self, within: float) -> bool:
        """True when it has ended within `within` seconds."""
        try:
            self._popen.wait(within)
            return True
        except subprocess.TimeoutExpired:
            return False

    def signal(self, number: int) -> None:
        if self.alive:
            self._popen.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self._popen.wait()

    def end(self, within: float = 1.0) -> None:
        self.signal(signal.SIGTERM)
        if not self.wait(within):
            self.kill()


class Namespace:
    """Run commands in it with run(), servers with start(); close() ends everything in it."""

    def __init__(self, logs: Path, dies_with_us: bool = True) -> None:
        if os.geteuid() != 0:
            raise LabError("the laboratory makes network namespaces and taps: run it as root")
        self.logs, self._dies_with_us = logs, dies_with_us
        self._processes: list[Process] = []
        self._holder = Process("holder", [
            "unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=SIGKILL",
            "sleep", "infinity"], logs / "holder.log", dies_with_us)
        self.pid = 0  # of a process inside
        wait_until("namespace of the servers", self._ready, 5, 0.01)
        self.run("ip", "link", "set", "lo", "up")

    def _ready(self) -> bool:
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text().split()
        # The namespaces are complete when unshare's child has become sleep.
        if not children or Path(f"/proc/{children[0]}/comm").read_text().strip() != "sleep":
            return False
        self.pid = int(children[0])
        return True

    def inside(self, *argv: str, dies_with_it: bool = False) -> list[str]:
        """The command line that runs `argv` inside; `dies_with_it`: with all that it leaves behind."""
        pid = [f"--pid=/proc/{self.pid}/ns/pid"] if dies_with_it else []
        return ["nsenter", *pid, f"--target={self.pid}", "--net", "--mount", "--", *argv]

    def run(self, *argv: str, stdin: str | None = None) -> str:
        """Runs a short command to its end; LabError with its own words when it fails."""
        done = subprocess.run(self.inside(*argv), input=stdin, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise LabError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip() or done.returncode}")
        return done.stdout

    def start(self, name: str, *argv: str, changes_user: bool = False) -> Process:
        """Starts a server; its output goes to <logs>/<name>.log.

        One that changes its user loses the wish to die with us; it goes into the PID namespace and dies with that.
        """
        command = self.inside(*argv)
        if changes_user:
            command[1:1] = [f"--pid=/proc/{self.pid}/ns/pid"]
        process = Process(name, command, self.logs / f"{name}.log", self._dies_with_us)
        self._processes.append(process)
        return process

    def pids(self) -> list[tuple[int, int]]:
        """What runs in it now: pid and start time, which together are never another process."""
        return [(process.pid, start_time(process.pid)) for process in [*self._processes, self._holder] if process.alive]

    def close(self) -> None:
        for process in reversed(self._processes):
            if process.alive:
                process.kill()
        self._holder.kill()
