"""The node at run time: its lease, its agent, its servers that come and go."""

from __future__ import annotations

from case import CTL, FROM, LOUD, SNAPSHOT, UP, Case, goes_down
from server import Dhcp
from steps import (Console, GoesDown, HoldsAddress, KillNfs, Login, OnServer, PowerOn, Report, Shell, StartNfs,
                   Type)


def to_agents(signal: str, *names: str) -> str:
    """Shell words that send the signal to the processes of these names (comm); without a program a process."""
    return (f"for p in /proc/[0-9]*; do c=; {{ read -r c <$p/comm; }} 2>/dev/null; case $c in {'|'.join(names)}) "
            f"kill -{signal} ${{p#/proc/}};; esac; done")


CASES: tuple[Case, ...] = (
    # A lease that is too short to be lost once, and programs of the root that would like to have the interface.
    Case("lease-held", "a lease of 20 s for a minute, with systemd-networkd told to take all interfaces",
         FROM + " ip=dhcp",
         (PowerOn(), Login(120), Shell("systemctl is-active systemd-networkd", "^active$"),
          Shell("networkctl reload; networkctl renew eth0; networkctl reconfigure eth0", ""), HoldsAddress(60),
          *goes_down()), root="debian-networkd", dhcp=Dhcp(lease_seconds=20), waits=True),
    *(Case(f"lease-held-{flavour}", f"a lease of 20 s for ten minutes, with {flavour}", FROM + " ip=dhcp",
           (PowerOn(), Login(120), Shell(provoke, ""), HoldsAddress(600), *goes_down()),
           root=f"debian-{flavour}", dhcp=Dhcp(lease_seconds=20), slow=True)
      for flavour, provoke in (("networkd", "networkctl renew eth0; networkctl reconfigure eth0"),
                               ("networkmanager", "systemctl is-active NetworkManager; nmcli device connect eth0"),
                               ("ifupdown", "ifdown eth0; ifup eth0"))),
    Case("agent-killed", "agent and guardian were killed at once: disklessctl takes the node down by itself",
         FROM + " ip=dhcp",
         (*UP, Shell(to_agents("STOP", "diskless-agent", "diskless-guard")),
          Shell(to_agents("KILL", "diskless-agent", "diskless-guard")),
          Shell(f"{CTL} status", "not answering"), *goes_down())),
    Case("agent-restarted", "the agent is killed every second for 20 s, then its guardian: all goes on as before",
         FROM + " ip=dhcp",
         (*UP, Shell(f"for i in $(seq 20); do {to_agents('KILL', 'diskless-agent')}; sleep 1; done", None, 90),
          Shell(f"{CTL} status", r"agent +running, started again (19|20|21) times"), Shell(f"{CTL} check"),
          Shell("for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in diskless-agent|diskless-guard) "
                "cat $p/smaps_rollup;; esac; done | awk '/^Pss:/ {s += $2} END {print s}'", "^[12]?[0-9]{1,3}$"),
          Shell(to_agents("KILL", "diskless-guard")), Shell("sleep 5; for p in /proc/[0-9]*; do cat $p/comm; done",
                                                            "^diskless-guard", 20),
          Shell(f"{CTL} log", "its guardian is gone, taking its place"),
          Shell(f"for i in $(seq 120); do {CTL} metrics | grep -q 'lease_renewals_total [1-9]' && echo renewed && "
                "break; sleep 1; done", "^renewed", 150),
          Shell("ip addr show dev eth0", "10[.]9[.]0[.]11/24"), *goes_down()), dhcp=Dhcp(lease_seconds=120),
         waits=True),
    Case("agent-restarted-minute", "the agent is killed every second for a minute while files are written, none wrongly",
         FROM + " ip=dhcp",
         (*UP, Shell("(i=0; while :; do i=$((i + 1)); head -c 20000 /dev/urandom >/var/log/w; sha256sum </var/log/w >/tmp/w; "
                     "sync; sha256sum </var/log/w | cmp - /tmp/w && echo $i >/tmp/good || echo $i >>/tmp/bad; sleep 0.2; "
                     "done) >/dev/null 2>&1 &"),
          Shell(f"for i in $(seq 60); do {to_agents('KILL', 'diskless-agent')}; sleep 1; done", None, 240),
          Shell(f"{CTL} status", r"agent +running, started again (59|60|61) times"), Shell(f"{CTL} check"),
          Shell("ls /tmp/bad", "No such file"), Shell("test $(cat /tmp/good) -ge 30"),
          Shell("ip addr show dev eth0", "10[.]9[.]0[.]11/24"), *goes_down()), slow=True, waits=True),
    Case("server-restarted", "the NFS server restarts under load: the node goes on, and told what it saw",
         FROM + " ip=dhcp",
         (*UP, Shell("(while :; do date >>/var/log/load; sleep 0.2; done) &"),
          Shell("sleep 1; cat /var/log/load", ":"), LOUD, KillNfs(), Console("root server is unreachable: 10.9.0.1", 40),
          Shell(f"{CTL} status", "server unreachable for"), StartNfs(),
          Console("root server 10[.]9[.]0[.]1 is well again", 90),
          Shell("ls -l /bin/busybox; n=$(wc -l </var/log/load); sleep 2; test $(wc -l </var/log/load) -gt $n", None, 60),
          Shell(f"{CTL} metrics", r'server_outages_total[{]server="root"[}] 1'),
          Shell(f"{CTL} check"), *goes_down()), waits=True),
    Case("root-lost", "a root that stays away is not waited for for ever, when so told",
         FROM + " ip=dhcp diskless.root-loss=20",
         (*UP, LOUD, KillNfs(), Console("rebooting because the root is gone", 60), GoesDown(45)), waits=True),
    Case("watchdog", "a node whose agent hangs is reset by the watchdog; being killed is no reason",
         FROM + " ip=dhcp diskless.watchdog=10",
         (PowerOn(), Login(90), LOUD, Shell("modprobe softdog"),
          Console("watchdog resets the node when it is not fed for 10 s", 30),
          Shell(to_agents("KILL", "diskless-agent")), Shell(f"sleep 20; {CTL} status", "watchdog +fed", 40),
          Shell(to_agents("STOP", "diskless-agent", "diskless-guard")), GoesDown(30)), root="debian",
         waits=True),
    Case("watchdog-slow-stop", "a service that takes longer to stop than the watchdog waits: systemctl reboot is not cut short",
         FROM + " ip=dhcp diskless.watchdog=10 diskless.shutdown.timeout=90",
         (PowerOn(), Login(90), LOUD, Shell("modprobe softdog"),
          Console("watchdog resets the node when it is not fed for 10 s", 30),
          Shell("systemd-run --unit slow -p ExecStop='/bin/sleep 20' -p TimeoutStopSec=40 sleep 1000", None, 20),
          Type("systemctl reboot"), GoesDown(90), PowerOn(), Login(90), Report("last_shutdown.outcome", "^clean$"),
          *goes_down()), root="debian",
         waits=True),
    Case("agent-stopped", "an agent that hangs is started again by its guardian, before the watchdog bites",
         FROM + " ip=dhcp diskless.watchdog=15",
         (PowerOn(), Login(90), LOUD, Shell("modprobe softdog"),
          Console("watchdog resets the node when it is not fed for 15 s", 30),
          # not waited for: on a busy machine the guardian may be quicker than this loop
          Type(to_agents("STOP", "diskless-agent")), Console("gives no sign of life, killing it", 30),
          Shell(f"sleep 20; {CTL} status", r"agent +running, started again 1 times", 40), *goes_down()), root="debian",
         waits=True),
    Case("reload", "a list that was changed on a running node", FROM + " ip=dhcp",
         (*UP, Shell("touch /opt/data", "Read-only"), Shell(f"{CTL} reload", "^nothing has changed"),
          Shell("echo /opt/data >/run/diskless/snapshot/files.custom"),
          Shell(f"{CTL} reload", r"^[+] persistent /opt/data"), Shell("echo mine >/opt/data"),
          OnServer(f"{SNAPSHOT}/opt/data", "^mine"), Shell(f"{CTL} state", "/opt/data"), Shell(f"{CTL} check"),
          *goes_down()), root_files={"opt/data": "of the image"}),
    *(Case(f"init-told-{name}", f"a reboot that only {name} knows of is no unclean end", FROM + " ip=dhcp",
           (PowerOn(), Login(120), Type("reboot"), GoesDown(60), PowerOn(), Login(120),
            Report("last_shutdown.outcome", "^init$"), *goes_down()), root=root)
      for name, root in (("busybox", "busybox"), ("sysvinit", "debian-sysvinit"))),
)
