"""Root directories for nodes, each with a subject; made once, kept, and never written to by a case.

    debian           Debian 12: systemd, dbus, sshd, udev
    debian-networkd, debian-networkmanager, debian-ifupdown
                     the same with something that configures interfaces
    debian-sysvinit  Debian 12 with sysvinit
    debian-nfsroot   the same with ifupdown, a DHCP client and NFS tools, as Debian's NFS roots always were
    busybox          nothing but busybox with its init: up a second after hand-over, for what is not about systemd
    rwtab            busybox with Red Hat's etc/rwtab and etc/statetab
    golden           busybox with a kernel and its modules: what diskless-server makes images of
    debian-installed the same as on a disk of its own, with fdisk and rsync: a machine that images are made from
    live, live-debian, live-vine
                     golden, debian and vine as live-boot has them: nothing but live/filesystem.squashfs
    culc             vine with a portmapper, and programs in bin/: the root of a cluster that runs by its inittab
    vine             golden with an sshd, a user and an inittab in sysvinit's form: a small system of 1999
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cache
from kernels import Kernel
from namespace import LabError

SUITE = "bookworm"
_DEBIAN = "systemd-sysv,dbus,openssh-server,iproute2,udev,kmod,iputils-ping,netbase,procps"
_SYSVINIT = "sysvinit-core,sysv-rc,initscripts,openssh-server,iproute2,udev,kmod,iputils-ping,netbase,procps"
PASSWORD = "lab"  # of root, where there is a login

# Units that do nothing useful on a node and cost seconds under emulation; a node boots the same without them.
_MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
           "dpkg-db-backup.timer", "getty@tty1.service", "systemd-pstore.service")


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """A new file in place of what is there: never through a hard link into another root."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)


def install(program: Path, target: Path) -> None:
    """A program at `target`: never through a hard link into another root."""
    target.unlink(missing_ok=True)
    shutil.copyfile(program, target)
    target.chmod(0o755)


def clone(source: Path, target: Path) -> None:
    """The tree by hard links: quick, and safe where files are replaced and never written in place."""
    cache.run(["cp", "-al", f"{source}/.", str(target)])


def copy(source: Path, target: Path) -> None:
    """The tree with files of its own, for a root that nodes write to."""
    cache.run(["cp", "-a", f"{source}/.", str(target)])


def debian(kernel: Kernel) -> Path:
    base = cache.kept(f"root-debian-{cache.fingerprint(SUITE, _DEBIAN, _MASKED, 2)}", _make_debian)
    return _with_modules(base, kernel)


def debian_sysvinit(kernel: Kernel) -> Path:
    base = cache.kept(f"root-sysvinit-{cache.fingerprint(SUITE, _SYSVINIT, 1)}", _make_sysvinit)
    return _with_modules(base, kernel)


def debian_nfsroot(kernel: Kernel) -> Path:
    """What one debootstraps for an NFS root in the manner of 2008; its own kernel is in boot/."""

    def make(root: Path) -> None:
        _make_sysvinit(root, _SYSVINIT + ",ifupdown,isc-dhcp-client,nfs-common")
        write(root / "etc/network/interfaces", "auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet dhcp\n")

    def with_kernel(root: Path) -> None:
        clone(_with_modules(cache.kept("root-nfsroot-1", make), kernel), root)
        clone(kernel.image.parent, root / "boot")

    return cache.kept(f"root-nfsroot-2+{kernel.version}", with_kernel)


def busybox(_: Kernel | None = None) -> Path:
    return cache.kept("root-busybox-3", _make_busybox)


def rwtab(_: Kernel | None = None) -> Path:
    return cache.kept("root-rwtab-2", _make_rwtab)


def golden(kernel: Kernel) -> Path:
    """busybox with the package of `kernel` installed: what an administrator makes an image of."""

    def make(root: Path) -> None:
        clone(busybox(), root)
        (root / "boot").mkdir()
        clone(kernel.image.parent, root / "boot")
        (root / "lib/modules" / kernel.version).mkdir()
        clone(kernel.modules, root / "lib/modules" / kernel.version)

    return cache.kept(f"{busybox().name}-golden+{kernel.version}", make)


