"""Images of what people boot diskless nodes with today, built by Debian's own packages in a root of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import cache
import roots
from kernels import Kernel

_COMMON = ("kmod,udev,zstd,busybox,iproute2,iputils-arping,isc-dhcp-client,nfs-common,netbase,"
           "systemd-sysv,dbus,procps,cpio,gzip,initramfs-tools")
WITH_DRACUT = _COMMON + ",dracut-core,dracut-network"
WITH_LIVE = _COMMON + ",live-boot,live-boot-initramfs-tools"  # apart: its hooks go into every image that is built beside it

# dracut's own choice of a network handler, systemd-networkd, does not get as far as the mount on Debian 12: network-legacy
# is what its packages worked with before. "minimal": without systemd, nothing but what an NFS root needs.
_DRACUT_MODULES = {
    "dracut": "--no-hostonly --no-hostonly-cmdline --add 'nfs network-legacy' --omit systemd-networkd",
    "dracut-minimal": "--no-hostonly --no-hostonly-cmdline "
                      "--modules 'base nfs network network-legacy kernel-modules kernel-network-modules udev-rules fs-lib'",
}


def workshop(packages: str) -> Path:
    """A Debian with the builders installed; kept."""
    name = f"bench-builders-{cache.fingerprint(roots.SUITE, packages, 1)}"
    return cache.kept(name, lambda root: roots.debootstrap(root, packages))


def built(name: str, kernel: Kernel, packages: str, script: str) -> Path:
    """The image that `script`, run in a private copy of the workshop, leaves at /image."""
    root = workshop(packages)

    def make(directory: Path) -> None:
        tree = directory / "tree"
        for part in ("upper", "work", "root"):
            (tree / part).mkdir(parents=True)
        (directory / "build").write_text(f"""
            set -e
            mount -t overlay overlay -o lowerdir={root},upperdir={tree}/upper,workdir={tree}/work {tree}/root
            cd {tree}/root
            mkdir -p usr/lib/modules/{kernel.version} boot
            mount --bind {kernel.modules} usr/lib/modules/{kernel.version}
            cp {kernel.image.parent}/config-{kernel.version} boot/
            mount -t proc proc proc; mount -t sysfs sysfs sys; mount --bind /dev dev
            chroot . sh -ec '{script}'
            cp image {directory}/initramfs.img
            """)
        cache.run(["unshare", "--mount", "--propagation", "private", "sh", str(directory / "build")],
                  directory / "log")
        shutil.rmtree(tree)

    return cache.kept(f"bench-{name}-{cache.fingerprint(root.name, kernel.version, script)}", make) / "initramfs.img"


def initramfs_tools(kernel: Kernel, modules: str) -> Path:
    script = f"""
        sed -i "s/^MODULES=.*/MODULES={modules}/" /etc/initramfs-tools/initramfs.conf
        mkinitramfs -o /image {kernel.version}"""
    return built(f"initramfs-tools-{modules}", kernel, WITH_DRACUT, script)


def dracut(kernel: Kernel, name: str) -> Path:
    script = f"""dracut {_DRACUT_MODULES[name]} --kver {kernel.version} --force /image""".replace("'", '"')
    return built(name, kernel, WITH_DRACUT, script)


def live_boot(kernel: Kernel) -> Path:
    return built("live-boot", kernel, WITH_LIVE, f"mkinitramfs -o /image {kernel.version}")


def live_medium(directory: Path, source: Path) -> None:
    """`source` below `directory` as live-boot looks for it: directory/live/filesystem.dir, squashfs/live/filesystem.squashfs."""
    plain = directory / "directory/live/filesystem.dir"
    plain.mkdir(parents=True)
    roots.copy(source, plain)
    packed = directory / "squashfs/live/filesystem.squashfs"
    packed.parent.mkdir(parents=True)
    cache.run(["mksquashfs", str(source), str(packed), "-quiet", "-no-progress"])
