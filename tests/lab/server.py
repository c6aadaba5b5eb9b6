"""The real servers of a case: NFS-Ganesha, dnsmasq (DHCP, BOOTP, TFTP), chronyd (NTP), all in one namespace.

The servers see the case's own tree on /srv, so that nodes mount /srv/diskless/... whatever the temporary directory is.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

import network
from namespace import LabError, Namespace, Process, wait_until


@dataclass(frozen=True)
class Export:
    path: str  # as nodes name it, with NFSv3 and NFSv4 alike
    writable: bool = False


def mount_tree(namespace: Namespace, tree: Path) -> None:
    """Private /srv (from `tree`), /run, and where servers keep what they know, each empty."""
    namespace.run("mount", "--bind", str(tree), "/srv")
    for path in ("/run", "/var/lib/nfs"):
        namespace.run("mount", "-t", "tmpfs", "tmpfs", path)
    namespace.run("mkdir", "-p", "/run/sendsigs.omit.d", "/run/rpcbind", "/run/ganesha", "/var/lib/nfs/ganesha")


def keep_own_etc(namespace: Namespace, directory: Path) -> None:
    """A private /etc and private leases, for servers that are set up as on a machine of their own."""
    for name in ("etc", "etc.work"):
        (directory / name).mkdir()
    layers = f"lowerdir=/etc,upperdir={directory / 'etc'},workdir={directory / 'etc.work'}"
    namespace.run("mount", "-t", "overlay", "overlay", "-o", layers, "/etc")
    namespace.run("mount", "-t", "tmpfs", "tmpfs", "/var/lib")
    # As the servers' packages leave them.
    namespace.run("mkdir", "-p", "/var/lib/nfs/ganesha", "/var/lib/misc", "/var/lib/dhcp", "/var/lib/kea", "/run/kea")
    namespace.run("touch", "/var/lib/dhcp/dhcpd.leases")


def own_top(namespace: Namespace, directory: Path, names: tuple[str, ...]) -> None:
    """A private "/" that has directories of these names besides the host's; they lie in `directory`."""
    directory.mkdir()
    namespace.run("sh", "-ec", """
        mount --bind "$1" "$1"; cd "$1"; shift
        for entry in /*; do
            if [ -L "$entry" ]; then cp -P "$entry" .
            elif [ -d "$entry" ]; then mkdir ".$entry"; mount --rbind "$entry" ".$entry"
            fi
        done
        for name; do umount -l ".$name" 2>/dev/null || true; mkdir -p ".$name"; done
        mkdir .host
        pivot_root . .host
        umount -l /.host; rmdir /.host
        """, "sh", str(directory), *names)


def advertise_router(namespace: Namespace) -> None:
    """A router of IPv6, and nothing else: iPXE waits 13 s for one."""
    namespace.start("radvd", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=br0",
                    "--bind-interfaces", "--enable-ra", "--dhcp-range=fd09::,ra-only", "--user=root", "--group=root",
                    "--leasefile-ro", "--log-facility=-")


def place(namespace: Namespace, tree: Path, path: str, directory: Path) -> None:
    """Shows the host's `directory` to the servers as `path` (below /srv)."""
    (tree / Path(path).relative_to("/srv")).mkdir(parents=True, exist_ok=True)
    namespace.run("mount", "--bind", str(directory), path)


def _listening(namespace: Namespace, port: int, protocol: str) -> bool:
    lines = namespace.run("ss", "-Hln", f"-{protocol[0]}").splitlines()
    return any(line.split()[3].endswith(f":{port}") for line in lines if len(line.split()) > 3)


class NfsServer:
    """NFS-Ganesha in user space: versions 3, 4.0, 4.1 and 4.2."""

    def __init__(self, namespace: Namespace, directory: Path, exports: list[Export]) -> None:
        self._namespace, self._directory, self._exports = namespace, directory, exports
        self._configuration = directory / "ganesha.conf"
        self._configuration.write_text(_ganesha_configuration(exports))
        self._rpcbind: Process | None = None
        self._ganesha: Process | None = None
        self._starts = 0

    def start(self) -> None:
        """Returns when the NFS port is open. A server that was killed can be started again."""
        if self._rpcbind is None:
            self._rpcbind = self._namespace.start("rpcbind", "rpcbind", "-f", "-w", changes_user=True)
            wait_until("rpcbind is up", lambda: _listening(self._namespace, 111, "tcp"), 5)
        log = self._namespace.logs / "ganesha.log"
        self._starts += 1
        self._ganesha = self._namespace.start(
            f"ganesha.{self._starts}", "ganesha.nfsd", "-F", "-f", str(self._configuration), "-L", str(log),
            "-p", f"/run/ganesha.{self._starts}.pid", "-N", "NIV_EVENT")

        def up() -> bool:
            if self._ganesha is not None and not self._ganesha.alive:
                raise LabError(f"NFS server ended at once: see {log}")
            return _listening(self._namespace, 2049, "tcp")

        wait_until("NFS server is up", up, 15)

    def freeze(self) -> None:
        """Connections are accepted, and nothing is ever answered."""
        if self._ganesha is not None:
            self._ganesha.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._ganesha is not None:
            self._ganesha.signal(signal.SIGCONT)

    def withdraw(self, path: str) -> None:
        """The export of `path` is taken back while nodes use it."""
        self._exports = [export for export in self._exports if export.path != path]
        self._configuration.write_text(_ganesha_configuration(self._exports))
        if self._ganesha is not None:
            self._ganesha.signal(signal.SIGHUP)

    def kill(self) -> None:
        """As if its machine lost power, but its address still answers: connections are refused."""
        if self._ganesha is not None:
            self._ganesha.kill()


