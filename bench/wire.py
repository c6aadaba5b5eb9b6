"""What a node said and heard on its cable, from a capture: packets, bytes, and each RPC call by its kind.

Reads classic pcap files of Ethernet frames. A call's kind is "nfs3 LOOKUP", "mount EXPORT", "portmap GETPORT"; an NFSv4 compound
has the name of its first operation that is not about sessions and file handles.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

_NFS3 = ("NULL GETATTR SETATTR LOOKUP ACCESS READLINK READ WRITE CREATE MKDIR SYMLINK MKNOD REMOVE RMDIR RENAME LINK "
         "READDIR READDIRPLUS FSSTAT FSINFO PATHCONF COMMIT").split()  # RFC 1813, 3
_MOUNT = "NULL MNT DUMP UMNT UMNTALL EXPORT".split()
_PORTMAP = "NULL SET UNSET GETPORT DUMP CALLIT".split()
_NFS4 = {3: "ACCESS", 4: "CLOSE", 5: "COMMIT", 6: "CREATE", 8: "DELEGRETURN", 9: "GETATTR", 10: "GETFH", 11: "LINK",
         12: "LOCK", 15: "LOOKUP", 16: "LOOKUPP", 18: "OPEN", 20: "OPEN_CONFIRM", 22: "PUTFH", 23: "PUTPUBFH",
         24: "PUTROOTFH", 25: "READ", 26: "READDIR", 27: "READLINK", 28: "REMOVE", 29: "RENAME", 30: "RENEW", 31: "RESTOREFH",
         32: "SAVEFH", 33: "SECINFO", 34: "SETATTR", 35: "SETCLIENTID", 36: "SETCLIENTID_CONFIRM", 38: "WRITE",
         41: "BIND_CONN_TO_SESSION", 42: "EXCHANGE_ID", 43: "CREATE_SESSION", 44: "DESTROY_SESSION", 52: "SECINFO_NO_NAME",
         53: "SEQUENCE", 57: "DESTROY_CLIENTID", 58: "RECLAIM_COMPLETE", 63: "GETXATTR", 68: "READ_PLUS"}  # RFC 7531, 7863
_ACL = "NULL GETACL SETACL GETATTR ACCESS".split()
_PROGRAMS = {100000: "portmap", 100003: "nfs", 100005: "mount", 100024: "status", 100021: "nlm", 100227: "acl"}
_END = b"real init"  # the marker's datagram


@dataclass
class Traffic:
    packets: int = 0  # without IPv6: what the kernel says there by itself depends on time only
    bytes: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    protocols: Counter[str] = field(default_factory=Counter)
    packets_after: int = 0  # since the real init has begun
    calls_after: Counter[str] = field(default_factory=Counter)
    complete: bool = False  # the real init's datagram was seen

    @property
    def nfs_calls(self) -> int:
        return sum(count for kind, count in self.calls.items() if kind.startswith("nfs"))


def frames(capture: Path) -> Iterator[bytes]:
    data = capture.read_bytes()
    if len(data) < 24:
        return
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    position = 24
    while position + 16 <= len(data):
        length = struct.unpack_from(order + "I", data, position + 8)[0]
        yield data[position + 16:position + 16 + length]
        position += 16 + length


class Stream:
    """One direction of a TCP connection, put in order."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._early: dict[int, bytes] = {}
        self._data = b""

    def add(self, sequence: int, syn: bool, payload: bytes) -> Iterator[bytes]:
        """Whole RPC records (RFC 5531, 11); fragments are joined."""
        if syn:
            self._next, self._data = (sequence + 1) & 0xFFFFFFFF, b""
            self._early.clear()
            return
        if self._next is None or not payload:
            return
        self._early.setdefault(sequence, payload)
        while self._next in self._early:
            payload = self._early.pop(self._next)
            self._data += payload
            self._next = (self._next + len(payload)) & 0xFFFFFFFF
        record, position = b"", 0
        while position + 4 <= len(self._data):
            mark = struct.unpack_from(">I", self._data, position)[0]
            end = position + 4 + (mark & 0x7FFFFFFF)
            if end > len(self._data):
                break
            record += self._data[position + 4:end]
            position = end
            if mark & 0x80000000:
                yield record
                record, self._data, position = b"", self._data[position:], 0


