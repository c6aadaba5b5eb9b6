"""What the server helper does for many nodes, against the loops that people write."""

from __future__ import annotations

import argparse
import random
import shlex
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

from measure import Figure, Result, Sample, Target, alternately, timed


def make_root(root: Path, large: bool) -> None:
    """A root whose list of writable files has 40 entries: 34 files of some kB, six directories. 80 MB when large."""
    random.seed(1)
    entries = []
    (root / "etc").mkdir(parents=True)
    for number in range(34):
        (root / f"etc/conf{number}").write_bytes(random.randbytes(2000 + 50 * number))
        entries.append(f"/etc/conf{number}")
    directories = [("var/log", 12, 900), ("var/spool/cron", 3, 500), ("var/lib/misc", 5, 4000), ("var/mail", 1, 100)]
    directories += [("var/lib/dpkg", 300, 100_000), ("var/cache/fonts", 5, 9_500_000)] if large else \
        [("var/lib/dpkg", 10, 2000), ("var/cache/fonts", 2, 5000)]
    for directory, count, size in directories:
        (root / directory).mkdir(parents=True)
        for number in range(count):
            (root / directory / f"file{number}").write_bytes(random.randbytes(size))
        entries.append(f"/{directory}/")
    (root / "etc/statetab").write_text("\n".join(entries) + "\n")


def used(path: Path) -> int:
    """Bytes of disk blocks; those that clones share are counted for each."""
    return int(subprocess.run(["du", "-s", "-B1", path], check=True, capture_output=True, text=True).stdout.split()[0])


def make_site(server: str, base: Path, root: Path, nodes: int) -> None:
    for arguments in (["init", "--address", "10.8.0.1", "--network", "10.8.0.0/16", "--quiet"],
                      ["image", "add", "site", "--root", str(root), "--quiet"]):
        timed([server, *arguments, "--base", str(base)])
    (base / "nodes.toml").write_text("".join(
        f'[node.node{n:05}]\nip = "10.8.{n >> 8}.{n & 255}"\nmac = "52:54:00:00:{n >> 8:02x}:{n & 255:02x}"\nimage = "site"\n'
        for n in range(256, 256 + nodes)))


def no_boot_files(base: Path) -> None:
    """None but a kernel and an initramfs, as an administrator puts them there for an image that has none."""
    shutil.rmtree(base / "boot", ignore_errors=True)
    place = base / "boot/tftp/site"
    place.mkdir(parents=True)
    for name in ("vmlinuz", "initrd.img"):
        (place / name).touch()


