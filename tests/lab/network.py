"""Cables and switches between the servers and the nodes.

    br0   10.9.0.1/24   the servers' network; a node's first interface is plugged in here
    br1   no address    a network without any server, for nodes with two interfaces
"""

from __future__ import annotations

from pathlib import Path

from namespace import Namespace, Process

SERVER = "10.9.0.1"
DEAD_SERVER = "10.9.0.9"  # nobody has this address
PREFIX = "10.9.0.0/24"


def mac(node: int, interface: int = 0) -> str:
    return f"52:54:00:09:{interface:02x}:{node:02x}"


def address(node: int) -> str:
    return f"10.9.0.{10 + node}"


class Network:
    def __init__(self, namespace: Namespace, server: str = f"{SERVER}/24") -> None:
        self._namespace = namespace
        ip = self._ip
        ip("link", "add", "br0", "type", "bridge", "forward_delay", "0")
        ip("link", "add", "br1", "type", "bridge", "forward_delay", "0")
        ip("address", "add", server, "dev", "br0")
        ip("link", "set", "br0", "up")
        ip("link", "set", "br1", "up")

    def _ip(self, *argv: str) -> None:
        self._namespace.run("ip", *argv)

    def plug(self, tap: str, bridge: str) -> None:
        """Makes the tap of a node's interface and plugs it into a bridge."""
        self._ip("tuntap", "add", tap, "mode", "tap")
        self._ip("link", "set", tap, "master", bridge, "up")

    def unplug(self, tap: str) -> None:
        self._ip("link", "delete", tap)

    def cut(self, tap: str) -> None:
        """Every packet of this cable is lost from now on; neither end is told."""
        self._ip("link", "set", tap, "down")

    def restore(self, tap: str) -> None:
        self._ip("link", "set", tap, "up")

    def announce_ipv6(self) -> None:
        """An IPv6 address for router advertisements: iPXE waits 13 s for one when there is none."""
        self._ip("address", "add", "fd09::1/64", "dev", "br0", "nodad")

    def lose(self, one_in: int) -> None:
        """Loses one frame in so many: of ARP, UDP, TCP's SYN and TCP with data each, in each direction, from the first on.

        Counted, not drawn: what is sent again after a silence, by DHCP, ARP or TCP, is the next frame of its kind and gets
        through. Of three attempts at a question and its answer, after which DHCP and ARP give up, one at least succeeds;
        TCP, which doubles its wait with every such loss in a row, has one at most in each direction. In the middle of a
        stream, with other frames between, the same data can be lost more often, but there acknowledgements tell at once.

        Bare acknowledgements get through. Where one is lost, TCP has to wait, takes its waiting for the time that an answer
        takes, and waits longer the next time: seconds, then minutes, when the server's is cubic.

        IPv6, which nobody needs here, is let through and not counted: a router solicitation between a frame and the next
        attempt at it would move that on to a place where frames are lost.

        The server sends frame by frame. Else it hands up to 64 KiB of TCP to the bridge in one piece, and they are lost as
        one, with no acknowledgement behind them that would tell.
        """
        kinds = ("ether type arp", "ip protocol udp", "tcp flags syn", "ip protocol tcp ip length > 90")
        each = " ".join(f"{kind} numgen inc mod {one_in} == 0 counter drop;" for kind in kinds)
        self._ip("link", "set", "br0", "gso_max_segs", "1")
        self._namespace.run("nft", "-f", "-", stdin=f"""
            table bridge loss {{
                chain to_server   {{ type filter hook input priority 0; {each} }}
                chain from_server {{ type filter hook output priority 0; {each} }}
            }}""")

    def lost(self) -> str:
        """What the counters of lose() say."""
        return self._namespace.run("nft", "list", "table", "bridge", "loss")

    def capture(self, file: Path) -> Process:
        """Writes every packet of br0 to a pcap file."""
        return self._namespace.start("tcpdump", "tcpdump", "-i", "br0", "-U", "-s", "256", "-Z", "root",
                                     "-w", str(file))
