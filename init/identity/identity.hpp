// Who a node is: pure functions from what is known (lease, configuration, the root's own files) to the files that say
// so.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/lease.hpp"
#include "common/report/boot_report.hpp"

namespace diskless {

/// Everything a name could come from, strongest first. Empty means "does not say".
struct NameSources {
    std::string snapshot;       // <snapshot>/etc/hostname
    std::string configuration;  // hostname=, ip= field 5
    std::string lease;          // DHCP option 12
    std::string hosts;          // the root's /etc/hosts for our address
    std::string snapshot_name;  // SNAPSHOT=
};

struct NodeName {
    std::string hostname;  // without domain
    std::string domain;    // after the first dot, when the source had one
    std::string source;    // "snapshot", "command line", "dhcp", "hosts", "snapshot name", "address"
};

/// The node's name; without any source it is made of the address: 10.9.0.7 is "node-10-9-0-7".
NodeName choose_name(const NameSources& sources, Ipv4 address);

/// First name of `address` in the text of a hosts(5) file; empty when it is not there.
std::string name_in_hosts(std::string_view hosts, Ipv4 address);

/// /etc/hosts with lines for localhost and for this node; the root's own lines stay, but for those that give this
/// address or this name to something else.
std::string make_hosts(std::string_view own, const NodeName& name, Ipv4 address);

/// resolv.conf(5) of these servers and domain; empty when there is nothing to say.
std::string make_resolv_conf(const std::vector<Ipv4>& servers, std::string_view domain);

/// machine-id(5): 32 hexadecimal digits and a newline.
struct MachineId {
    std::string id;
    std::string source;  // "command line", "snapshot", "smbios", "mac", "address"
};

/// The first usable of: `configured`, `kept` (snapshot's file), SMBIOS UUID (unless it is one of the placeholders that
/// boards are shipped with), MAC address, IPv4 address where there is no MAC (InfiniBand). Always the same for the same
/// machine.
MachineId choose_machine_id(std::string_view kept, std::string_view configured, std::string_view smbios_uuid,
                            const Mac& mac, Ipv4 address = {});

}  // namespace diskless