@contextmanager
def directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="diskless-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def own_file_system(*make: str) -> Iterator[Path | None]:
    """A file system of its own in a file, as `make` makes it. None when this machine cannot have one."""
    with directory() as top:
        disk, place = top / "disk", top / "mounted"
        place.mkdir()
        disk.touch()
        subprocess.run(["truncate", "-s", "12G", disk], check=True)
        try:
            subprocess.run([*make, disk], check=True, capture_output=True)
            subprocess.run(["mount", "-o", "loop", disk, place], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            yield None
            return
        try:
            yield place
        finally:
            subprocess.run(["umount", place], check=False)


def loop(command: str, root: Path, to: Path, nodes: int) -> list[str]:
    quoted = shlex.quote
    return ["bash", "-c", f"mkdir {quoted(str(to))} && for n in $(seq {nodes}); do {command} {quoted(str(root))}/ "
                          f"{quoted(str(to))}/node$n || exit 1; done"]


def compare(name: str, top: Path, large: bool, ours: int, peers: int, options: argparse.Namespace,
            modes: dict[str, tuple[str, int]]) -> Result:
    """`modes`: name of a row -> option of `snapshot prepare`, number of nodes."""
    root = top / "root"
    make_root(root, large)
    base = top / "site"
    make_site(options.server, base, root, ours)
    copies = top / "copies"

    def prepare(option: str, nodes: int) -> Sample:
        shutil.rmtree(base / "snapshots", ignore_errors=True)
        subprocess.run(["sync", "-f", top], check=True)
        words = [option] if option else []
        sample = timed([options.server, "snapshot", "prepare", "--quiet", *words, "--base", str(base),
                        f"node[{256:05}-{256 + nodes - 1:05}]"], base)
        return Sample(**{**sample.__dict__, "bytes_written": used(base / "snapshots")})

    def copy(command: str) -> Sample:
        shutil.rmtree(copies, ignore_errors=True)
        subprocess.run(["sync", "-f", top], check=True)
        sample = timed(loop(command, root, copies, peers), top)
        sample = Sample(**{**sample.__dict__, "bytes_written": used(copies)})
        shutil.rmtree(copies)
        return sample

    figures = [(Figure(row, nodes), lambda option=option, nodes=nodes: prepare(option, nodes))
               for row, (option, nodes) in modes.items()]
    figures += [(Figure(f"loop of {command}", peers), lambda command=command: copy(command))
                for command in ("cp -a", "rsync -a")]
    alternately(figures, options.runs or (2 if options.quick else 3), name)
    rows = [figure for figure, _ in figures]
    best = min(row.median for row in rows[-2:])
    about = f"40 entries, {used(root) / 1e6:.1f} MB, for each of {ours} nodes"
    result = Result(name, about, "node", rows)
    result.targets.append(Target(f"{rows[0].name}: times faster than the faster loop", best / rows[0].median, 20))
    if peers != ours:
        result.notes.append(f"The loops make {peers} copies a run; time and disk are told for one node.")
    return result


def snapshots(options: argparse.Namespace) -> Result:
    # a node, and a copy of a loop, cost the same whether there are ten or a thousand; ours is shown with a thousand
    nodes, peers, small_peers, clones = (200, 4, 100, 200) if options.quick else (1000, 20, 100, 200)
    with directory() as top:
        large = compare("snapshots", top, True, nodes, peers, options,
                        {"snapshot prepare": ("", nodes), "snapshot prepare --full": ("--full", peers)})
        large.notes.append("Here large entries are left to each node's first boot, unless --full asks for them.")
    # An ext4 without a journal looks, for each new inode, through all that were freed in the last minute (recently_deleted()
    # in its fs/ext4/ialloc.c): after the copies of the run before are removed, that would be all that is measured.
    with own_file_system("mkfs.ext4", "-q", "-F") as place:
        if place is None:
            large.notes.append("The small list was not measured: that needs root, mkfs.ext4 and a loop device.")
            return large
        small = compare("small entries", place, False, nodes, small_peers, options, {"snapshot prepare, small list": ("", nodes)})
    for figure in small.figures[1:]:
        figure.name += ", small list"
    # one table: what is smaller than a block is all inodes, and there our lead is that of one process over many
    large.figures += small.figures
    large.notes.append(f"Small list: {small.figures[1].median / small.figures[0].median:.1f} times faster than cp -a "
                       "(ext4 with a journal); all of it is copied.")
    large.targets.append(Target("snapshot prepare, small list: times faster than cp -a", small.figures[1].median / small.figures[0].median, 1.5))
    with own_file_system("mkfs.xfs", "-q", "-m", "reflink=1") as place:
        if place is None:
            large.notes.append("No file system that clones was measured: that needs root, mkfs.xfs and a loop device.")
            return told(large, nodes)
        # each has all 340 files: with a thousand, most of the time would go into taking them away again
        cloned = compare("clones", place, True, clones, peers, options, {"snapshot prepare, XFS": ("", clones)})
    for figure in cloned.figures[1:]:
        figure.name += ", XFS"
    large.figures += cloned.figures
    large.notes.append(f"XFS: everything is there before the first boot, {cloned.targets[0].value:.1f} times faster than the faster loop; "
                       "cp clones there, too. Disk counts shared blocks for each copy.")
    return told(large, nodes)


def told(large: Result, nodes: int) -> Result:
    """With what the page says about it."""
    large.headlines.append(f"`snapshot prepare` is **{large.targets[0].value:.0f} times faster than the faster of two loops**, "
                           f"`cp -a` and `rsync -a`, for {nodes} nodes with 80 MB each.")
    large.method.append("snapshots: from nothing until everything is on the disk (`sync -f` is in the time); our way and the loops in "
                        "turns, on the same file system; memory is the peak of the process.")
    return large


def sizes(options: argparse.Namespace) -> list[int]:
    return [10, 100, 1000] if options.quick else [10, 100, 1000, 10_000]


def curve(name: str, about: str, options: argparse.Namespace, command: list[str],
          clear: Callable[[Path], None] | None) -> Result:
    figures = []
    with directory() as top:
        root = top / "root"
        make_root(root, False)
        for nodes in sizes(options):
            base = top / f"site{nodes}"
            make_site(options.server, base, root, nodes)

            def measure(base: Path = base) -> Sample:
                if clear is not None:
                    clear(base)
                    subprocess.run(["sync", "-f", top], check=True)
                return timed([options.server, *command, "--base", str(base)], base)

            figures.append((Figure(f"{' '.join(command[:2])}, {nodes}", nodes), measure))
        alternately(figures, options.runs or 3, name)
    rows = [figure for figure, _ in figures]
    result = Result(name, about, "node", rows)
    result.targets.append(Target(f"seconds for {rows[-1].count} nodes", rows[-1].median * rows[-1].count, 60, False))
    result.targets.append(Target(f"a node of {rows[-1].count} against one of {rows[-2].count}: near linear",
                                 rows[-1].median / rows[-2].median, 1.5, False))
    return result


def boot_apply(options: argparse.Namespace) -> Result:
    return curve("boot-apply", "all dialects, from nothing, flushed to the disk", options,
                 ["boot", "apply", "--quiet"], no_boot_files)


def node_list(options: argparse.Namespace) -> Result:
    return curve("node-list", "nodes.toml to resolved nodes", options, ["node", "list"], None)
