"""What cases do and expect, one class each. A step that is not fulfilled says so by LabError."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import roots
import network
from namespace import LabError, wait_until

if TYPE_CHECKING:
    from bench import Bench


class Step(Protocol):
    def run(self, bench: Bench) -> None: ...


# --- the node ---


@dataclass(frozen=True)
class PowerOn:
    def run(self, bench: Bench) -> None:
        bench.power_on()


@dataclass(frozen=True)
class At:
    """The steps are about node `number`."""

    number: int
    steps: tuple[Step, ...]

    def run(self, bench: Bench) -> None:
        before, bench.node = bench.node, bench.nodes[self.number - 1]
        for step in self.steps:
            step.run(bench)
        bench.node = before


def at(number: int, *steps: Step) -> At:
    return At(number, steps)


@dataclass(frozen=True)
class Console:
    """A line of the console that matches `pattern` comes within `within` seconds."""

    pattern: str
    within: float = 60

    def run(self, bench: Bench) -> None:
        bench.node.console.expect(self.pattern, self.within)


@dataclass(frozen=True)
class Never:
    """Nothing that matches `pattern` has been on the console up to now."""

    pattern: str

    def run(self, bench: Bench) -> None:
        found = re.search(self.pattern, bench.node.console.text, re.MULTILINE)
        if found:
            raise LabError(f"console: {found[0]!r} must not be seen")


@dataclass(frozen=True)
class Silent:
    """Nothing that matches `pattern` comes during the next `seconds`."""

    pattern: str
    seconds: float

    def run(self, bench: Bench) -> None:
        console = bench.node.console
        deadline = time.monotonic() + self.seconds
        start = len(console.text)
        while time.monotonic() < deadline:
            console.pump(deadline - time.monotonic())
            found = re.search(self.pattern, console.text[start:], re.MULTILINE)
            if found:
                raise LabError(f"console: {found[0]!r} came too early")


@dataclass(frozen=True)
class ImageUnder:
    """The image that the node booted is smaller than this."""

    kilobytes: int

    def run(self, bench: Bench) -> None:
        size = bench.initramfs().stat().st_size
        if size >= self.kilobytes * 1000:
            raise LabError(f"the image has {size} bytes, {self.kilobytes} kB or more")


@dataclass(frozen=True)
class Login:
    """The root shell that the lab's roots have on the serial console is there and quiet."""

    within: float = 90

    def run(self, bench: Bench) -> None:
        bench.node.console.login(self.within)


@dataclass(frozen=True)
class Shell:
    """`command`, typed at the node, prints something that matches `pattern` (None: it only must succeed)."""

    command: str
    pattern: str | None = None
    within: float = 15

    def run(self, bench: Bench) -> None:
        code, output = bench.node.console.shell(self.command, self.within)
        if self.pattern is None:
            if code != 0:
                raise LabError(f"node: `{self.command}` gave {code}: {output[-200:]!r}")
        elif not re.search(self.pattern, output, re.MULTILINE):
            raise LabError(f"node: `{self.command}` printed {output[-200:]!r}, wanted /{self.pattern}/")


@dataclass(frozen=True)
class Mounted:
    """The last mount on `path` has each of `words` in its line of /proc/self/mounts (regular expressions)."""

    path: str
    words: tuple[str, ...]

    def run(self, bench: Bench) -> None:
        _, output = bench.node.console.shell("cat /proc/self/mounts")
        lines = [line for line in output.splitlines() if line.split(" ")[1:2] == [self.path]]
        if not lines:
            raise LabError(f"node: nothing is mounted on {self.path}")
        missing = [word for word in self.words if not re.search(word, lines[-1])]
        if missing:
            raise LabError(f"node: {lines[-1]!r} has no {missing[0]!r}")


def mounted(path: str, *words: str) -> Mounted:
    return Mounted(path, words)


@dataclass(frozen=True)
class Type:
    """Types `text` at the console and waits for nothing."""

    text: str

    def run(self, bench: Bench) -> None:
        bench.node.console.write(self.text + "\n")


@dataclass(frozen=True)
class GoesDown:
    """The node ends (reboot or power off) within `within` seconds."""

    within: float

    def run(self, bench: Bench) -> None:
        bench.node.wait_for_exit(self.within)


