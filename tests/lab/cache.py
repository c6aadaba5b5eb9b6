"""What runs have in common is made once and kept in ${DISKLESS_CACHE:-~/.cache/diskless}/lab."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Callable, Sequence

from namespace import LabError


def directory() -> Path:
    base = os.environ.get("DISKLESS_CACHE") or os.path.expanduser("~/.cache/diskless")
    path = Path(base) / "lab"
    path.mkdir(parents=True, exist_ok=True)
    return path


def fingerprint(*parts: object) -> str:
    """Short name of what something was made from: another recipe, another name."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:10]


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """The cached directory `name`; `make(empty directory)` fills it when it is not there yet. Complete or absent."""
    path = directory() / name
    with open(directory() / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            partial = directory() / f".{name}.partial"
            if partial.exists():
                shutil.rmtree(partial)
            partial.mkdir()
            make(partial)
            partial.rename(path)
    return path


def temporary(parent: Path | None = None) -> Path:
    """A directory of this run; those of runs that were killed are removed first."""
    parent = parent or Path(tempfile.gettempdir())
    for old in parent.glob("diskless-lab-*-*"):
        if not Path(f"/proc/{old.name.split('-')[2]}").exists():
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"diskless-lab-{os.getpid()}-", dir=parent))


def run(argv: Sequence[str], log: Path | None = None, cwd: Path | None = None) -> str:
    """Runs a command of the host; LabError with the end of its output when it fails."""
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          cwd=cwd, errors="replace", env=environment)
    if log is not None:
        log.write_text(done.stdout)
    if done.returncode != 0:
        raise LabError(f"{' '.join(argv[:4])} …: {' / '.join(done.stdout.strip().splitlines()[-3:])}")
    return done.stdout