def debian_installed(kernel: Kernel) -> Path:
    def make(root: Path) -> None:
        clone(debian_nfsroot(kernel), root)
        for program in ("/usr/bin/rsync", "/usr/sbin/fdisk"):
            _install_dynamic(Path("/"), program, root)
        cache.run(["chroot", str(root), "ssh-keygen", "-A"])
        write(root / "etc/hostname", "node004\n")
        write(root / "etc/fstab", "/dev/sda3 / ext3 defaults 1 1\n/dev/sda1 /boot ext3 defaults 1 2\n")
        write(root / "boot/grub/grub.conf", "default=0\n")
        write(root / "etc/adjtime", "0.0 0 0.0\n0\nUTC\n")
        (root / "etc/mtab").unlink(missing_ok=True)
        (root / "etc/mtab").symlink_to("../proc/self/mounts")

    return cache.kept(f"root-installed-2+{kernel.version}", make)


_VINE_INITTAB = """\
id:3:initdefault:
si::sysinit:/etc/rc.d/rc.sysinit
sshd:3:respawn:/etc/rc.d/sshd
S0:3:respawn:-/bin/sh
"""


def vine(kernel: Kernel) -> Path:
    def make(root: Path) -> None:
        clone(golden(kernel), root)
        _install_dynamic(debian_nfsroot(kernel), "/usr/sbin/sshd", root)
        write(root / "etc/inittab", _VINE_INITTAB)
        write(root / "etc/rc.d/rc.sysinit", "#!/bin/sh\nexec fsck -a /\n", 0o755)
        write(root / "etc/rc.d/sshd", "#!/bin/sh\nmkdir -p /run/sshd\nexec /usr/sbin/sshd -D -e\n", 0o755)
        write(root / "etc/ssh/sshd_config", "PermitRootLogin no\nPasswordAuthentication no\n")
        with_hoge = (root / "etc/passwd").read_text() + ("sshd:x:74:65534::/run/sshd:/bin/false\n"
                                                         "hoge:x:500:500:hoge:/home/hoge:/bin/sh\n")
        write(root / "etc/passwd", with_hoge)
        write(root / "etc/group", (root / "etc/group").read_text() + "hoge:x:500:\n")

    return cache.kept(f"root-vine-1+{kernel.version}", make)


def culc(kernel: Kernel) -> Path:
    """The root of a cluster whose nodes run by three lines of inittab: sshd in /bin, a portmapper, a shell."""
    def make(root: Path) -> None:
        clone(vine(kernel), root)
        system = debian_nfsroot(kernel)
        for program in ("/usr/sbin/sshd", "/usr/sbin/rpcbind"):
            _install_dynamic(system, program, root)
            (root / program.lstrip("/")).rename(root / "bin" / Path(program).name)
        shutil.copy2(system / "etc/netconfig", root / "etc/netconfig")
        (root / "bin/rpcbind").rename(root / "bin/portmap")
        # whom rpcbind becomes; it ends without a word when there is no such user
        write(root / "etc/passwd", (root / "etc/passwd").read_text() + "_rpc:x:111:65534::/run/rpcbind:/bin/false\n")
        write(root / "etc/services", "sunrpc 111/tcp portmapper\nsunrpc 111/udp portmapper\n")
        write(root / "etc/nsswitch.conf", "services: files\nprotocols: files\n")
        write(root / "etc/protocols", "tcp 6\nudp 17\n")
        (root / "sbin/init").unlink()
        shutil.rmtree(root / "etc/rc.d")
        (root / "culc").mkdir()

    return cache.kept(f"root-culc-4+{kernel.version}", make)


