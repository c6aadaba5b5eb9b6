"""Commands timed from outside: wall clock, processor time and peak memory, as the kernel counts them."""

from __future__ import annotations

import os
import selectors
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Sequence

from picture import Panel


class Failed(Exception):
    """A bench cannot be done here, or what it measures failed."""


class Progress:
    """One line that is written over; silent when nobody watches."""

    def __init__(self) -> None:
        self.quiet = False

    def __call__(self, text: str) -> None:
        if not self.quiet and sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif not self.quiet and text:
            print(text, file=sys.stderr, flush=True)


say = Progress()


@dataclass(frozen=True)
class Sample:
    seconds: float
    cpu_seconds: float
    peak_kb: int
    bytes_written: int = 0  # what the files take on their disk afterwards


@dataclass
class Figure:
    """One row of a table: a subject, and its samples divided by how much of the work a run did."""

    name: str
    count: int  # nodes a run
    note: str = ""
    samples: list[Sample] = field(default_factory=list)

    def each(self, value: Callable[[Sample], float]) -> list[float]:
        return [value(sample) / self.count for sample in self.samples]

    @property
    def median(self) -> float:
        return statistics.median(self.each(lambda sample: sample.seconds))


@dataclass(frozen=True)
class Target:
    words: str
    value: float
    wanted: float
    at_least: bool = True
    unit: str = ""
    why: str = ""  # told when it is missed

    @property
    def holds(self) -> bool:
        return self.value >= self.wanted if self.at_least else self.value <= self.wanted

    @property
    def measured(self) -> str:
        return self._with_unit(f"{self.value:.3g}")

    @property
    def limit(self) -> str:
        return self._with_unit(f"{'≥' if self.at_least else '≤'} {self.wanted:g}")

    @property
    def reason(self) -> str:
        """What is put after "missed"."""
        return f": {self.why}" if self.why and not self.holds else ""

    def _with_unit(self, number: str) -> str:
        return f"{number} {self.unit}" if self.unit else number


@dataclass(frozen=True)
class Table:
    """Made by a bench itself, where Figure does not fit: the first row is the header."""

    title: str
    rows: list[list[str]]


@dataclass
class Result:
    name: str
    about: str
    unit: str = ""  # what `count` of a figure counts
    figures: list[Figure] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    data: dict[str, object] = field(default_factory=dict)  # all samples behind the tables
    # of the page that is written: ratios in words, bars, versions of what took part, how it was done, what it does not say
    headlines: list[str] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    method: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name, "about": self.about, "unit": self.unit, "notes": self.notes, **self.data,
            "figures": [{"name": f.name, "count": f.count, "note": f.note, "samples": [s.__dict__ for s in f.samples]}
                        for f in self.figures],
            "targets": [{"words": t.words, "value": t.value, "wanted": t.wanted, "holds": t.holds} for t in self.targets],
        }


def peak_of(pid: int) -> int:
    """Most memory that the program had so far, kB. What wait4(2) tells counts the time before execve(2), too."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return int(next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), 0))


def timed(argv: Sequence[str], flushed: Path | None = None) -> Sample:
    """Runs a command to its end. `flushed`: until the file system of that path is on its disk; a copy that is in memory
    only is no copy yet."""
    started = time.monotonic()
    peak = 0
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        with selectors.DefaultSelector() as selector:  # its end closes the pipe
            selector.register(process.stderr, selectors.EVENT_READ)
            told = ""
            while True:
                if selector.select(0.005):
                    text = process.stderr.read1(65536).decode(errors="replace")
                    if not text:
                        break
                    told += text
                peak = max(peak, peak_of(process.pid))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if flushed is not None:
        subprocess.run(["sync", "-f", flushed], check=True)
    seconds = time.monotonic() - started
    if process.returncode != 0:
        raise Failed(f"{' '.join(argv[:5])} ended with {process.returncode}: {told.strip()[-300:]}")
    return Sample(seconds, usage.ru_utime + usage.ru_stime, peak)


def alternately(figures: Sequence[tuple[Figure, Callable[[], Sample]]], runs: int, what: str) -> None:
    """All of them once, then all of them again: `runs` samples for each figure."""
    for number in range(runs):
        for figure, measure in figures:
            say(f"{what}: {figure.name}, run {number + 1} of {runs}")
            figure.samples.append(measure())