def _ganesha_configuration(exports: list[Export]) -> str:
    text = """
        NFS_CORE_PARAM { Protocols = 3, 4; NFS_Port = 2049; MNT_Port = 20048; Bind_addr = 0.0.0.0;
                         Enable_NLM = false; Enable_RQUOTA = false; }
        NFSV4 { Graceless = true; RecoveryBackend = fs; Minor_Versions = 0, 1, 2;
                # As the kernel's own server does for sec=sys: nodes have no daemon that maps names to numbers.
                Only_Numeric_Owners = true; }
        EXPORT_DEFAULTS { Squash = No_Root_Squash; SecType = sys; Transports = TCP, UDP; Protocols = 3, 4; }
        """
    for number, export in enumerate(exports, 1):
        text += f"""
        EXPORT {{ Export_Id = {number}; Path = {export.path}; Pseudo = {export.path};
                 Access_Type = {"RW" if export.writable else "RO"}; FSAL {{ Name = VFS; }} }}
        """
    return text


@dataclass(frozen=True)
class Dhcp:
    """What the DHCP server hands out. Addresses and names of the nodes are fixed: 10.9.0.11 is node1."""

    options: tuple[str, ...] = ()  # dnsmasq's: "option:root-path,10.9.0.1:/srv/diskless/images/busybox"
    hostnames: bool = True
    lease_seconds: int = 3600
    ntp: bool = True
    extra: tuple[str, ...] = ()  # further lines of dnsmasq.conf


class DhcpServer:
    """dnsmasq: DHCP and BOOTP, and TFTP from /srv/tftp when asked to."""

    def __init__(self, namespace: Namespace, directory: Path, dhcp: Dhcp, nodes: int = 4,
                 tftp_boot: str | None = None) -> None:
        self._namespace = namespace
        self._configuration = directory / "dnsmasq.conf"
        self._configuration.write_text(_dnsmasq_configuration(dhcp, nodes, tftp_boot))
        self._dnsmasq: Process | None = None

        self._short = dhcp.lease_seconds < _SHORTEST
        if self._short:
            self._configuration.write_text(_udhcpd_configuration(dhcp))

    def start(self) -> None:
        if self._short:
            self._dnsmasq = self._namespace.start("udhcpd", "busybox", "udhcpd", "-f", str(self._configuration))
        else:
            self._dnsmasq = self._namespace.start("dnsmasq", "dnsmasq", "--keep-in-foreground",
                                                  f"--conf-file={self._configuration}", "--log-facility=-")

        def up() -> bool:
            if self._dnsmasq is not None and not self._dnsmasq.alive:
                raise LabError(f"DHCP server ended at once: see {self._dnsmasq.log}")
            return _listening(self._namespace, 67, "udp")

        wait_until("DHCP server is up", up, 5)

    def kill(self) -> None:
        if self._dnsmasq is not None:
            self._dnsmasq.kill()


_SHORTEST = 120  # seconds; dnsmasq makes shorter leases that long


def _udhcpd_configuration(dhcp: Dhcp) -> str:
    """For node 1 only, with a lease as short as one likes."""
    return (f"interface br0\nstart {network.address(1)}\nend {network.address(1)}\nmin_lease 5\n"
            "lease_file /run/udhcpd.leases\npidfile /run/udhcpd.pid\n"
            f"static_lease {network.mac(1)} {network.address(1)}\noption lease {dhcp.lease_seconds}\n"
            f"option subnet 255.255.255.0\noption router {network.SERVER}\noption ntpsrv {network.SERVER}\n"
            "option hostname node1\n")


def _dnsmasq_configuration(dhcp: Dhcp, nodes: int, tftp_boot: str | None) -> str:
    lines = [
        "port=0", "interface=br0", "bind-interfaces", "no-resolv", "no-hosts", "no-ping", "user=root", "group=root",
        "leasefile-ro", "log-dhcp", "domain=lab.example",
        f"dhcp-range={network.address(1)},{network.address(200)},255.255.255.0,{dhcp.lease_seconds}",
        "dhcp-authoritative",
        f"dhcp-option=option:router,{network.SERVER}",
        f"dhcp-option=option:dns-server,{network.SERVER}",
    ]
    if dhcp.ntp:
        lines.append(f"dhcp-option=option:ntp-server,{network.SERVER}")
    for node in range(1, nodes + 1):
        name = f",node{node}" if dhcp.hostnames else ""
        lines.append(f"dhcp-host={network.mac(node)},{network.mac(node, 1)},{network.address(node)}{name}")
    lines += [f"dhcp-option={option}" for option in dhcp.options]
    if tftp_boot is not None:
        lines += ["enable-tftp", "tftp-root=/srv/tftp", f"dhcp-boot={tftp_boot}", "enable-ra",
                  "dhcp-range=fd09::,ra-only"]
    lines += dhcp.extra
    return "\n".join(lines) + "\n"


class TimeServer:
    """chronyd that answers with the host's time and never touches the host's clock."""

    def __init__(self, namespace: Namespace, directory: Path, allow: str = network.PREFIX) -> None:
        self._namespace = namespace
        self._configuration = directory / "chrony.conf"
        self._configuration.write_text(f"local stratum 8\nallow {allow}\ncmdport 0\n"
                                       "bindcmdaddress /\npidfile /run/chronyd.pid\n")

    def start(self) -> None:
        self._namespace.start("chronyd", "chronyd", "-n", "-x", "-u", "root", "-f", str(self._configuration))
        wait_until("time server is up", lambda: _listening(self._namespace, 123, "udp"), 5)
