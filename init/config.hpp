// BootConfig: what a node was told to do, after its kernel command line has been understood.
//
// A plain value: parse_boot_config (params.cpp) makes it, plan_boot (plan.cpp) turns it into steps, `disklessctl plan`
// prints it. Anything that the network may still tell is left empty here and is filled from the lease by the steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/net/address.hpp"
#include "common/nfs/version.hpp"
#include "common/os/clock.hpp"

namespace diskless {

/// An NFS directory: "server,server:/path" with the options that were given for it.
struct NfsSource {
    std::vector<Ipv4> servers;  // in the order given; empty: server of the lease
    std::string path;     // absolute, may hold one "%s" (hostname, else address); empty: root-path of the lease, or the
                          // kernel's default
    std::string options;  // the kernel's own NFS options as given ("rsize=1048576,nolock"), without ro, rw, vers
    NfsVersion version = NfsVersion::automatic;
    bool operator==(const NfsSource&) const = default;
};

enum class RootLayout {
    plain,    // the path is the root directory
    red_hat,  // NFSROOT=: the location that holds root/ and snapshot/, or the root directory itself
};

/// What a node may write besides what lists name: nothing, everything for good (a root of its own), everything until it
/// goes down (in memory).
enum class RootMode { read_only, writable, overlay };
/// As parameters and reports say it: "ro", "rw", "overlay".
std::string_view word(RootMode mode);

struct RootConfig {
    NfsSource source;
    RootLayout layout = RootLayout::plain;
    RootMode mode = RootMode::read_only;
    std::string image;  // file below the source's directory that holds the root, without a leading "/"; empty: none
    std::string overlay_size;  // of memory that an overlay may take, as of tmpfs(5): "2g", "25%"; empty: half
    bool from_lease = false;   // root=dhcp, NFSROOT= without a value, or no path at all
};

enum class SnapshotPolicy { wait, volatile_state, fail };

struct SnapshotConfig {
    bool wanted = true;  // false: diskless.snapshot=none
    NfsSource
        source;  // directory that holds <name>/; empty path: <root>/../snapshot (red_hat) or <root>/../../snapshots
    std::string name;  // SNAPSHOT= or diskless.snapshot.name=; empty: hostname, address, MAC in that order
    SnapshotPolicy policy = SnapshotPolicy::volatile_state;
};

enum class AddressMethod { none, fixed, dhcp, bootp, rarp, any };

/// One ip= (or its kin): which interface, and how it gets its address.
struct InterfaceConfig {
    std::string name;        // "eth0"; empty: any (boot_mac and boot_device say which is preferred)
    std::optional<Mac> mac;  // when the interface is chosen by hardware address
    AddressMethod method = AddressMethod::dhcp;
    bool bootp_too = false;  // "any", "both": every method the word stands for
    bool rarp_too = false;
    Ipv4 address;             // fixed only
    std::uint8_t prefix = 0;  // 0: classful
    Ipv4 gateway;
    Ipv4 server;  // second field of ip=: NFS server when nothing else names one
    std::string hostname;
    std::vector<Ipv4> dns, ntp;
    std::uint16_t mtu = 0;
    std::string client_id;  // ip=dhcp,<type>,<value>: type byte, then value; empty: hardware address
};

struct InterfaceName {
    std::string name;
    Mac mac;
};

struct NetworkConfig {
    std::vector<InterfaceConfig> interfaces;  // empty: any interface, DHCP
    std::optional<Mac> boot_mac;              // BOOTIF=
    std::string boot_device;                  // bootdev=, ETHERNET=, ksdevice=
    std::vector<InterfaceName> names;         // ifname=
    std::vector<Ipv4> dns;                    // nameserver=
    bool use_lease_dns = true;                // rd.peerdns=
    struct StaticRoute {
        Route route;
        std::string interface;
    };
    std::vector<StaticRoute> routes;  // rd.route=, and on-link routes to gateways outside their network: set them
                                      // before any default route
    std::string vendor_class;         // rd.net.dhcp.vendor-class=; empty: ours
    Milliseconds timeout{0};          // 0: for ever
};

struct TimeConfig {
    bool wanted = true;         // diskless.time=off: the clock is left as it is
    std::vector<Ipv4> servers;  // diskless.ntp=, ip= field 10
    Milliseconds timeout{2000};
    std::int64_t not_before = 0;  // seconds since 1970: the image's build time
};

/// One diskless.swap=.
struct SwapPlace {
    enum class Kind { zram, disk, snapshot_file };
    std::string text;  // as written
    Kind kind = Kind::zram;
    std::uint64_t bytes = 0;  // zram only: its size, or
    unsigned percent = 0;     // of the machine's memory
    std::string device;       // disk only: "LABEL=data", "UUID=…", "/dev/sda2"
    std::string file;         // on it, or in the snapshot; empty: the partition itself is swap
    bool operator==(const SwapPlace&) const = default;
};

/// Whether the network may switch the machine on again after a poweroff or halt.
enum class WakeOnLan { keep, on, off };  // keep: as firmware and driver have it

enum class OnFailure { wait, shell, reboot };

struct FailureConfig {
    OnFailure action = OnFailure::wait;
    Milliseconds reboot_after{0};  // reboot only: panic=N, diskless.onfail=reboot:N; 0: at once
};

/// Something on the command line that cannot be meant, or contradicts: the boot goes on without it.
struct ConfigWarning {
    std::string parameter;  // "ip=172.16.1.10:…" as written, safe for a terminal, shortened when very long
    std::string message;    // what is wrong with it and what is done instead
    std::string remedy;     // what the operator can write; empty when the message says all
    bool operator==(const ConfigWarning&) const = default;
};

struct BootConfig {
    RootConfig root;
    SnapshotConfig snapshot;
    NetworkConfig network;
    TimeConfig time;
    FailureConfig failure;
    std::vector<SwapPlace> swaps;             // diskless.swap=
    std::string hostname;                     // hostname=, systemd.hostname=, ip= field 5
    std::string domain;                       // after the first dot of it
    std::string nis_domain;                   // NISDOMAIN=, ip= field 5 after the first dot
    std::string machine_id;                   // systemd.machine_id=
    std::string init;                         // init=; empty: /sbin/init and friends; "self": we stay PID 1
    std::vector<std::string> init_arguments;  // what the kernel would have passed: "single", "3", words after "--"
    std::string rootflags;                    // as written; its options are in root.source.options already
    Milliseconds root_delay{0};               // rootdelay=
    Milliseconds shutdown_timeout{30'000};
    WakeOnLan wake_on_lan = WakeOnLan::keep;  // diskless.wol=
    Milliseconds watchdog{0};                 // diskless.watchdog=; 0: none
    Milliseconds root_loss{0};                // diskless.root-loss=; 0: a dead root is waited for
    bool lean_modules = true;                 // diskless.modules=
    bool verbose = false;                     // debug, rd.debug, diskless.debug
    bool quiet = false;
    std::vector<ConfigWarning> warnings;
};

/// Where a parameter came from: shown by `plan`, and the later one wins.
struct ConfigInput {
    std::string command_line;  // /proc/cmdline
    std::string defaults;      // parameters of the image's manifest; the command line overrides them
    std::int64_t built = 0;    // build time of the image, seconds since 1970
};

/// Understands every spelling in params.cpp. Never fails: what cannot be meant becomes a warning, and the rest boots.
BootConfig parse_boot_config(const ConfigInput& input);

/// The configuration as aligned lines for people ("root        10.9.0.1:/srv/root, read-only"), warnings last.
std::string describe(const BootConfig& config);

}  // namespace diskless
