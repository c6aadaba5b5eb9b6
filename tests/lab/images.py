"""Initial RAM file systems: the product's, and a hand-made one that proves the laboratory itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Sequence

import cache
from kernels import Kernel
from namespace import LabError

TREE = Path(__file__).resolve().parents[2]


def server_helper() -> Path:
    """diskless-server of this tree: $DISKLESS_SERVER, else what was built last."""
    return _program("diskless-server", "DISKLESS_SERVER")


def node_program() -> Path:
    return _program("diskless-init-stripped", "DISKLESS_INIT")


def _program(name: str, variable: str) -> Path:
    given = os.environ.get(variable)
    if given:
        return Path(given)
    found = [path for preset in ("release", "dev", ".") for path in (TREE / "build" / preset).rglob(name)
             if path.is_file() and os.access(path, os.X_OK)]
    if not found:
        raise LabError(f"{name} is not built: cmake --preset release && cmake --build --preset release;"
                       f" or set {variable}")
    return found[0]


def built(kernel: Kernel, work: Path, *options: str) -> Path:
    """What `diskless-server initramfs build` makes of this tree's node program; made anew when either has changed."""
    helper, program = server_helper(), node_program()
    contents = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (helper, program)]
    name = f"built-{cache.fingerprint(kernel.root, kernel.version, *contents, *options)}"

    def make(directory: Path) -> None:
        cache.run([str(helper), "initramfs", "build", "--kernel", kernel.version, "--root", str(kernel.root),
                   "--program", str(program), "--out", str(directory / "initramfs.img"), *options], work / "initramfs.log")

    return cache.kept(name, make) / "initramfs.img"


_HANDMADE_MODULES = ("virtio_pci", "virtio_net", "virtio_rng", "nfsv3", "nfsv4", "nfs")

_HANDMADE_INIT = """\
#!/bin/sh
# Boots a node the plain way: DHCP, NFS, a snapshot bound over /var/log. Shows that the laboratory works.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
exec >/dev/console 2>&1
while read -r module; do insmod /modules/$module; done </modules/order
for word in $(cat /proc/cmdline); do
    case $word in lab.root=*) root=${word#*=};; lab.options=*) options=${word#*=};; esac
done
for link in /sys/class/net/e*; do ip link set "${link##*/}" up; done
cat >/dhcp <<'EOS'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"; hostname "$hostname"; echo "handmade: $hostname is $ip"
EOS
chmod +x /dhcp
udhcpc -q -n -t 20 -T 1 -i eth0 -s /dhcp
mkdir -p /sysroot
mount -t nfs -o "ro,nolock,addr=10.9.0.1,$options" "10.9.0.1:$root" /sysroot || exec sh
mkdir -p /run; mount -t tmpfs run /sysroot/run
own=10.9.0.1:/srv/diskless/snapshots/$(hostname)
mount -t nfs -o "rw,nolock,addr=10.9.0.1,$options" "$own" /sysroot/mnt || exec sh
mkdir -p /sysroot/mnt/var/log /sysroot/mnt/.diskless
echo '{"format": 1, "root": {"server": "10.9.0.1"}}' >/sysroot/mnt/.diskless/boot.json
mount -o bind /sysroot/mnt/var/log /sysroot/var/log
echo "handmade: hand over"
mount -o move /proc /sysroot/proc; mount -o move /sys /sysroot/sys; mount -o move /dev /sysroot/dev
exec switch_root /sysroot /sbin/init
"""


