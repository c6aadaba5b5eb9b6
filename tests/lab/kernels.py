"""The distribution's own kernel and modules, taken from its package; nothing is installed on the host."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import cache
from namespace import LabError

_META = "linux-image-cloud-amd64"
_SOURCE = "linux-source-6.1"


@dataclass(frozen=True)
class Kernel:
    root: Path  # directory with boot/vmlinuz-VERSION and lib/modules/VERSION
    version: str
    image: Path

    @property
    def modules(self) -> Path:
        return self.root / "lib/modules" / self.version


def distribution_kernel(version: str | None = None) -> Kernel:
    """Debian's cloud kernel: `version` ("6.1.0-56-cloud-amd64"), or the last one that was used, or the newest."""
    if version is None:
        cached = sorted(cache.directory().glob("kernel-*"), key=lambda path: path.stat().st_mtime)
        version = cached[-1].name.removeprefix("kernel-") if cached else _newest()
    return _kernel(_package(version, f"kernel-{version}"), version)


def generic_kernel(like: Kernel) -> Kernel:
    """Debian's kernel for every machine, of the same version as a cloud kernel; never what cases boot by default."""
    version = like.version.replace("-cloud-", "-")
    return _kernel(_package(version, f"generic-{version}"), version)


def _package(version: str, name: str) -> Path:
    """What the package of a kernel installs; kept as `name`."""

    def make(directory: Path) -> None:
        debs = cache.directory() / "debs"
        debs.mkdir(exist_ok=True)
        if not list(debs.glob(f"linux-image-{version}_*.deb")):
            cache.run(["apt-get", "download", f"linux-image-{version}"], cwd=debs)
        deb = sorted(debs.glob(f"linux-image-{version}_*.deb"))[-1]
        cache.run(["dpkg", "-x", str(deb), str(directory)])
        cache.run(["depmod", "-b", str(directory), version])

    return cache.kept(name, make)


def built_kernel(configuration: str) -> Path:
    """A bzImage of the distribution's kernel source, with `configuration` and what that implies; minutes, once."""

    def make(directory: Path) -> None:
        debs = cache.directory() / "debs"
        debs.mkdir(exist_ok=True)
        if not list(debs.glob(f"{_SOURCE}_*.deb")):
            cache.run(["apt-get", "download", _SOURCE], cwd=debs)
        work = cache.temporary(cache.directory())
        try:
            cache.run(["dpkg", "-x", str(sorted(debs.glob(f"{_SOURCE}_*.deb"))[-1]), str(work)])
            cache.run(["tar", "-C", str(work), "-xf", str(work / f"usr/src/{_SOURCE}.tar.xz")])
            (work / "configuration").write_text(configuration)
            tree = work / _SOURCE
            cache.run(["make", f"KCONFIG_ALLCONFIG={work}/configuration", "allnoconfig"], cwd=tree)
            lacking = sorted(set(configuration.splitlines()) - set((tree / ".config").read_text().splitlines()))
            if any(line.startswith("CONFIG_") for line in lacking):
                raise LabError(f"the kernel's configuration lacks {', '.join(lacking)}")
            cache.run(["nice", "-n", "5", "make", f"-j{os.cpu_count()}", "bzImage"], directory / "build.log", tree)
            shutil.copy2(tree / "arch/x86/boot/bzImage", directory)
            shutil.copy2(tree / ".config", directory / "config")
        finally:
            shutil.rmtree(work)

    return cache.kept(f"built-kernel-{cache.fingerprint(_SOURCE, configuration)}", make) / "bzImage"


def kernel_of_file(image: Path, modules_root: Path | None) -> Kernel:
    """A kernel of the user's: FILE, with its modules in <modules_root>/lib/modules (default: beside it, or /)."""
    found = re.search(rb"(\d+\.\d+[^ \0]*) \(", image.read_bytes()[:65536])
    if not found:
        raise LabError(f"{image}: not a Linux kernel (no version in its header)")
    version = found[1].decode()
    roots = [modules_root] if modules_root else [image.parent.parent, Path("/")]
    for root in roots:
        if (root / "lib/modules" / version).is_dir():
            return Kernel(root, version, image)
    raise LabError(f"{image} is {version}; no lib/modules/{version} in {', '.join(map(str, roots))}")


def _newest() -> str:
    depends = cache.run(["apt-cache", "depends", _META])
    found = re.search(r"Depends: linux-image-(\S+)", depends)
    if not found:
        raise LabError(f"apt knows no {_META}: run apt-get update")
    return found[1]


def _kernel(root: Path, version: str) -> Kernel:
    return Kernel(root, version, root / f"boot/vmlinuz-{version}")
