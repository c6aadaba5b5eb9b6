// A BootConfig for people.
#include <fmt/core.h>

#include "common/base/text.hpp"
#include "init/boot.hpp"

namespace diskless {

namespace {

constexpr std::size_t kLabelWidth = 12;

/// Aligned lines; a label that repeats is written once.
class Lines {
  public:
    void add(std::string_view label, std::string_view text) {
        const auto shown = label == last_ ? std::string_view() : label;
        last_ = label;
        if (!text.empty()) text_ += fmt::format("{:<{}}{}", shown, kLabelWidth, printable(text));
        text_ += '\n';
    }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
    std::string_view last_;
};

std::string time_text(Milliseconds time) {
    return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000) : fmt::format("{} ms", time.count());
}

std::string_view version_text(NfsVersion version) {
    switch (version) {
        case NfsVersion::automatic:
            return "NFS version: 3, else 4.2, 4.1, 4.0";
        case NfsVersion::v3:
            return "NFS 3";
        case NfsVersion::v4:
            return "NFS 4, newest minor version";
        case NfsVersion::v4_0:
            return "NFS 4.0";
        case NfsVersion::v4_1:
            return "NFS 4.1";
        case NfsVersion::v4_2:
            return "NFS 4.2";
    }
    return "";
}

std::string addresses(const std::vector<Ipv4>& list) {
    std::string text;
    for (const auto address : list) text += (text.empty() ? "" : ", ") + address.text();
    return text;
}

/// "10.9.0.1:/srv/root"; what the lease still has to tell is said in words.
std::string source_text(const NfsSource& source, std::string_view no_path, Ipv4 server_of_ip) {
    const auto path = source.path.empty() ? std::string(no_path) : source.path;
    if (!source.servers.empty()) return addresses(source.servers) + ":" + path;
    if (source.path.empty()) return path;
    if (server_of_ip.is_set()) return fmt::format("{}:{} (server of ip=)", server_of_ip.text(), path);
    return path + " of the server that the lease names";
}

/// The server that ip= names, when the root has none of its own.
Ipv4 server_of_ip(const BootConfig& config) {
    for (const auto& one : config.network.interfaces)
        if (one.server.is_set()) return one.server;
    return {};
}

std::string_view mode_text(RootMode mode) {
    switch (mode) {
        case RootMode::read_only:
            return "read-only";
        case RootMode::writable:
            return "writable";
        case RootMode::overlay:
            return "read-only, writable in memory";
    }
    return "";
}

void describe_root(const BootConfig& config, Lines& lines) {
    const auto& root = config.root;
    lines.add("root", source_text(root.source, root.from_lease ? "root-path of the lease" : "?", server_of_ip(config)));
    if (root.layout == RootLayout::red_hat)
        lines.add("root", "Red Hat layout: the directory holds root/ and snapshot/, or is the root itself");
    lines.add("root", fmt::format("{}, {}", mode_text(root.mode), version_text(root.source.version)));
    if (!root.image.empty()) lines.add("root", "in the image " + root.image + " there");
    if (!root.source.options.empty()) lines.add("root", "options " + root.source.options);
}

void describe_snapshot(const BootConfig& config, Lines& lines) {
    const auto& snapshot = config.snapshot;
    if (!snapshot.wanted) return lines.add("snapshot", "none: nothing of this node is kept");
    const auto place = config.root.layout == RootLayout::red_hat
                           ? "snapshot beside the root"
                           : "snapshots beside images/, when the root is images/NAME/GENERATION";
    const auto name = snapshot.name.empty() ? "<hostname, address or hardware address>" : snapshot.name;
    lines.add("snapshot", snapshot.source.path.empty()
                              ? fmt::format("{} in {}", name, place)
                              : fmt::format("{} in {}", name, source_text(snapshot.source, "", server_of_ip(config))));
    if (snapshot.source.version != NfsVersion::automatic || !snapshot.source.options.empty())
        lines.add("snapshot",
                  fmt::format("{}{}{}", version_text(snapshot.source.version),
                              snapshot.source.options.empty() ? "" : ", options ", snapshot.source.options));
    lines.add("snapshot", snapshot.policy == SnapshotPolicy::wait   ? "when it is missing: wait for it"
                          : snapshot.policy == SnapshotPolicy::fail ? "when it is missing: the boot fails"
                                                                    : "when it is missing: state in memory");
}

std::string method_text(const InterfaceConfig& one) {
    switch (one.method) {
        case AddressMethod::none:
            return "not configured";
        case AddressMethod::fixed:
            return fmt::format("{}{}{}", one.address.text(),
                               one.prefix == 0 ? std::string(", mask by class") : fmt::format("/{}", one.prefix),
                               one.gateway.is_set() ? ", gateway " + one.gateway.text() : ", no gateway");
        case AddressMethod::dhcp:
            return "DHCP";
        case AddressMethod::bootp:
            return one.rarp_too ? "BOOTP, RARP" : "BOOTP";
        case AddressMethod::rarp:
            return "RARP";
        case AddressMethod::any:
            return "DHCP, BOOTP, RARP: whatever answers";
    }
    return "";
}

void describe_interface(const InterfaceConfig& one, Lines& lines) {
    const auto name = !one.name.empty() ? one.name : one.mac ? one.mac->text() : std::string("any interface");
    auto text = fmt::format("{}: {}", name, method_text(one));
    if (one.mac && !one.name.empty()) text += ", hardware address " + one.mac->text();
    if (one.server.is_set()) text += ", server " + one.server.text();
    if (!one.hostname.empty()) text += ", hostname " + one.hostname;
    if (!one.dns.empty()) text += ", DNS " + addresses(one.dns);
    if (!one.ntp.empty()) text += ", time from " + addresses(one.ntp);
    if (one.mtu != 0) text += fmt::format(", MTU {}", one.mtu);
    if (!one.client_id.empty())
        text += fmt::format(", client identifier {}:{}", static_cast<unsigned char>(one.client_id[0]),
                            one.client_id.substr(1));
    lines.add("network", text);
}

void describe_network(const NetworkConfig& network, Lines& lines) {
    for (const auto& one : network.interfaces) describe_interface(one, lines);
    if (network.interfaces.empty()) lines.add("network", "any interface: DHCP");
    if (network.boot_mac) lines.add("network", "booted by the interface with " + network.boot_mac->text());
    if (!network.boot_device.empty()) lines.add("network", "root is reached by " + network.boot_device);
    for (const auto& one : network.names) lines.add("network", one.mac.text() + " is named " + one.name);
    for (const auto& one : network.routes)
        lines.add("network", fmt::format("route {}/{} {}{}", one.route.destination.text(), one.route.prefix,
                                         one.route.router.is_set() ? "by " + one.route.router.text() : "on the link",
                                         one.interface.empty() ? "" : ", " + one.interface));
    if (!network.dns.empty()) lines.add("network", "DNS " + addresses(network.dns));
    if (!network.use_lease_dns) lines.add("network", "DNS of the lease is not used");
    if (!network.vendor_class.empty()) lines.add("network", "vendor class " + network.vendor_class);
    lines.add("network", network.timeout.count() == 0 ? "tried for ever" : "tried for " + time_text(network.timeout));
}

void describe_identity(const BootConfig& config, Lines& lines) {
    if (!config.hostname.empty())
        lines.add("hostname", config.domain.empty() ? config.hostname : config.hostname + ", domain " + config.domain);
    if (!config.nis_domain.empty()) lines.add("NIS domain", config.nis_domain);
    if (!config.machine_id.empty()) lines.add("machine id", config.machine_id);
    lines.add("time", !config.time.wanted           ? "the clock is not set"
                      : config.time.servers.empty() ? "from servers of the lease, else the NFS server"
                                                    : "from " + addresses(config.time.servers));
}

void describe_end(const BootConfig& config, Lines& lines) {
    auto init = config.init == kStay  ? std::string("this program, by /etc/inittab")
                : config.init.empty() ? std::string("/sbin/init or what the root has")
                                      : config.init;
    if (!config.init_arguments.empty()) {
        // Behind a sentence they would be read as a part of it.
        init += config.init.empty() || config.init == kStay ? ", with" : "";
        for (const auto& argument : config.init_arguments) init += " " + argument;
    }
    lines.add("init", init);
    if (config.root_delay.count() != 0)
        lines.add("delay", time_text(config.root_delay) + " before the root is mounted");
    for (const auto& swap : config.swaps) lines.add("swap", swap.text);
    const auto& failure = config.failure;
    lines.add("on failure", failure.action == OnFailure::wait    ? "wait and try again"
                            : failure.action == OnFailure::shell ? "shell"
                            : failure.reboot_after.count() == 0  ? "reboot at once"
                                                                 : "reboot after " + time_text(failure.reboot_after));
    lines.add("shutdown", "within " + time_text(config.shutdown_timeout));
    if (!config.lean_modules) lines.add("modules", "loaded whole");
    if (config.wake_on_lan != WakeOnLan::keep)
        lines.add("wake on LAN", config.wake_on_lan == WakeOnLan::on ? "armed at poweroff" : "disarmed at poweroff");
    if (config.watchdog.count() != 0) lines.add("watchdog", "resets the node after " + time_text(config.watchdog));
    if (config.root_loss.count() != 0)
        lines.add("root loss", "reboot when the root is gone for " + time_text(config.root_loss));
    if (config.verbose || config.quiet)
        lines.add("console", config.verbose ? "what each step finds out" : "problems only");
}

}  // namespace

std::string describe(const BootConfig& config) {
    Lines lines;
    describe_root(config, lines);
    describe_snapshot(config, lines);
    describe_network(config.network, lines);
    describe_identity(config, lines);
    describe_end(config, lines);
    const ConfigWarning* last = nullptr;
    for (const auto& warning : config.warnings) {
        if (last == nullptr || last->parameter != warning.parameter) {
            lines.add("", "");
            lines.add("warning", warning.parameter);
        }
        lines.add("", warning.message);
        if (!warning.remedy.empty()) lines.add("", "→ " + warning.remedy);
        last = &warning;
    }
    return lines.take();
}

}  // namespace diskless
