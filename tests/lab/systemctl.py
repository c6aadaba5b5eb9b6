#!/usr/bin/python3
"""systemctl on the server of a recipe: starts the real servers of the units that recipes name, on the files where these
servers look for them.

The kernel's NFS server is one for the whole machine, so NFS-Ganesha stands for it; it gets what /etc/exports says.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

RUN = Path("/run/lab")
INTERFACE = "br0"


def tftp_directory() -> str:
    """Of Debian's /etc/default/tftpd-hpa, /etc/default/tftp-hpa of older ones, or inetd.conf's custom."""
    for file in (Path("/etc/default/tftpd-hpa"), Path("/etc/default/tftp-hpa")):
        found = file.exists() and re.search(r"""^(?:TFTP_DIRECTORY="|OPTIONS *= *['"].*-s )([^'"]+)""",
                                            file.read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return "/srv/tftp" if Path("/srv/tftp").exists() else "/tftpboot"


def address_of(client: str) -> str:
    """Ganesha looks names up by DNS; exportfs does by /etc/hosts, too."""
    if re.fullmatch(r"[\d./]+|\*", client):
        return client
    for line in Path("/etc/hosts").read_text().splitlines():
        words = line.split("#")[0].split()
        if client in words[1:]:
            return words[0]
    return client


def ganesha_configuration(exports: str) -> str:
    text = """
        NFS_CORE_PARAM { Protocols = 3, 4; NFS_Port = 2049; MNT_Port = 20048; Bind_addr = 0.0.0.0;
                         Enable_NLM = false; Enable_RQUOTA = false; }
        NFSV4 { Graceless = true; RecoveryBackend = fs; Minor_Versions = 0, 1, 2; Only_Numeric_Owners = true; }
        EXPORT_DEFAULTS { SecType = sys; Transports = TCP, UDP; Protocols = 3, 4; Access_Type = None; }
        """
    lines = [line.split("#")[0].split() for line in exports.replace("\\\n", " ").splitlines()]
    for number, (path, *clients) in enumerate((words for words in lines if words), 1):
        blocks = ""
        for client in clients:
            who, options = re.fullmatch(r"([^(]*)(?:\((.*)\))?", client).groups()
            wanted = (options or "").split(",")
            blocks += (f"CLIENT {{ Clients = {address_of(who or '*')};"
                       f" Access_Type = {'RW' if 'rw' in wanted else 'RO'};"
                       f" Squash = {'No_Root_Squash' if 'no_root_squash' in wanted else 'Root_Squash'}; }}\n")
        text += (f"EXPORT {{ Export_Id = {number}; Path = {path}; Pseudo = {path}; FSAL {{ Name = VFS; }}\n{blocks}}}\n")
    return text


def nfs_server() -> list[str]:
    configuration = RUN / "ganesha.conf"
    configuration.write_text(ganesha_configuration(Path("/etc/exports").read_text()))
    return ["ganesha.nfsd", "-F", "-f", str(configuration), "-L", "/dev/stdout", "-p", str(RUN / "ganesha"), "-N",
            "NIV_EVENT"]


def tftp_server() -> list[str]:
    return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", f"--interface={INTERFACE}",
            "--bind-interfaces", "--enable-tftp", f"--tftp-root={tftp_directory()}", "--user=root", "--group=root",
            "--leasefile-ro", "--log-facility=-"]


def dhcp_server() -> list[str]:
    old = Path("/etc/dhcpd.conf")
    configuration = old if old.exists() else Path("/etc/dhcp/dhcpd.conf")
    return ["dhcpd", "-4", "-f", "-d", "-cf", str(configuration), INTERFACE]


# Unit: its command, and where it is seen that it is up.
UNITS = {
    "isc-dhcp-server": (dhcp_server, "udp 67"),
    "tftpd-hpa": (tftp_server, "udp 69"),
    "nfs-kernel-server": (nfs_server, "tcp 2049"),
    "bootpd": (lambda: ["bootpd", "-s", "-d4"], "udp 67"),
    "rarpd": (lambda: ["rarpd", "-de", INTERFACE], "frames 8035"),
}


def is_up(ready: str) -> bool:
    kind, which = ready.split()
    if kind == "frames":
        return any(line.split()[3] == which for line in Path("/proc/net/packet").read_text().splitlines()[1:])
    lines = subprocess.run(["ss", "-Hln", f"-{kind[0]}"], capture_output=True, text=True, check=True).stdout
    return any(line.split()[3].endswith(f":{which}") for line in lines.splitlines())


def stop(unit: str) -> None:
    note = RUN / f"{unit}.pid"
    if note.exists():
        pid = int(note.read_text())
        note.unlink()
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        # Nobody reaps it where its parent is gone: it is over when its port is.
        while is_up(UNITS[unit][1]):
            time.sleep(0.02)


def start(unit: str, logs: Path) -> None:
    command, ready = UNITS[unit]
    with open(logs / f"{unit}.log", "ab") as log:
        server = subprocess.Popen(command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    (RUN / f"{unit}.pid").write_text(str(server.pid))
    deadline = time.monotonic() + 20
    while not is_up(ready):
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{unit} did not start: see {logs}/{unit}.log")
        time.sleep(0.05)


def main() -> None:
    verb, *units = sys.argv[1:]
    if verb not in ("start", "restart", "stop", "reload") or not units:
        sys.exit(f"systemctl {' '.join(sys.argv[1:])}: the laboratory does not know this")
    RUN.mkdir(exist_ok=True)
    for unit in units:
        if unit not in UNITS:
            sys.exit(f"systemctl: the laboratory has no {unit}; there are {', '.join(UNITS)}")
        stop(unit)
        if verb != "stop":
            start(unit, Path(os.environ["DISKLESS_LAB_LOGS"]))


if __name__ == "__main__":
    main()