def _word(data: bytes, position: int) -> int:
    return int(struct.unpack_from(">I", data, position)[0])


def _opaque_end(data: bytes, position: int) -> int:
    return position + 4 + (_word(data, position) + 3 & ~3)


def kind_of(record: bytes) -> str | None:
    """What is called; None when it is a reply or no RPC at all."""
    try:
        if _word(record, 4) != 0 or _word(record, 8) != 2:
            return None
        program, version, procedure = (_word(record, offset) for offset in (12, 16, 20))
        name = _PROGRAMS.get(program, f"program {program}")
        if program == 100003 and version == 4:
            return f"nfs4 {_compound(record)}" if procedure == 1 else "nfs4 NULL"
        if program == 100003:
            return f"nfs{version} {_NFS3[procedure]}"
        words = {100005: _MOUNT, 100227: _ACL, 100000: _PORTMAP if version == 2 else []}.get(program, [])
        return f"{name} {words[procedure] if procedure < len(words) else procedure}"
    except (struct.error, IndexError):
        return "undecoded"


def _compound(record: bytes) -> str:
    position = _opaque_end(record, 24 + 4)  # credentials: flavour, body
    position = _opaque_end(record, position + 4)  # verifier
    position = _opaque_end(record, position)  # tag
    count = _word(record, position + 4)
    position += 8
    name = "empty"
    for _ in range(count):
        operation = _word(record, position)
        name = _NFS4.get(operation, f"operation {operation}")
        position += 4
        if operation == 53:  # SEQUENCE
            position += 16 + 16
        elif operation == 22:  # PUTFH
            position = _opaque_end(record, position)
        elif operation not in (24, 32):  # PUTROOTFH, SAVEFH
            break
    return name


def read(capture: Path, mac: str) -> Traffic:
    """All frames from or to `mac`."""
    traffic, streams = Traffic(), {}
    own = bytes.fromhex(mac.replace(":", ""))
    for frame in frames(capture):
        outward = frame[6:12] == own
        if not outward and frame[:6] != own and not frame[0] & 1:
            continue
        kinds, protocol = _decode(frame, outward, streams)
        if traffic.complete:
            traffic.packets_after += protocol != "ipv6"
            traffic.calls_after.update(kinds)
            continue
        if protocol == "end":
            traffic.complete = True
            continue
        traffic.protocols[protocol] += 1
        if protocol != "ipv6":
            traffic.packets += 1
            traffic.bytes += len(frame)
            traffic.calls.update(kinds)
    return traffic


def _decode(frame: bytes, outward: bool, streams: dict[tuple[bytes, int, int], Stream]) -> tuple[list[str], str]:
    kind = struct.unpack_from(">H", frame, 12)[0]
    if kind != 0x0800:
        return [], {0x0806: "arp", 0x86DD: "ipv6"}.get(kind, "other")
    header = (frame[14] & 15) * 4
    ip = frame[14:14 + struct.unpack_from(">H", frame, 16)[0]]
    segment = ip[header:]
    source, target = struct.unpack_from(">HH", segment, 0)
    if ip[9] == 17:
        if outward and target == 9 and segment[8:] == _END:
            return [], "end"
        called = kind_of(segment[8:]) if outward and 123 not in (source, target) and target not in (67, 68) else None
        name = {67: "dhcp", 68: "dhcp", 123: "ntp", 111: "portmap"}.get(target if outward else source, "udp")
        return [called] if called else [], name
    if ip[9] != 6:
        return [], "icmp" if ip[9] == 1 else "ip"
    if not outward:
        return [], "tcp"
    offset = (segment[12] >> 4) * 4
    stream = streams.setdefault((ip[16:20], source, target), Stream())
    records = stream.add(_word(segment, 4), bool(segment[13] & 2), segment[offset:])
    return [called for called in map(kind_of, records) if called], "tcp"
