// The kernel parameters of a node: one row each. The order is that of the manual, docs/diskless.7.
#include "init/params.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "common/base/text.hpp"
#include "init/boot.hpp"

namespace diskless {

namespace {

constexpr std::size_t kMaxWarnings = 64;
constexpr std::size_t kMaxList = 16;  // nameservers, routes, names: more is a mistake
constexpr Milliseconds kRebootAfter{60'000};

// ---- Values ---------------------------------------------------------------------------------------------------------

bool is_on(const Word& word) {
    const auto value = lower(word.argument());
    return value != "0" && value != "no" && value != "off" && value != "false";
}

std::optional<Milliseconds> read_duration(Reading& reading, const Word& word) {
    if (const auto value = parse_milliseconds(word.argument())) return Milliseconds(*value);
    reading.warn(word, "is no time: ignored", "write seconds, or a number with ms, s, m or h");
    return std::nullopt;
}

std::optional<Ipv4> read_address(Reading& reading, const Word& word, std::string_view text) {
    if (const auto address = Ipv4::parse(text); address && address->is_set()) return address;
    const bool ipv6 = text.find(':') != std::string_view::npos;
    reading.warn(word,
                 fmt::format("{}: \"{}\" is ignored", ipv6 ? "IPv6 is not supported yet" : "this is no address",
                             printable(text)),
                 "give an IPv4 address");
    return std::nullopt;
}

void read_addresses(Reading& reading, const Word& word, std::vector<Ipv4>& into) {
    for (const auto text : split(word.argument(), ',')) {
        if (into.size() >= kMaxList) break;
        if (const auto address = read_address(reading, word, text)) into.push_back(*address);
    }
}

void read_device(Reading& reading, const Word& word) {
    if (is_interface_name(word.argument()))
        reading.config.network.boot_device = word.argument();
    else
        reading.warn(word, "names no interface: every interface is tried", "write its name, as eth0");
}

void read_name(Reading& reading, const Word& word, std::string& into, bool (*is_good)(std::string_view),
               std::string_view otherwise) {
    if (is_good(word.argument()))
        into = word.argument();
    else
        reading.warn(word, fmt::format("has a value that is not possible: {}", otherwise),
                     "letters, digits, dashes, underscores and dots are possible");
}

void offer_failure(Reading& reading, FailureConfig failure, int among) {
    reading.failure.offer(failure, reading.rank(among));
}

// ---- Handlers of more than a line -----------------------------------------------------------------------------------

void read_onfail(Reading& reading, const Word& word) {
    const auto value = word.argument();
    const auto colon = value.find(':');
    const auto action = value.substr(0, colon);
    FailureConfig failure;
    if (action == "shell")
        failure.action = OnFailure::shell;
    else if (action == "reboot")
        failure = {OnFailure::reboot, kRebootAfter};
    else if (action != "wait")
        return reading.warn(word, "is not possible: ignored", "values are wait, shell, reboot, reboot:<seconds>");
    if (colon != std::string_view::npos) {
        const auto after = parse_milliseconds(value.substr(colon + 1));
        if (!after || action != "reboot")
            reading.warn(word, "has a time that is not possible: ignored", "only reboot:<seconds> takes a time");
        else
            failure.reboot_after = Milliseconds(*after);
    }
    offer_failure(reading, failure, 2);
}

// Kernel: seconds until a reboot after a panic, 0 waits for ever, negative reboots at once. initramfs-tools: the same
// for a boot that fails.
void read_panic(Reading& reading, const Word& word) {
    const auto seconds = parse_number<int>(word.argument());
    if (!seconds) return reading.warn(word, "is no number of seconds: ignored", "write panic=60");
    if (*seconds == 0) return offer_failure(reading, {}, 0);
    offer_failure(reading, {OnFailure::reboot, Milliseconds(std::max(*seconds, 0) * 1000LL)}, 0);
}

void read_rd_emergency(Reading& reading, const Word& word) {
    if (word.argument() == "reboot") return offer_failure(reading, {OnFailure::reboot, kRebootAfter}, 1);
    reading.warn(word, "is not supported: a failed boot waits and tries again",
                 "write diskless.onfail=wait, shell or reboot");
}

void read_mode(Reading& reading, const Word& word) {
    const auto value = word.argument();
    const auto offer = [&](RootMode mode) { reading.root_mode.offer(mode, reading.rank(3)); };
    if (value == "ro") return offer(RootMode::read_only);
    if (value == "rw") return offer(RootMode::writable);
    if (value == "overlay") return offer(RootMode::overlay);
    reading.warn(word, "is not possible: ignored", "values are ro, rw, overlay; a root that is one file: diskless.image=FILE");
}

/// As of tmpfs(5), size=.
void set_overlay_size(Reading& reading, const Word& word, std::string_view value) {
    const auto unit = value.empty() ? ' ' : value.back();
    const bool has_unit = std::string_view("%kKmMgG").find(unit) != std::string_view::npos;
    const auto number = parse_number<std::uint32_t>(value.substr(0, value.size() - (has_unit ? 1 : 0)));
    if (!number || *number == 0 || (unit == '%' && *number > 100))
        return reading.warn(word, "is no size: ignored", "write 512m, 2g or 25%");
    reading.config.root.overlay_size = value;
}

void read_overlay_size(Reading& reading, const Word& word) { set_overlay_size(reading, word, word.argument()); }

// dracut: rd.overlay, rd.overlay=1, rd.overlay=tmpfs:size=2g. Ubuntu's overlayroot: tmpfs, tmpfs:recurse=0, disabled.
// Both can keep what is written on a local disk, too.
void read_foreign_overlay(Reading& reading, const Word& word) {
    const auto value = word.argument();
    if (value == "0" || value == "no" || value == "off" || value == "disabled") return;
    if (word.name == "overlayroot" && value.empty()) return;  // Ubuntu's own way to say disabled
    reading.root_mode.offer(RootMode::overlay, reading.rank(2));
    const bool plain = value.empty() || value == "1" || value == "yes" || value == "on";
    if (!plain && !value.starts_with("tmpfs"))
        reading.warn(word, "what is written stays in memory until the node goes down: no disk is used",
                     "list what the node must keep in its snapshot's files");
    if (const auto size = value.find("size="); size != value.npos)
        set_overlay_size(reading, word, value.substr(size + 5, value.find_first_of(",:", size) - size - 5));
}

/// Whole seconds from `least` to a day into `into`; the word `none` is 0.
void read_limit(Reading& reading, const Word& word, std::string_view none, Seconds least, Milliseconds& into) {
    constexpr Seconds kDay{86'400};
    const auto time = parse_milliseconds(word.argument());
    if (word.argument() == none)
        into = Milliseconds{0};
    else if (time && Milliseconds(*time) >= least && Milliseconds(*time) <= kDay)
        into = Milliseconds(*time);
    else
        reading.warn(word, "is not possible: ignored",
                     fmt::format("write {} to 86400 seconds, or {}", least.count(), none));
}

void read_wake_on_lan(Reading& reading, const Word& word) {
    auto& wake = reading.config.wake_on_lan;
    const auto value = word.argument();
    if (value == "on")
        wake = WakeOnLan::on;
    else if (value == "off")
        wake = WakeOnLan::off;
    else if (value == "keep")
        wake = WakeOnLan::keep;
    else
        reading.warn(word, "is not possible: ignored", "values are on, keep, off");
}

void read_modules(Reading& reading, const Word& word) {
    const auto value = word.argument();
    if (value == "lean" || value == "whole")
        reading.config.lean_modules = value == "lean";
    else
        reading.warn(word, "is not possible: ignored", "values are lean, whole");
}

void read_policy(Reading& reading, const Word& word) {
    auto& policy = reading.config.snapshot.policy;
    const auto value = word.argument();
    if (value == "wait")
        policy = SnapshotPolicy::wait;
    else if (value == "volatile")
        policy = SnapshotPolicy::volatile_state;
    else if (value == "fail")
        policy = SnapshotPolicy::fail;
    else
        reading.warn(word, "is not possible: ignored", "values are wait, volatile, fail");
}

void read_bootif(Reading& reading, const Word& word) {
    if (const auto mac = Mac::parse(word.argument()))
        reading.config.network.boot_mac = mac;
    else
        reading.warn(word, "is no hardware address: every interface is tried", "write BOOTIF=01-aa-bb-cc-dd-ee-ff");
}

// anaconda: a name, a hardware address, or how to choose
void read_ksdevice(Reading& reading, const Word& word) {
    const auto value = word.argument();
    if (value == "bootif" || value == "link" || value == "ibft") return;  // what we do unasked
    if (const auto mac = Mac::parse(value))
        reading.config.network.boot_mac = mac;
    else
        read_device(reading, word);
}

void read_ethdevice(Reading& reading, const Word& word) {
    const auto names = split(word.argument(), ',');
    if (names.size() == 1) return read_device(reading, word);
    for (const auto name : names) {
        if (reading.devices.size() >= kMaxList) break;
        if (is_interface_name(name))
            reading.devices.emplace_back(name);
        else
            reading.warn(word, fmt::format("\"{}\" names no interface: left out", printable(name)));
    }
}

void read_ifname(Reading& reading, const Word& word) {
    const auto value = word.argument();
    const auto colon = value.find(':');
    const auto name = value.substr(0, colon);
    const auto mac = colon == std::string_view::npos ? std::nullopt : Mac::parse(value.substr(colon + 1));
    auto& names = reading.config.network.names;
    if (!is_interface_name(name) || !mac)
        reading.warn(word, "is not <name>:<hardware address>: ignored", "write ifname=eth0:aa:bb:cc:dd:ee:ff");
    else if (names.size() < kMaxList)
        names.push_back({std::string(name), *mac});
}

// rd.route=<net>/<plen>:<gateway>[:<interface>]
void read_route(Reading& reading, const Word& word) {
    const auto fields = split(word.argument(), ':');
    const auto slash = fields[0].find('/');
    const auto network = Ipv4::parse(fields[0].substr(0, slash));
    const auto prefix = slash == std::string_view::npos ? std::optional<std::uint8_t>(std::uint8_t{32})
                                                        : parse_number<std::uint8_t>(fields[0].substr(slash + 1));
    const auto router = fields.size() > 1 && !fields[1].empty() ? Ipv4::parse(fields[1]) : Ipv4{};
    const auto interface = fields.size() > 2 ? fields[2] : std::string_view();
    if (!network || !prefix || *prefix > 32 || !router || fields.size() > 3 ||
        (!interface.empty() && !is_interface_name(interface)) || (!router->is_set() && interface.empty()))
        return reading.warn(word, "is not <network>/<prefix>:<gateway>[:<interface>] in IPv4: ignored",
                            "write rd.route=10.1.0.0/16:192.168.1.1");
    const Route route{network_of(*network, *prefix), *prefix, *router};
    if (route.destination != *network)
        reading.warn(
            word, fmt::format("has address bits beyond its prefix: {}/{} is used", route.destination.text(), *prefix));
    if (reading.config.network.routes.size() < kMaxList)
        reading.config.network.routes.push_back({route, std::string(interface)});
}

void read_gateway(Reading& reading, const Word& word) {
    if (read_address(reading, word, word.argument())) reading.gateway = word;
}

void read_netmask(Reading& reading, const Word& word) {
    const auto mask = Ipv4::parse(word.argument());
    const auto prefix = mask ? prefix_of(*mask) : parse_number<std::uint8_t>(word.argument());
    if (prefix && *prefix > 0 && *prefix <= 32)
        reading.prefix = *prefix;
    else
        reading.warn(word, "is no netmask: the mask of the address class is used", "write 255.255.255.0 or 24");
}

void read_mtu(Reading& reading, const Word& word) {
    const auto mtu = parse_number<std::uint16_t>(word.argument());
    if (mtu && *mtu >= 68)
        reading.mtu = *mtu;
    else
        reading.warn(word, "is no MTU: the interface's own is kept", "write a number of bytes from 68 to 65535");
}

// 32 hexadecimal digits, or a UUID; systemd refuses the one of zeros only.
void read_machine_id(Reading& reading, const Word& word) {
    std::string digits;
    for (const char c : lower(word.argument()))
        if (c != '-') digits += c;
    if (digits == "firmware") return;  // systemd: from SMBIOS, as we do unasked
    if (digits.size() == 32 && digits.find_first_not_of("0123456789abcdef") == std::string::npos &&
        digits.find_first_not_of('0') != std::string::npos)
        reading.config.machine_id = digits;
    else
        reading.warn(word, "is no machine id: it is taken from the snapshot or the machine",
                     "write 32 hexadecimal digits");
}

void read_hostname(Reading& reading, const Word& word) {
    std::string name;
    read_name(reading, word, name, is_hostname, "the name is taken from elsewhere");
    if (!name.empty()) reading.hostname.offer(std::move(name), reading.rank());
}

void read_init_as(Reading& reading, const Word& word, int among) {
    const auto path = word.argument();
    const auto base = path.substr(path.rfind('/') + 1);
    // Names under which this program was and is known: the init to be is the root's own.
    const bool ourselves = base == "disklessrc" || base == "Rcinit";
    const bool stay = base == "diskless-init" || path == kStay;
    // As the kernel does: what stands before init= was meant for another one (a boot loader's default line).
    if (word.name == "init") reading.config.init_arguments.clear();
    if (stay) return reading.init.offer(kStay, reading.rank(among));
    if (!ourselves && !path.starts_with('/'))
        return reading.warn(word, "is no absolute path: the root's own init is used", "write init=/sbin/init");
    reading.init.offer(ourselves ? std::string() : std::string(path), reading.rank(among));
}

void read_boot(Reading& reading, const Word& word) {
    if (word.argument() == "live") read_live_boot(reading, word);
}

void accept(Reading&, const Word&) {}

/// Rows of what is known but not there yet: their meaning says what is done instead; and what the operator can do.
void not_yet(Reading& reading, const Word& word) {
    if (!is_on(word)) return;
    const auto meaning = reading.parameter->meaning;
    const auto end = meaning.find("; ");
    reading.warn(word, fmt::format("is not supported yet: {}", meaning.substr(0, end)),
                 std::string(end == std::string_view::npos ? "" : meaning.substr(end + 2)));
}

using R = Reading&;
using W = const Word&;

// ---- The table ------------------------------------------------------------------------------------------------------

constexpr std::string_view kRoot = "Root";
constexpr std::string_view kSnapshot = "Snapshot";
constexpr std::string_view kSwap = "Swap";
constexpr std::string_view kNetwork = "Network";
constexpr std::string_view kIdentity = "Name, time";
constexpr std::string_view kInit = "Init";
constexpr std::string_view kFailure = "Waiting and failure";
constexpr std::string_view kAccepted = "Accepted, without effect";
constexpr std::string_view kNotYet = "Not supported yet";

// clang-format off
constexpr Parameter kParameters[] = {
    // group, names, argument, origin, meaning, handler
    {kRoot, "root", "/dev/nfs | [nfs:|nfs4:][server:]dir[:options] | dhcp", "kernel, dracut",
     "Where the root is: /dev/nfs and /dev/nfsroot leave it to nfsroot=, /dev/ram0 to NFSROOT=, dhcp to the lease's root-path.",
     read_root},
    {kRoot, "nfsroot", "[server[,server]:]dir[,options] | auto", "kernel, dracut, initramfs-tools",
     "Servers, directory and NFS options of the root; given again with the same directory it adds servers; one %s in the directory stands for the hostname, else the address; auto asks the lease.",
     read_nfsroot},
    {kRoot, "NFSROOT", "[server:]dir", "Red Hat",
     "The location that holds root/ and snapshot/, or the root directory itself; empty: the lease's root-path.",
     read_red_hat_nfsroot},
    {kRoot, "nfsopts", "options", "initramfs-tools, live-boot",
     "More NFS options of the root, separated by commas.",
     [](R r, W w) { r.more_options.push_back(w); }},
    {kRoot, "rootflags", "options", "kernel",
     "More NFS options of the root, separated by commas.",
     [](R r, W w) { r.more_options.push_back(w); }},
    {kRoot, "ro", "", "kernel",
     "The root is mounted read-only (the default); stronger than an rw among the NFS options.",
     [](R r, W) { r.root_mode.offer(RootMode::read_only, r.rank(1)); }},
    {kRoot, "rw", "", "kernel",
     "The root is this node's own and is mounted writable; stronger than an ro among the NFS options.",
     [](R r, W) { r.root_mode.offer(RootMode::writable, r.rank(1)); }},
    {kRoot, "diskless.mode", "ro | rw | overlay", "ours",
     "How the root is mounted, stronger than ro and rw; overlay: read-only, and what the node writes besides its listed files stays in memory until it goes down.",
     read_mode},
    {kRoot, "diskless.image", "file | none", "ours",
     "The root is this squashfs or erofs file in the directory that is named as the root; a directory without it is the root itself.",
     read_image},
    {kRoot, "diskless.overlay.size", "size | percent%", "ours",
     "The most memory that an overlay may take: 512m, 2g, 25% (the default: 50%).",
     read_overlay_size},
    {kRoot, "rd.overlay overlayroot", "tmpfs[:size=size]", "dracut, Ubuntu",
     "The same as diskless.mode=overlay; weaker than that.",
     read_foreign_overlay},
    {kRoot, "netroot", "dhcp", "dracut",
     "dhcp: the root is the lease's root-path.",
     [](R r, W w) { if (w.argument() == "dhcp") r.lease_word = w; else read_root(r, w); }},
    {kRoot, "boot", "nfs | live", "initramfs-tools, live-boot",
     "nfs: nothing to be said; live: as diskless.image=live/filesystem.squashfs diskless.mode=overlay, but weaker, and ip= may be in the order of live-boot.",
     read_boot},

    {kSnapshot, "diskless.snapshot", "[server[,server]:]dir[,options] | none", "ours",
     "The directory that holds the snapshots of all nodes, one directory each; none: nothing of the node is kept.",
     read_snapshot},
    {kSnapshot, "SNAPSHOT diskless.snapshot.name", "name", "Red Hat, ours",
     "Name of this node's snapshot; without it hostname (told, or in the root's /etc/hosts), address and hardware "
     "address are tried in that order.",
     // One directory below the snapshots: a host name has neither a slash nor a dot in front.
     [](R r, W w) { read_name(r, w, r.config.snapshot.name, is_hostname, "the snapshot is found by hostname, address or hardware address"); }},
    {kSnapshot, "diskless.snapshot.policy", "wait | volatile | fail", "ours",
     "What happens when the snapshot cannot be mounted: wait for it, boot with state in memory (the default), or fail.",
     read_policy},
    {kSnapshot, "diskless.snapshot.options", "options", "ours",
     "NFS options of the snapshot, separated by commas.",
     [](R r, W w) { r.snapshot_options.push_back(w); }},

    {kSwap, "diskless.swap", "zram:size | zram:percent% | LABEL=name[:/file] | UUID=id[:/file] | /dev/sda2[:/file] | snapshot:/file", "ours",
     "Where to swap to: compressed memory, a partition of a local disk or a file on one, both prepared by mkswap(8), or such a file in the node's snapshot; repeatable.",
     read_swap},

    {kNetwork, "ip nfsaddrs", "client:server:gateway:netmask:hostname:device:method:dns0:dns1:ntp0 | method | device:method[:mtu]", "kernel, dracut, PXELINUX, live-boot",
     "Address of an interface; every field may be empty; methods are dhcp, bootp, rarp, both, on, any, off, none; repeatable, one for each device: a fixed address of a named device stays when another one leads to the root.",
     read_ip},
    {kNetwork, "BOOTIF", "01-aa-bb-cc-dd-ee-ff", "PXELINUX",
     "Hardware address of the interface that the machine was booted by; it is tried first.",
     read_bootif},
    {kNetwork, "rd.bootif", "0", "dracut",
     "0: BOOTIF= is ignored.",
     [](R r, W w) { r.use_boot_mac = is_on(w); }},
    {kNetwork, "ETHERNET bootdev", "device", "Red Hat, dracut",
     "The interface that the root is reached by.",
     read_device},
    {kNetwork, "ksdevice", "device | hardware address | bootif | link", "anaconda",
     "The interface that the root is reached by.",
     read_ksdevice},
    {kNetwork, "ethdevice", "device[,device]", "live-boot",
     "The interfaces that are tried.",
     read_ethdevice},
    {kNetwork, "ifname", "name:hardware address", "dracut",
     "The interface with this hardware address gets this name; repeatable.",
     read_ifname},
    {kNetwork, "rd.route", "network/prefix:gateway[:device]", "dracut",
     "A static route; repeatable.",
     read_route},
    {kNetwork, "nameserver", "address", "dracut, anaconda",
     "A DNS server for the running node; repeatable.",
     [](R r, W w) { read_addresses(r, w, r.config.network.dns); }},
    {kNetwork, "rd.peerdns", "0", "dracut",
     "0: DNS servers of the lease are not used.",
     [](R r, W w) { r.config.network.use_lease_dns = is_on(w); }},
    {kNetwork, "gateway", "address", "anaconda",
     "Gateway of a fixed address whose ip= names none.",
     read_gateway},
    {kNetwork, "netmask", "255.255.255.0 | 24", "anaconda",
     "Netmask of a fixed address whose ip= names none.",
     read_netmask},
    {kNetwork, "mtu", "bytes", "anaconda",
     "MTU of interfaces whose ip= names none.",
     read_mtu},
    {kNetwork, "rd.net.dhcp.vendor-class", "text", "dracut",
     "DHCP vendor class identifier (option 60) to send.",
     [](R r, W w) { r.config.network.vendor_class = w.argument(); }},

    {kIdentity, "hostname systemd.hostname", "name", "anaconda, systemd",
     "Name of the node, stronger than that of ip= and of the lease.",
     read_hostname},
    {kIdentity, "NISDOMAIN", "domain", "Red Hat",
     "NIS domain name.",
     [](R r, W w) { read_name(r, w, r.config.nis_domain, is_hostname, "there is no NIS domain"); }},
    {kIdentity, "systemd.machine_id", "32 hexadecimal digits", "systemd",
     "Machine id, stronger than the one in the snapshot, which it replaces there.",
     read_machine_id},
    {kIdentity, "diskless.time", "on | off", "ours",
     "off: the clock is left as it is, even when it is before the image was built.",
     [](R r, W w) { r.config.time.wanted = is_on(w); }},
    {kIdentity, "diskless.ntp", "address[,address]", "ours",
     "Time servers, instead of those of ip= and the lease; repeatable.",
     [](R r, W w) { read_addresses(r, w, r.config.time.servers); }},

    {kInit, "init", "path", "kernel",
     "The program that takes over, instead of /sbin/init; disklessrc and Rcinit are old names of this program and mean the same as nothing; diskless-init is this program itself, which then runs the node by its /etc/inittab.",
     [](R r, W w) { read_init_as(r, w, 0); }},
    {kInit, "diskless.init", "path | self", "ours",
     "The same, stronger than init=: for boot loaders whose init= cannot be changed; self: this program stays and runs the node by its /etc/inittab.",
     [](R r, W w) { read_init_as(r, w, 1); }},
    {kInit, "debug rd.debug nfsrootdebug diskless.debug", "", "kernel, dracut, ours",
     "What each step has found out goes to the kernel's log and so to the console, too; without it, to the report alone.",
     [](R r, W w) { r.config.verbose = is_on(w); }},
    {kInit, "quiet", "", "kernel",
     "Only problems on the console.",
     [](R r, W w) { r.config.quiet = is_on(w); }},
    {kInit, "diskless.modules", "lean | whole", "ours",
     "lean: drivers and the NFS client are loaded without their signature, trace events, calls of the function tracer, unwind tables and type information, which a kernel takes long over and keeps in memory (the default; a kernel that wants signatures, as with Secure Boot, gets them whole); whole: as the distribution made them, to trace NFS or to keep the kernel untainted.",
     read_modules},

    {kFailure, "diskless.onfail", "wait | shell | reboot[:seconds]", "ours",
     "What happens when the boot fails: wait and try again (the default), a shell on the console, or a reboot, after 60 seconds unless told.",
     read_onfail},
    {kFailure, "panic", "seconds", "kernel, initramfs-tools",
     "A failed boot reboots after so many seconds; 0: it waits and tries again; negative: it reboots at once.",
     read_panic},
    {kFailure, "rd.shell", "", "dracut",
     "A failed boot gives a shell; 0 says nothing, that is the default.",
     [](R r, W w) { if (is_on(w)) offer_failure(r, {OnFailure::shell, Milliseconds{0}}, 1); }},
    {kFailure, "rd.emergency", "reboot", "dracut",
     "A failed boot reboots after 60 seconds.",
     read_rd_emergency},
    {kFailure, "diskless.net.timeout rd.timeout", "seconds", "ours, dracut",
     "How long to try to get an address before the boot fails; 0: for ever (the default); units ms, s, m and h are possible.",
     [](R r, W w) { if (const auto t = read_duration(r, w)) r.network_timeout.offer(*t, r.rank()); }},
    {kFailure, "diskless.shutdown.timeout rd.shutdown.timeout.umount", "seconds", "ours, dracut",
     "How long the way down may take altogether before the machine is rebooted or switched off all the same (30).",
     [](R r, W w) {
         const auto time = read_duration(r, w);
         if (!time) return;
         if (*time > Milliseconds{0}) r.config.shutdown_timeout = *time;
         else r.warn(w, "the way down must have an end: 30 seconds are kept", "write seconds");
     }},
    {kFailure, "diskless.wol", "on | keep | off", "ours",
     "Whether a magic packet to the interface of the root switches the node on again after a poweroff or halt (Wake-on-LAN); keep: as firmware and driver have it (the default).",
     read_wake_on_lan},
    {kFailure, "diskless.watchdog", "seconds | off", "ours",
     "The hardware watchdog (/dev/watchdog, its driver is the root's to load) is fed by the resident agent and resets the node when that stops for so long (off).",
     [](R r, W w) { read_limit(r, w, "off", Seconds{5}, r.config.watchdog); }},
    {kFailure, "diskless.root-loss", "seconds | never", "ours",
     "A running node whose root is unreachable or stale for so long is rebooted (never).",
     [](R r, W w) { read_limit(r, w, "never", Seconds{10}, r.config.root_loss); }},
    {kFailure, "rootdelay ROOTDELAY", "seconds", "kernel, initramfs-tools",
     "Wait so long before the root is mounted.",
     [](R r, W w) { if (const auto t = read_duration(r, w)) r.config.root_delay = *t; }},

    {kAccepted, "rootwait rootfstype rdinit initrd ramdisk_size ramdisk_blocksize load_ramdisk prompt_ramdisk noinitrd BOOT_IMAGE SYSUUID CPU", "", "kernel, PXELINUX",
     "The root is waited for anyway, and the RAM disk is what this program came in.",
     accept},
    {kAccepted, "diskless.carrier.timeout rd.net.timeout.carrier ethdevice-timeout", "seconds", "ours, dracut, live-boot",
     "All interfaces are tried at once, so none without carrier is in the way of another: each is waited for as long as the network is searched for (diskless.net.timeout=).",
     accept},
    {kAccepted, "rd.neednet rd.retry rd.net.timeout.* rd.net.dhcp.retry rd.initqueue.* rd.break rd.udev.* rd.info rd.driver.* rd.luks* rd.lvm* rd.md* rd.dm* rd.multipath* rd.nfs.domain rd.hostonly rd.skipfsck rd.auto rd.kiwi.* rd.systemd.* rd.plymouth biosdevname net.ifnames", "", "dracut, udev",
     "There are no disks to be found and no helpers to be told; the network is needed and tried until it works.",
     accept},
    {kAccepted, "rd.live.image", "", "dracut",
     "root=live: says it already.",
     accept},
    {kAccepted, "break netboot toram silent netconsole resume", "", "initramfs-tools, live-boot",
     "Has no meaning for a root on NFS.",
     accept},

    {kNotYet, "vlan", "", "dracut, initramfs-tools",
     "the interface below it is used untagged; have the switch deliver the node's network untagged",
     not_yet},
    {kNotYet, "bond team bridge", "", "dracut",
     "the first interface that reaches the root is used alone; bond, team or bridge other interfaces from the running node",
     not_yet},
    {kNotYet, "rd.overlay.* rd.live.* live-media* persistence* persistent union ltsp.*", "", "dracut, live-boot, LTSP",
     "the root is as the other parameters say, with the files listed in the snapshot writable; list what nodes must write, or write diskless.mode=overlay",
     not_yet},
    {kNotYet, "fetch httpfs ftpfs wwinit.* imgurl", "", "live-boot, Warewulf, xCAT",
     "images are not fetched, the root is taken from nfsroot= or the lease; write nfsroot=server:/directory",
     not_yet},
};
// clang-format on

bool matches(std::string_view pattern, std::string_view name) {
    if (!pattern.ends_with('*')) return same_parameter_name(name, pattern);
    pattern.remove_suffix(1);
    return name.size() >= pattern.size() && same_parameter_name(name.substr(0, pattern.size()), pattern);
}

bool has_name(const Parameter& parameter, std::string_view name) {
    for (auto names = parameter.names; !names.empty();) {
        const auto end = names.find(' ');
        if (matches(names.substr(0, end), name)) return true;
        if (end == std::string_view::npos) break;
        names.remove_prefix(end + 1);
    }
    return false;
}

/// A word that is no parameter of ours: to init, where the kernel would have put it, or nowhere.
void handle_unknown(Reading& reading, const Word& word) {
    if (word.name.starts_with("diskless."))
        return reading.warn(word, "is not known: ignored", "diskless(7) lists every parameter");
    // Kernel, init/main.c unknown_bootoption(): a name with a dot belongs to a module, one with a value becomes
    // environment, the rest is arguments.
    if (word.value || word.name.find('.') != std::string::npos || is_kernel_flag(word.name)) return;
    reading.config.init_arguments.push_back(word.text);
}

void handle(Reading& reading, const CommandLine& line, const std::set<const Parameter*>& overridden) {
    for (const auto& word : line.words) {
        reading.parameter = find_parameter(word.name);
        if (reading.parameter == nullptr)
            handle_unknown(reading, word);
        else if (!overridden.contains(reading.parameter))
            reading.parameter->handle(reading, word);
    }
    for (const auto& word : line.after_dashes) reading.config.init_arguments.push_back(word);
}

bool asks_live_boot(const CommandLine& line) {
    return std::any_of(line.words.begin(), line.words.end(),
                       [](const Word& word) { return word.name == "boot" && word.argument() == "live"; });
}

void settle(Reading& reading) {
    settle_network(reading);
    settle_root(reading);
    auto& config = reading.config;
    if (reading.failure.value) config.failure = *reading.failure.value;
    if (reading.init.value) config.init = *reading.init.value;
    if (reading.hostname.value) {
        config.hostname = *reading.hostname.value;
        if (const auto dot = config.hostname.find('.'); dot != std::string::npos) {
            config.domain = config.hostname.substr(dot + 1);
            config.hostname.resize(dot);
        }
    }
}

}  // namespace

std::span<const Parameter> parameters() { return kParameters; }

const Parameter* find_parameter(std::string_view name) {
    for (const auto& parameter : kParameters)
        if (has_name(parameter, name)) return &parameter;
    return nullptr;
}

bool is_interface_name(std::string_view text) {
    // IFNAMSIZ is 16 with the final zero; dev_valid_name() of the kernel refuses "/", ":" and blanks.
    if (text.empty() || text.size() > 15 || text == "." || text == "..") return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c > ' ' && c < '\x7f' && c != '/' && c != ':' && c != '"' && c != '\''; });
}

bool is_hostname(std::string_view text) {
    // RFC 1123, and the underscore that sites use; HOST_NAME_MAX of Linux is 64 for the part before the first dot.
    const auto first_label = std::min(text.find('.'), text.size());
    if (text.size() > 253 || first_label == 0 || first_label > 63) return false;
    if (text.front() == '-' || text.back() == '.' || text.find("..") != std::string_view::npos) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
               c == '_';
    });
}