def handmade(kernel: Kernel) -> Path:
    """busybox and a shell script of a page: what the laboratory must be able to boot whatever the product does."""
    recipe = cache.fingerprint(_HANDMADE_INIT, _HANDMADE_MODULES, kernel.version)

    def make(directory: Path) -> None:
        with tempfile.TemporaryDirectory() as name:
            tree = Path(name)
            for sub in ("bin", "proc", "sys", "dev", "modules"):
                (tree / sub).mkdir()
            shutil.copy2(shutil.which("busybox") or "/bin/busybox", tree / "bin/busybox")
            (tree / "bin/sh").symlink_to("busybox")
            (tree / "init").write_text(_HANDMADE_INIT)
            (tree / "init").chmod(0o755)
            order = modules_in_order(kernel, _HANDMADE_MODULES)
            for module in order:
                shutil.copy2(module, tree / "modules" / module.name)
            (tree / "modules/order").write_text("".join(f"{module.name}\n" for module in order))
            image = directory / "initramfs.img"
            cache.run(["sh", "-c", f"cd {tree} && find . | cpio --quiet -o -H newc | gzip -1 >{image}"])

    return cache.kept(f"handmade-{recipe}", make) / "initramfs.img"


def modules_in_order(kernel: Kernel, names: Sequence[str]) -> list[Path]:
    """The files of these modules and of what they need, in the order in which they load."""
    needs: dict[str, list[str]] = {}
    for line in (kernel.modules / "modules.dep").read_text().splitlines():
        module, _, dependencies = line.partition(":")
        needs[module] = dependencies.split()
    order: list[Path] = []
    for wanted in names:
        path = next((path for path in needs if Path(path).name == f"{wanted}.ko"), None)
        if path is None:
            continue  # built into this kernel
        for module in [*reversed(needs[path]), path]:
            if kernel.modules / module not in order:
                order.append(kernel.modules / module)
    return order


def by_initramfs_tools(kernel: Kernel, work: Path) -> Path:
    """What mkinitramfs makes with the product's hook, as after installing it on a stock Debian."""
    configuration = work / "initramfs-tools"
    shutil.copytree("/etc/initramfs-tools", configuration)
    hooks = TREE / "initramfs/hooks/initramfs-tools"
    (configuration / "hooks").mkdir(exist_ok=True)
    shutil.copy2(hooks / "hook", configuration / "hooks/diskless")
    return _by_tool(kernel, work, f"""
        export DISKLESS_INIT={node_program()} DISKLESS_SERVER={server_helper()} DISKLESS_TAKEOVER={hooks / "takeover"}
        mkinitramfs -d {configuration} -o "$image" {kernel.version}
        """)


def by_dracut(kernel: Kernel, work: Path) -> Path:
    """What dracut makes with the product's module; the host's own dracut is not touched."""
    return _by_tool(kernel, work, f"""
        export DISKLESS_INIT={node_program()} DISKLESS_SERVER={server_helper()}
        cp -a {TREE / "initramfs/hooks/dracut"}/. /usr/lib/dracut/modules.d/
        dracut --no-hostonly --no-hostonly-cmdline --add diskless --kver {kernel.version} --force "$image"
        """)


def _by_tool(kernel: Kernel, work: Path, script: str) -> Path:
    """Runs another tool's builder on a private copy of /usr/lib, with the kernel's modules where it looks for them."""
    image = work / "initramfs.img"
    for name in ("upper", "overlay"):
        (work / name).mkdir()
    (work / "build-image").write_text(f"""
        set -e
        image={image}
        mount -t overlay overlay -o lowerdir=/usr/lib,upperdir={work / "upper"},workdir={work / "overlay"} /usr/lib
        mkdir -p /usr/lib/modules
        mount --bind {kernel.root / "lib/modules"} /usr/lib/modules
        mount --bind {kernel.image.parent} /boot
        {script}""")
    cache.run(["unshare", "--mount", "--propagation", "private", "sh", str(work / "build-image")],
              work / "initramfs.log")
    return image


def image(name: str, kernel: Kernel, work: Path) -> Path:
    """The image that a case names."""
    makers = {"built": built, "image-root": lambda kernel, work: built(kernel, work, "--image-root"), "handmade": lambda kernel, _: handmade(kernel),
              "initramfs-tools": by_initramfs_tools, "dracut": by_dracut}
    existing = work / "initramfs.img"
    return existing if existing.exists() else makers[name](kernel, work)