@dataclass(frozen=True)
class GoesDownIn:
    """`command`, typed at the node, brings it down within so many seconds of the node's own clock.

    `then` is done when the way down has begun. Kernel messages must reach the console: see `loud`.
    """

    command: str
    seconds: float
    then: tuple[Step, ...] = ()
    begun: str = ""  # line of the console that says so

    def run(self, bench: Bench) -> None:
        console = bench.node.console
        # Nothing but shell builtins: the root may be gone.
        _, uptime = console.shell("read up rest </proc/uptime; echo $up")
        start = len(console.text)
        console.write(self.command + "\n")
        if self.begun:
            console.expect(self.begun, self.seconds)
        for step in self.then:
            step.run(bench)
        bench.node.wait_for_exit(self.seconds + 30)
        ends = re.findall(r"\[ *(\d+\.\d+)\] (?:reboot: |sysrq: Reset|sysrq: Power)", console.text[start:])
        if not ends:
            raise LabError("console: the kernel did not say when it ended")
        took = float(ends[-1]) - float(uptime.split()[-1])
        if took > self.seconds:
            raise LabError(f"node: the way down took {took:.1f} s of its own time, more than {self.seconds:g} s")


@dataclass(frozen=True)
class HoldsAddress:
    """For so many seconds the node has its address, not beside another one, and its root answers."""

    seconds: float

    def run(self, bench: Bench) -> None:
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            _, output = bench.node.console.shell(
                "ip -4 -o address show dev eth0; echo 1 >/proc/sys/vm/drop_caches; "
                "ls /opt >/dev/null && echo root-is-here", 20)
            addresses = re.findall(r"inet (\S+)", output)
            if addresses != [f"{network.address(1)}/24"] or "root-is-here" not in output:
                raise LabError(f"node: the address or the root is lost: {output[-200:]!r}")
            time.sleep(min(5.0, max(end - time.monotonic(), 0)))


@dataclass(frozen=True)
class Write:
    """Random content in a file of the node: Written compares it with what the server has."""

    path: str
    kilobytes: int = 2048

    def run(self, bench: Bench) -> None:
        _, output = bench.node.console.shell(
            f"dd if=/dev/urandom of={self.path} bs=1k count={self.kilobytes} 2>/dev/null; sha256sum <{self.path}", 60)
        found = re.search(r"^([0-9a-f]{64})", output, re.MULTILINE)
        if not found:
            raise LabError(f"node: could not write {self.path}: {output[-200:]!r}")
        bench.written[self.path] = found[1]


@dataclass(frozen=True)
class Written:
    """The file of the server has what the node wrote to `path`."""

    path: str
    file: str

    def run(self, bench: Bench) -> None:
        file = bench.on_server(self.file)
        if not file.exists():
            raise LabError(f"server: no {self.file}")
        if hashlib.sha256(file.read_bytes()).hexdigest() != bench.written[self.path]:
            raise LabError(f"server: {self.file} is not what the node wrote to {self.path}")


@dataclass(frozen=True)
class PullPlug:
    def run(self, bench: Bench) -> None:
        bench.node.power_off()


# --- the boot report ---


def field(report: Any, path: str) -> Any:
    """"root.version", "steps.mount-root.outcome" (lists are searched by id, path or index)."""
    value = report
    for key in path.split("."):
        if isinstance(value, list):
            named = [item for item in value if isinstance(item, dict) and key in (item.get("id"), item.get("path"))]
            if named:
                value = named[-1]
            elif key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            else:
                return None
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value


@dataclass(frozen=True)
class Report:
    """Field `path` of the boot report on the server matches `pattern` (of its JSON, strings without quotes)."""

    path: str
    pattern: str

    def run(self, bench: Bench) -> None:
        value = field(bench.boot_report(), self.path)
        text = value if isinstance(value, str) else json.dumps(value)
        if not re.search(self.pattern, text):
            raise LabError(f"boot report: {self.path} is {text[:200]!r}, wanted /{self.pattern}/")


# --- the servers ---