void Reading::warn(const Word& word, std::string message, std::string remedy) {
    constexpr std::size_t kLongest = 160;
    auto& warnings = config.warnings;
    if (warnings.size() > kMaxWarnings) return;
    if (warnings.size() == kMaxWarnings) {
        warnings.push_back({"…", "there is more that cannot be meant: left out here", ""});
        return;
    }
    auto text = printable(std::string_view(word.text).substr(0, kLongest));
    if (word.text.size() > kLongest) text += "…";
    ConfigWarning warning{std::move(text), std::move(message), std::move(remedy)};
    if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) warnings.push_back(std::move(warning));
}

BootConfig parse_boot_config(const ConfigInput& input) {
    const auto defaults = read_command_line(input.defaults);
    const auto line = read_command_line(input.command_line);

    // What the command line names, it names altogether: a list of the manifest is replaced, not lengthened.
    std::set<const Parameter*> named;
    for (const auto& word : line.words)
        if (const auto* parameter = find_parameter(word.name)) named.insert(parameter);

    Reading reading;
    reading.config.time.not_before = input.built;
    reading.live_boot = asks_live_boot(defaults) || asks_live_boot(line);
    reading.from_defaults = true;
    handle(reading, defaults, named);
    reading.from_defaults = false;
    handle(reading, line, {});
    settle(reading);
    return std::move(reading.config);
}

}  // namespace diskless
