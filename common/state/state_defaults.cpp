// What systemd-based Debian and Red Hat style roots write to, as few copied bytes as possible: directories whose files
// make themselves are seeded with their directories only. That also keeps the image's own random seed, DHCP leases and
// logs from every node. Left read-only on purpose: /var/lib/dpkg, /var/lib/rpm, /var/lib/apt (packages belong to the
// image), /root and /home (their size is unknown; a list names them when they shall be the node's own).
#include "common/state/state_plan.hpp"

namespace diskless {

const std::vector<DefaultEntry>& state_defaults() {
    using enum StateKind;
    using enum DefaultEntry::When;
    constexpr auto kTree = CopyWhat::directories;
    constexpr auto kAll = CopyWhat::everything;
    static const std::vector<DefaultEntry> kDefaults{
        {"/tmp", volatile_empty, kAll, always, "sticky directory for everybody; systemd's tmp.mount may cover it"},
        {"/var/tmp", volatile_empty, kAll, always, "systemd's PrivateTmp needs it"},
        {"/var/run", volatile_tree, kAll, always, "a real directory before 2012; a symlink to /run is left alone"},
        {"/var/lock", volatile_tree, kAll, always, "a real directory before 2012"},
        {"/var/cache", volatile_tree, kAll, always, "programs fill it again; CacheDirectory= of services"},
        {"/var/crash", volatile_empty, kAll, always, "kdump, apport"},
        {"/var/db", volatile_tree, kAll, always, "nscd, sudo time stamps (Red Hat)"},

        {"/var/log", persistent, kTree, always, "journal, wtmp, btmp, lastlog: the node's story survives a reboot"},
        {"/var/spool", persistent, kAll, always, "cron tables, queued mail, slurmd: work that must not be lost"},
        {"/var/mail", persistent, kTree, always, "mailboxes (Debian)"},
        {"/var/account", persistent, kTree, always, "process accounting"},
        {"/var/lib/systemd", persistent, kTree, always,
         "random seed, timer stamps, linger, rfkill, backlight, coredumps"},
        {"/var/lib/private", persistent, kTree, always, "StateDirectory= of services with DynamicUser="},
        {"/var/lib/dbus", volatile_empty, kAll, always, "machine-id: systemd-tmpfiles links it to the node's own"},
        {"/var/lib/random-seed", persistent, kAll, always, "entropy over a reboot (sysvinit, Red Hat)"},
        {"/var/lib/urandom", persistent, kTree, always, "entropy over a reboot (sysvinit, Debian)"},
        {"/var/lib/dhcp", persistent, kTree, always, "leases of further interfaces (Debian)"},
        {"/var/lib/dhclient", persistent, kTree, always, "leases of further interfaces (Red Hat)"},
        {"/var/lib/dhcpcd", persistent, kTree, always, "leases of further interfaces"},
        {"/var/lib/NetworkManager", persistent, kTree, always, "secret key, seen connections, leases"},
        {"/var/lib/chrony", persistent, kTree, always, "clock drift"},
        {"/var/lib/ntp", persistent, kTree, always, "clock drift"},
        {"/var/lib/ntpsec", persistent, kTree, always, "clock drift"},
        {"/var/lib/nfs", persistent, kAll, always, "statd's list of peers, rpc_pipefs mount point"},
        {"/var/lib/logrotate", persistent, kTree, always, "when logs were rotated"},
        {"/var/lib/logrotate.status", persistent, kAll, always, "when logs were rotated (before 2017)"},
        {"/var/lib/rsyslog", persistent, kTree, always, "read positions, queues"},
        {"/var/lib/munge", persistent, kTree, always, "seed of the munge daemon"},
        {"/var/lib/sss", persistent, kAll, always, "caches of users; its layout must be complete"},
        {"/var/lib/postfix", persistent, kTree, always, "master.lock, address verification"},
        {"/var/lib/sudo", volatile_tree, kAll, always, "time stamps and lectures"},
        {"/var/lib/xkb", volatile_empty, kAll, always, "compiled keyboard maps"},

        {"/etc/machine-id", persistent, kAll, if_generated, "stable identity: made once, kept in the snapshot"},
        {"/etc/ssh/ssh_host_*", persistent, kAll, if_generated, "host keys: made once, never the image's"},
        {"/etc/adjtime", persistent, kAll, if_generated, "drift of the hardware clock"},
        {"/etc/ssh", volatile_copy, kAll, if_unmountable, "room for host keys in an image that has none"},
    };
    return kDefaults;
}

}  // namespace diskless