@dataclass(frozen=True)
class OnServer:
    """The file `path` (below /srv) of the server holds something that matches; pattern None: it must not exist."""

    path: str
    pattern: str | None = ""

    def run(self, bench: Bench) -> None:
        file = bench.on_server(self.path)
        if self.pattern is None:
            if file.exists():
                raise LabError(f"server: {self.path} must not exist")
            return
        if not file.exists():
            raise LabError(f"server: no {self.path}")
        text = file.read_text(errors="replace") if file.is_file() else ""
        if not re.search(self.pattern, text, re.MULTILINE):
            raise LabError(f"server: {self.path} has {text[-200:]!r}, wanted /{self.pattern}/")


@dataclass(frozen=True)
class MakeSnapshot:
    """The administrator makes the snapshot that a node waits for."""

    name: str

    def run(self, bench: Bench) -> None:
        (bench.snapshots / self.name).mkdir()


@dataclass(frozen=True)
class StartNfs:
    after: float = 0  # seconds; the steps that follow do not wait for it

    def run(self, bench: Bench) -> None:
        bench.later(self.after, bench.nfs.start)


@dataclass(frozen=True)
class StartDhcp:
    after: float = 0

    def run(self, bench: Bench) -> None:
        assert bench.dhcp is not None
        bench.later(self.after, bench.dhcp.start)


@dataclass(frozen=True)
class KillNfs:
    def run(self, bench: Bench) -> None:
        bench.nfs.kill()


@dataclass(frozen=True)
class OfferKernel:
    """Kernel and image of this boot as vmlinuz and initramfs.img in `directory` (below /srv) of the server."""

    directory: str

    def run(self, bench: Bench) -> None:
        place = bench.on_server(self.directory)
        shutil.copyfile(bench.choices.kernel.image, place / "vmlinuz")
        shutil.copyfile(bench.initramfs(), place / "initramfs.img")


@dataclass(frozen=True)
class FreezeNfs:
    def run(self, bench: Bench) -> None:
        bench.nfs.freeze()


@dataclass(frozen=True)
class ThawNfs:
    def run(self, bench: Bench) -> None:
        bench.nfs.thaw()


@dataclass(frozen=True)
class WithdrawRoot:
    """The server does not export the root any more, while the node lives on it."""

    def run(self, bench: Bench) -> None:
        bench.nfs.withdraw(bench.root_path)


@dataclass(frozen=True)
class CutNetwork:
    """Every packet of the node is lost from now on."""

    def run(self, bench: Bench) -> None:
        bench.node.cut()


@dataclass(frozen=True)
class MendNetwork:
    def run(self, bench: Bench) -> None:
        bench.node.restore()


@dataclass(frozen=True)
class PacketsLost:
    """The loss that the case asked for did happen."""

    at_least: int

    def run(self, bench: Bench) -> None:
        lost = sum(int(count) for count in re.findall(r"counter packets (\d+)", bench.network.lost()))
        if lost < self.at_least:
            raise LabError(f"network: only {lost} packets were lost")


# --- what diskless-server prepared ---


@dataclass(frozen=True)
class Helper:
    """The administrator runs `diskless-server ARGUMENTS`, and it prints something that matches."""

    arguments: str
    pattern: str = ""
    succeeds: bool = True

    def run(self, bench: Bench) -> None:
        said = bench.administrator.run(*shlex.split(self.arguments), succeeds=self.succeeds)
        bench.watch_generations()
        if not re.search(self.pattern, said, re.MULTILINE):
            raise LabError(f"diskless-server {self.arguments}: printed {said[-300:]!r}, wanted /{self.pattern}/")


@dataclass(frozen=True)
class ChangeGolden:
    """The administrator changes a file of the directory that the image is made from."""

    path: str
    text: str

    def run(self, bench: Bench) -> None:
        roots.write(bench.golden / self.path, self.text)


@dataclass(frozen=True)
class Reload:
    """`systemctl reload` of a rendered unit."""

    unit: str

    def run(self, bench: Bench) -> None:
        bench.servers.reload(self.unit)


@dataclass(frozen=True)
class ServerLog:
    """The log of a server has something that matches within `within` seconds."""

    server: str
    pattern: str
    within: float = 10

    def run(self, bench: Bench) -> None:
        file = bench.logs / f"{self.server}.log"

        def said() -> bool:
            return re.search(self.pattern, file.read_text(errors="replace"), re.MULTILINE) is not None

        wait_until(f"/{self.pattern}/ in {file}", said, self.within)
