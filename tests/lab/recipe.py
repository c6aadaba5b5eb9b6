"""Recipes: docs/recipes/<name>.md is run as it stands.

What a block means is said by the words behind its three backquotes:

    sh server                 run as root on the server, with bash -e; it must succeed
    file server PATH          the content of that file; `append`: at its end
    sh NODE                   typed at that node's console; it must succeed
    output                    what the sh block before it prints: each line must be there, in this order;
                              an ellipsis stands for anything
    console NODE              what happens at the node, line by line: (power on), (log in), (reset), (goes down) are done or
                              waited for; any other line must come on the console
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import images
from namespace import LabError
from steps import Step

if TYPE_CHECKING:
    from bench import Bench

DIRECTORY = images.TREE / "docs/recipes"

# What no console of a recipe shows: errors of the kernel, of the node program, of mount and of boot scripts.
TROUBLE = re.compile(
    r"^.*(?:Oops|BUG:|Call Trace|Segmentation fault|segfault at|Kernel panic|not syncing|Read-only file system"
    r"|access denied|error -13|null not writable|already mounted|mount: |umount: |umount\.nfs: |what to do: |\.\.\.failed|^failed"
    r"|command not found|No such file or directory).*$", re.MULTILINE)


@dataclass(frozen=True)
class Machine:
    name: str
    mac: str
    stick: str = ""  # image file of the server: it boots from that, plugged in as a stick
    disk: str = ""  # label of a FAT partition: it has a disk with that on it


@dataclass(frozen=True)
class Cluster:
    """What is there before the recipe begins: machines, cables, and systems that were installed."""

    server: str                               # address/prefix
    nodes: tuple[Machine, ...]
    systems: dict[str, str]                   # directory of the server: flavour of roots.py
    directories: tuple[str, ...] = ()         # further top-level directories of the server
    golden: tuple[str, str] | None = None     # one of `systems` is a running machine: its directory and address
    kernel: tuple[str, str] | None = None     # a file of the page with a kernel's configuration; where that is built
    allowed: str = r"(?!)"                    # what the consoles show though it looks like trouble


@dataclass(frozen=True)
class Block:
    words: tuple[str, ...]
    text: str
    line: int


def blocks(text: str) -> list[Block]:
    found: list[Block] = []
    words: tuple[str, ...] | None = None
    content, start = "", 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if not line.startswith("```"):
            if words is not None:
                content += line
        elif words is None:
            words, content, start = tuple(line[3:].split()), "", number
        else:
            found.append(Block(words, content, start))
            words = None
    if words is not None:
        raise LabError(f"line {start}: a block without end")
    return found


def matches(wanted: str, printed: str) -> str:
    """The first line that `printed` lacks; empty: all are there."""
    lines = iter(printed.splitlines())
    for line in wanted.splitlines():
        pattern = "".join(".*" if part == "…" else re.escape(part) for part in re.split("(…)", line.rstrip()))
        if not any(re.fullmatch(pattern, there.rstrip()) for there in lines):
            return line
    return ""


@dataclass(frozen=True)
class Do:
    """One block, and the output block behind it."""

    recipe: str
    block: Block
    output: Block | None
    allowed: str

    def __str__(self) -> str:
        return f"{self.recipe}:{self.block.line} {' '.join(self.block.words)}"

    def run(self, bench: Bench) -> None:
        try:
            printed = self._run(bench)
            missing = matches(self.output.text, printed) if self.output else ""
        except LabError as error:
            raise LabError(f"{self}: {error}") from error
        if missing:
            raise LabError(f"{self}: printed {printed[-500:]!r}, without the line {missing!r}")

    def _run(self, bench: Bench) -> str:
        kind, place, *rest = self.block.words
        if kind == "file":
            bench.administrator.write(rest[0], self.block.text, "append" in rest)
            return ""
        if place == "server":
            return bench.administrator.shell("set -e\n" + self.block.text)
        node = bench.node_called(place)
        if kind == "console":
            for line in filter(None, map(str.strip, self.block.text.splitlines())):
                self._at_console(bench, place, line)
            return ""
        code, printed = node.console.shell(f"(set -e\n{self.block.text})", 60)
        if code != 0:
            raise LabError(f"gave {code}: {printed[-300:]!r}")
        return printed

    def _check(self, name: str, shown: str) -> None:
        """It has shown no error line, booting or going down."""
        for line in shown.splitlines():
            if "; PS1=; PS2=; " in line:
                continue  # echo of what login() types
            if TROUBLE.search(line) and not re.search(self.allowed, line):
                raise LabError(f"{name}: console: {line.strip()!r} must not be seen")

    def _at_console(self, bench: Bench, place: str, line: str) -> None:
        node = bench.node_called(place)
        if line == "(power on)":
            stick = next(machine.stick for machine in bench.case.cluster.nodes if machine.name == place)
            node.start(stick=Path(stick) if stick else None)
        elif line == "(log in)":
            node.console.login(180)
            self._check(node.name, node.console.text)
        elif line == "(reset)":
            node.power_off()
        elif line == "(goes down)":
            node.wait_for_exit(60)
            self._check(node.name, node.console.text[node.console.answered:])
        elif line.startswith("(type) "):
            node.console.write(line.removeprefix("(type) ") + "\n")
        else:
            node.console.expect("".join(".*" if part == "…" else re.escape(part) for part in re.split("(…)", line)), 180)


def page(name: str) -> str:
    return (DIRECTORY / f"{name}.md").read_text()


def file_of(name: str, path: str) -> str:
    """What the page <name> writes into the server's file `path`."""
    for block in blocks(page(name)):
        if block.words[:3] == ("file", "server", path):
            return block.text
    raise LabError(f"{name}: no block writes {path}")


def steps(name: str, cluster: Cluster, until: str = "") -> tuple[Step, ...]:
    """The blocks of docs/recipes/<name>.md, in order, as far as the heading `until`. Blocks without a place are for the
    reader."""
    text, found_it, _ = page(name).partition(f"\n## {until}\n") if until else (page(name), "", "")
    if until and not found_it:
        raise LabError(f"{name}: no heading {until!r}")
    found = blocks(text)
    done: list[Step] = []
    for index, block in enumerate(found):
        if len(block.words) < 2:
            continue
        after = found[index + 1] if index + 1 < len(found) else None
        done.append(Do(name, block, after if after and after.words == ("output",) else None,
                       cluster.allowed))
    return tuple(done)