def _install_dynamic(system: Path, program: str, root: Path) -> None:
    """A program of another root with the libraries that it needs."""
    listed = cache.run(["chroot", str(system), "ldd", program])
    for path in [program, *re.findall(r"(/\S+) \(0x", listed)]:
        target = root / path.lstrip("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(system / path.lstrip("/"), target)


def debian_networkd(kernel: Kernel) -> Path:
    """systemd-networkd that asks for an address on every Ethernet interface."""

    def make(root: Path) -> None:
        clone(debian(kernel), root)
        write(root / "etc/systemd/network/10-all.network", "[Match]\nName=e*\n\n[Network]\nDHCP=yes\n")
        _enable(root, "systemd-networkd.service")

    return cache.kept(f"root-networkd-1+{kernel.version}", make)


def debian_network_manager(kernel: Kernel) -> Path:
    base = cache.kept("root-networkmanager-1", lambda root: _make_debian(root, _DEBIAN + ",network-manager,libpam-systemd"))
    return _with_modules(base, kernel)


def debian_ifupdown(kernel: Kernel) -> Path:
    def make(root: Path) -> None:
        _make_debian(root, _DEBIAN + ",ifupdown,isc-dhcp-client")
        write(root / "etc/network/interfaces", "auto lo eth0\niface lo inet loopback\niface eth0 inet dhcp\n")

    return _with_modules(cache.kept("root-ifupdown-1", make), kernel)


def live(kernel: Kernel) -> Path:
    return _packed(golden(kernel))


def live_debian(kernel: Kernel) -> Path:
    return _packed(debian(kernel))


def live_vine(kernel: Kernel) -> Path:
    return _packed(vine(kernel))


def _packed(source: Path) -> Path:
    def make(root: Path) -> None:
        (root / "live").mkdir()
        cache.run(["mksquashfs", str(source), str(root / "live/filesystem.squashfs"), "-quiet", "-no-progress"])

    return cache.kept(f"{source.name}-live", make)


def _enable(root: Path, unit: str) -> None:
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / unit).unlink(missing_ok=True)
    (wants / unit).symlink_to(f"/lib/systemd/system/{unit}")


FLAVOURS = {"debian": debian, "debian-networkd": debian_networkd, "debian-networkmanager": debian_network_manager,
            "debian-ifupdown": debian_ifupdown, "debian-sysvinit": debian_sysvinit, "debian-nfsroot": debian_nfsroot,
            "busybox": busybox, "rwtab": rwtab,
            "live": live, "live-debian": live_debian, "live-vine": live_vine, "golden": golden, "vine": vine, "culc": culc, "debian-installed": debian_installed}


def flavour(name: str, kernel: Kernel) -> Path:
    if name not in FLAVOURS:
        raise LabError(f"no root {name!r}; there are {', '.join(FLAVOURS)}")
    return FLAVOURS[name](kernel)


def _with_modules(base: Path, kernel: Kernel) -> Path:
    """`base` as if the package of `kernel` were installed in it."""

    def make(root: Path) -> None:
        clone(base, root)
        modules = root / "usr/lib/modules" / kernel.version
        modules.mkdir(parents=True)
        clone(kernel.modules, modules)

    return cache.kept(f"{base.name}+{kernel.version}", make)


def mirror() -> str:
    """$DISKLESS_MIRROR, else the one that apt of this machine uses."""
    given = os.environ.get("DISKLESS_MIRROR")
    if given:
        return given
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)",
                              "Created-By: Packages"], capture_output=True, text=True, check=False).stdout
    for release, component, url in (line.split() for line in targets.splitlines() if len(line.split()) == 3):
        if (release, component) == (SUITE, "main"):
            return url
    raise LabError(f"apt of this machine knows no mirror of {SUITE}: name one by DISKLESS_MIRROR")


def debootstrap(root: Path, packages: str, *options: str) -> None:
    debs = cache.directory() / "debs"
    debs.mkdir(exist_ok=True)
    cache.run(["debootstrap", "--variant=minbase", f"--cache-dir={debs}", *options, f"--include={packages}", SUITE,
               str(root), mirror()])
    root.chmod(0o755)
    set_password(root)
    # What an administrator removes from an image that many machines share.
    for pattern in ("etc/ssh/ssh_host_*", "var/cache/apt/*.bin", "var/lib/apt/lists/*_*", "var/log/*.log"):
        for path in root.glob(pattern):
            path.unlink()
    write(root / "etc/hostname", "image\n")
    write(root / "etc/machine-id", "")
    write(root / "etc/fstab", "# the root comes from the network\n")


def set_password(root: Path) -> None:
    subprocess.run(["chroot", str(root), "chpasswd"], input=f"root:{PASSWORD}\n", text=True, check=True)


def _make_debian(root: Path, packages: str = _DEBIAN) -> None:
    debootstrap(root, packages)
    for unit in _MASKED:
        (root / "etc/systemd/system" / unit).unlink(missing_ok=True)
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    write(root / "etc/systemd/system/serial-getty@ttyS0.service.d/lab.conf",
          "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --keep-baud 115200 - linux\n")


def _make_sysvinit(root: Path, packages: str = _SYSVINIT) -> None:
    debootstrap(root, packages, "--exclude=systemd,systemd-sysv")
    inittab = (root / "etc/inittab").read_text()
    lines = [line for line in inittab.splitlines() if "getty" not in line or line.startswith("#")]
    lines.append("S0:2345:respawn:/sbin/agetty --autologin root --keep-baud 115200 ttyS0 linux")
    write(root / "etc/inittab", "\n".join(lines) + "\n")


_INITTAB = """\
::sysinit:/etc/init.d/rcS
ttyS0::respawn:-/bin/sh
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/umount -a -r
"""

_RCS = """\
#!/bin/sh
# The first thing the node's own userland does; a boot loader with nothing mounted would stop here.
[ -e /proc/self ] || mount -t proc proc /proc
[ -e /sys/kernel ] || mount -t sysfs sysfs /sys
echo "busybox userland is up on $(hostname)"
"""


def _make_busybox(root: Path) -> None:
    root.chmod(0o755)
    for name in ("bin", "sbin", "usr/bin", "usr/sbin", "etc/init.d", "proc", "sys", "dev", "run", "tmp", "root", "mnt",
                 "var/log", "var/lib", "var/tmp", "var/cache", "home", "opt", "lib/modules"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    (root / "root").chmod(0o700)
    shutil.copy2(shutil.which("busybox") or "/bin/busybox", root / "bin/busybox")
    applets = cache.run(["busybox", "--list-full"]).split()
    for applet in applets:
        link = root / applet
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to("/bin/busybox")
    write(root / "etc/inittab", _INITTAB)
    write(root / "etc/init.d/rcS", _RCS, 0o755)
    write(root / "etc/passwd", "root::0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    write(root / "etc/group", "root:x:0:\nnogroup:x:65534:\n")
    write(root / "etc/hostname", "image\n")
    write(root / "etc/machine-id", "")
    write(root / "etc/hosts", "127.0.0.1 localhost\n")
    write(root / "etc/resolv.conf", "# of the image\n")
    write(root / "etc/fstab", "# the root comes from the network\n")
    write(root / "etc/motd", "the image's own\n")
    write(root / "var/log/messages", "")
    write(root / "opt/data", "data of the image\n")


_RWTAB = """\
# type path
dirs    /var/log
empty   /tmp
empty   /var/tmp
files   /etc/resolv.conf
files   /opt/*
files   /etc/not-there
"""

_STATETAB = """\
# paths that outlive a boot
/etc/motd
/var/lib/kept
/not/there
"""


def _make_rwtab(root: Path) -> None:
    clone(busybox(), root)
    write(root / "etc/rwtab", _RWTAB)
    write(root / "etc/rwtab.d/site", "dirs /var/cache\n")
    write(root / "etc/statetab", _STATETAB)
    write(root / "var/lib/kept/seed", "seed\n")
    write(root / "var/log/app/old.log", "must not be copied: dirs copies directories only\n")


@dataclass(frozen=True)
class Manifest:
    """What a tree is, for comparison: every path with type, mode, owner, size, time and target."""

    entries: dict[str, tuple[object, ...]]

    @staticmethod
    def of(root: Path) -> Manifest:
        entries: dict[str, tuple[object, ...]] = {}
        pending = [root]
        while pending:
            for entry in os.scandir(pending.pop()):
                status = entry.stat(follow_symlinks=False)
                target = os.readlink(entry.path) if entry.is_symlink() else ""
                size = status.st_size if entry.is_file(follow_symlinks=False) else 0
                entries[os.path.relpath(entry.path, root)] = (
                    status.st_mode, status.st_uid, status.st_gid, size, status.st_mtime_ns, target)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
        return Manifest(entries)

    def differences(self, later: Manifest) -> list[str]:
        """"+ path", "- path", "! path" for what is new, gone, changed."""
        found = [f"+ {path}" for path in later.entries.keys() - self.entries.keys()]
        found += [f"- {path}" for path in self.entries.keys() - later.entries.keys()]
        found += [f"! {path}" for path in self.entries.keys() & later.entries.keys()
                  if self.entries[path] != later.entries[path]]
        return sorted(found, key=lambda line: line[2:])
