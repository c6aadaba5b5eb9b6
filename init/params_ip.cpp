// ip= in all its dialects: kernel (Documentation/admin-guide/nfs/nfsroot.rst), dracut.cmdline(7), PXELINUX,
// live-boot(7).
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "init/params.hpp"

namespace diskless {

namespace {

constexpr std::string_view kMethods = "dhcp, bootp, rarp, both, on, any, off, none";
constexpr std::size_t kMaxIps = 64;  // more is a mistake, and keeps what compares them linear

struct Autoconf {
    std::string_view word;
    AddressMethod method;
    bool bootp_too = false;
    bool rarp_too = false;
};
constexpr std::array<Autoconf, 9> kAutoconf{{
    {"dhcp", AddressMethod::dhcp},
    {"single-dhcp", AddressMethod::dhcp},
    {"on", AddressMethod::any, true, true},
    {"any", AddressMethod::any, true, true},
    {"both", AddressMethod::bootp, true, true},
    {"bootp", AddressMethod::bootp},
    {"rarp", AddressMethod::rarp},
    {"off", AddressMethod::none},
    {"none", AddressMethod::none},
}};
constexpr std::array<std::string_view, 6> kNotYet{{"dhcp6", "auto6", "either6", "link6", "link-local", "ibft"}};

const Autoconf* find_autoconf(std::string_view text) {
    for (const auto& candidate : kAutoconf)
        if (candidate.word == text) return &candidate;
    return nullptr;
}

bool is_not_yet(std::string_view text) { return std::find(kNotYet.begin(), kNotYet.end(), text) != kNotYet.end(); }

void set_method(InterfaceConfig& interface, const Autoconf& autoconf) {
    interface.method = autoconf.method;
    interface.bootp_too = autoconf.bootp_too;
    interface.rarp_too = autoconf.rarp_too;
}

/// Fields between colons; colons in [brackets] belong to an IPv6 address. Quotes around a field are removed.
std::vector<std::string_view> fields_of(std::string_view text) {
    std::vector<std::string_view> fields;
    std::size_t start = 0;
    bool bracket = false;
    const auto last_bracket = text.rfind(']');
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] == '[' && i == start && last_bracket != std::string_view::npos &&
            i < last_bracket)
            bracket = true;
        else if (i < text.size() && text[i] == ']')
            bracket = false;
        else if (i == text.size() || (text[i] == ':' && !bracket)) {
            fields.push_back(unquoted(text.substr(start, i - start)));
            start = i + 1;
        }
    }
    while (!fields.empty() && fields.back().empty()) fields.pop_back();
    return fields;
}

bool looks_numeric(std::string_view text) {  // "192.168.1.X", "10.0.0": meant as an address
    return !text.empty() && text.front() >= '0' && text.front() <= '9' && text.find('.') != std::string_view::npos;
}

/// 255.255.255.0 or 24.
std::optional<std::uint8_t> parse_mask(std::string_view text) {
    if (const auto mask = Ipv4::parse(text)) {
        const auto prefix = prefix_of(*mask);
        return prefix && *prefix > 0 ? prefix : std::nullopt;
    }
    const auto prefix = parse_number<std::uint8_t>(text);
    return prefix && *prefix > 0 && *prefix <= 32 ? prefix : std::nullopt;
}

/// Reads the fields of one ip= one by one.
class IpReader {
  public:
    IpReader(Reading& reading, const Word& word, std::string_view value)
        : reading_(reading), word_(word), fields_(fields_of(value)) {
        ip_.word = word;
        ip_.from_defaults = reading.from_defaults;
    }

    void read() {
        if (fields_.empty()) {
            warn("has no value, the parameter is ignored", fmt::format("write ip=dhcp; values are {}", kMethods));
            return;
        }
        if (fields_.size() == 1)
            read_single();
        else if (is_live_order())
            read_live_order();
        else if (is_device_first())
            read_device_first();
        else
            read_kernel_order();
        reading_.ips.push_back(std::move(ip_));
    }

  private:
    std::string_view field(std::size_t index) const {
        return index < fields_.size() ? fields_[index] : std::string_view();
    }
    void warn(std::string message, std::string remedy = {}) {
        reading_.warn(word_, std::move(message), std::move(remedy));
    }
    InterfaceConfig& interface() { return ip_.interface; }

    void read_single() {
        const auto text = field(0);
        if (const auto comma = text.find(','); comma != std::string_view::npos) {
            read_client_id(text.substr(0, comma), text.substr(comma + 1));
        } else if (const auto* autoconf = find_autoconf(text)) {
            set_method(interface(), *autoconf);
            ip_.bare = true;
        } else if (is_not_yet(text)) {
            not_yet(text);
            ip_.bare = true;
        } else if (text == "frommedia") {
            warn("names live-boot's medium, and there is none here: DHCP is used", "write ip=dhcp");
            ip_.bare = true;
        } else if (looks_numeric(text) || text.front() == '[') {
            read_address(text);
            finish({});
        } else {
            warn(fmt::format("\"{}\" is no method and no address: DHCP is used", printable(text)),
                 fmt::format("values are {}, or client:server:gateway:netmask:hostname:device:method", kMethods));
            ip_.bare = true;
        }
    }

    // "dhcp,<type>,<value>": RFC 2132 option 61, type as a number, value as text.
    void read_client_id(std::string_view method, std::string_view rest) {
        ip_.bare = true;
        if (method != "dhcp") {
            warn(fmt::format("\"{}\" takes no values after a comma: DHCP is used without them", printable(method)),
                 "write ip=dhcp,<type>,<value> for a DHCP client identifier");
            return;
        }
        const auto comma = rest.find(',');
        const auto type = parse_number<std::uint8_t>(rest.substr(0, comma));
        const auto value = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
        if (!type || value.empty() || value.size() > 254) {
            warn("the client identifier is not <type 0..255>,<1 to 254 characters>: the hardware address is sent",
                 "write for example ip=dhcp,0,node001");
            return;
        }
        interface().client_id = static_cast<char>(*type) + std::string(value);
    }

    void not_yet(std::string_view text) {
        warn(fmt::format("\"{}\" is not supported yet: DHCP (IPv4) is used", printable(text)), "write ip=dhcp");
        interface().method = AddressMethod::dhcp;
    }

    // live-boot: device:address:mask:gateway:nameserver. Without a device it is told from the kernel's order by its
    // third field, a netmask where the kernel has a gateway.
    bool is_live_order() const {
        if (field(0).empty())
            return reading_.live_boot && Ipv4::parse(field(1)) && field(2).find('.') != std::string_view::npos &&
                   parse_mask(field(2));
        return is_device_first() && Ipv4::parse(field(1)).has_value();
    }
    bool is_device_first() const {
        const auto first = field(0);
        return !first.empty() && first.front() != '[' && !looks_numeric(first) && !find_autoconf(first);
    }

    void read_live_order() {
        read_device(field(0));
        read_address(field(1));
        read_mask(field(2));
        read_gateway(field(3));
        auto nameserver = field(4);
        if (const auto comma = nameserver.find(','); comma != std::string_view::npos) {
            warn("only the first of several interfaces is used", "write one ip= for each");
            nameserver = nameserver.substr(0, comma);
        }
        read_server_field(nameserver, interface().dns, "nameserver");
        finish({});
    }

    // dracut: device:method[:[mtu][:mac]]
    void read_device_first() {
        read_device(field(0));
        const auto method = field(1);
        if (const auto* autoconf = find_autoconf(method))
            set_method(interface(), *autoconf);
        else if (is_not_yet(method))
            not_yet(method);
        else
            warn(fmt::format("\"{}\" is no method: DHCP is used", printable(method)),
                 fmt::format("values are {}", kMethods));
        read_mtu_and_mac(2);
    }

    // client:server:gateway:netmask:hostname:device:method:dns0:dns1:ntp0, any field may be empty. dracut has the peer
    // of a point-to-point link where the kernel has the server, and uses it as the server of the root all the same.
    void read_kernel_order() {
        if (is_ipv6()) {
            warn("IPv6 is not supported yet: DHCP (IPv4) is used on this interface", "give IPv4 addresses only");
            read_hostname(field(4));
            read_device(field(5));
            return;
        }
        read_address(field(0));
        read_peer(field(1));
        read_gateway(field(2));
        read_mask(field(3));
        read_hostname(field(4));
        read_device(field(5));
        finish(field(6));
        read_tail();
    }

    bool is_ipv6() const { return field(0).starts_with('[') || field(1).starts_with('[') || field(2).starts_with('['); }

    void read_tail() {
        if (fields_.size() <= 7) return;
        const bool mtu = parse_number<std::uint32_t>(field(7)).has_value();
        const bool mac = field(7).empty() && fields_.size() >= 9 && parse_mac_from(8);
        if (mtu || mac) {
            read_mtu_and_mac(7);
            return;
        }
        read_server_field(field(7), interface().dns, "first nameserver");
        read_server_field(field(8), interface().dns, "second nameserver");
        read_server_field(field(9), interface().ntp, "time server");
        if (fields_.size() > 10) warn("has more than ten fields: those after the time server are ignored");
    }

    void read_address(std::string_view text) {
        if (text.empty()) return;
        if (text.front() == '[') {
            warn("IPv6 is not supported yet: DHCP (IPv4) is used", "give an IPv4 address");
            return;
        }
        if (const auto slash = text.find('/'); slash != std::string_view::npos) {
            read_mask(text.substr(slash + 1));
            text = text.substr(0, slash);
        }
        const auto address = Ipv4::parse(text);
        if (!address) {
            warn(fmt::format("\"{}\" is no address: the address is taken from DHCP", printable(text)),
                 "write four numbers from 0 to 255, as 192.168.1.10");
            return;
        }
        const auto first = address->value >> 24;
        if (first == 127 || first >= 224) {
            warn(fmt::format("{} cannot be the address of a node: the address is taken from DHCP", address->text()));
            return;
        }
        interface().address = *address;
    }

    void read_peer(std::string_view text) {
        if (text.empty()) return;
        const auto slash = text.find('/');
        const auto server = Ipv4::parse(text.substr(0, slash));
        if (!server) {
            warn(fmt::format("\"{}\" is no address: the server field is ignored", printable(text)),
                 "there is no name service before the network is up: give the server's address");
        } else {
            interface().server = *server;
        }
        if (slash != std::string_view::npos) read_mask(text.substr(slash + 1));
    }

    void read_gateway(std::string_view text) {
        if (text.empty()) return;
        if (const auto gateway = Ipv4::parse(text))
            interface().gateway = *gateway;
        else
            warn(fmt::format("\"{}\" is no address: there is no gateway", printable(text)), "give an IPv4 address");
    }

    void read_mask(std::string_view text) {
        if (text.empty()) return;
        if (const auto prefix = parse_mask(text))
            interface().prefix = *prefix;
        else
            warn(fmt::format("\"{}\" is no netmask: the mask of the address class is used", printable(text)),
                 "write 255.255.255.0 or 24");
    }

    void read_hostname(std::string_view text) {
        if (text.empty()) return;
        if (is_hostname(text))
            interface().hostname = std::string(text);
        else
            warn(fmt::format("\"{}\" cannot be a hostname: ignored", printable(text)),
                 "letters, digits, dashes and dots are possible");
    }

    void read_device(std::string_view text) {
        if (text.empty()) return;
        if (const auto mac = Mac::parse(text))
            interface().mac = mac;
        else if (is_interface_name(text))
            interface().name = std::string(text);
        else
            warn(fmt::format("\"{}\" cannot be an interface: any interface is used", printable(text)),
                 "write its name (at most 15 characters) or leave the field empty");
    }

    /// The method field, and what it means together with the address.
    void finish(std::string_view method) {
        const auto* autoconf = find_autoconf(method);
        if (!autoconf && is_not_yet(method)) {
            not_yet(method);
            return drop_address(method);
        }
        if (!autoconf && !method.empty())
            warn(fmt::format("\"{}\" is no method: {} is used", printable(method),
                             interface().address.is_set() ? "the address given" : "DHCP"),
                 fmt::format("values are {}", kMethods));
        // The kernel asks nobody when it has address and server, whatever its default "any" allows; the only words
        // that ask for an answer from outside are those that name a protocol.
        const bool asks = autoconf && autoconf->method != AddressMethod::any && autoconf->method != AddressMethod::none;
        if (interface().address.is_set() && !asks) {
            interface().method = AddressMethod::fixed;
            return;
        }
        const bool bad_address = !field(0).empty() && !asks;  // has been warned about: DHCP instead
        if (autoconf && !bad_address)
            set_method(interface(), *autoconf);
        else if (method.empty() && !bad_address)
            set_method(interface(), *find_autoconf("any"));
        drop_address(method);
    }

    void drop_address(std::string_view method) {
        if (!interface().address.is_set()) return;
        warn(fmt::format("asks {} for the address and gives {} too: the one given is ignored", printable(method),
                         interface().address.text()),
             "write none as the method to use the address given");
        interface().address = {};
        interface().prefix = 0;
    }

    void read_server_field(std::string_view text, std::vector<Ipv4>& into, std::string_view what) {
        if (text.empty()) return;
        const auto address = Ipv4::parse(text);
        if (address && address->is_set())
            into.push_back(*address);
        else if (!address)
            warn(fmt::format("\"{}\" is no address of a {}: ignored", printable(text), what), "give an IPv4 address");
    }

    std::optional<Mac> parse_mac_from(std::size_t index) const {
        std::string text;
        for (std::size_t i = index; i < fields_.size() && i < index + 8; ++i) {
            if (i > index) text += ':';
            text += fields_[i];
        }
        return Mac::parse(text);
    }

    void read_mtu_and_mac(std::size_t index) {
        if (const auto text = field(index); !text.empty()) {
            const auto mtu = parse_number<std::uint16_t>(text);
            if (mtu && *mtu >= 68)  // RFC 791: what every IPv4 link must carry
                interface().mtu = *mtu;
            else
                warn(fmt::format("\"{}\" is no MTU: the interface's own is kept", printable(text)),
                     "write a number of bytes from 68 to 65535");
        }
        if (fields_.size() <= index + 1) return;
        // dracut sets this address on the interface; to choose the interface by it would find nothing.
        if (parse_mac_from(index + 1))
            warn("a hardware address cannot be set: the interface keeps its own",
                 "use BOOTIF= or ifname= to choose by it");
        else
            warn("what stands after the MTU is no hardware address: ignored", "leave it out");
    }

    Reading& reading_;
    const Word& word_;
    std::vector<std::string_view> fields_;
    IpReading ip_;
};

bool same_interface(const InterfaceConfig& a, const InterfaceConfig& b) { return a.name == b.name && a.mac == b.mac; }
bool is_nameless(const InterfaceConfig& interface) { return interface.name.empty() && !interface.mac; }

/// Repeated ip=: a bare word for the method says nothing beside a full form; of two for one interface the later wins.
std::vector<IpReading> merge(Reading& reading) {
    std::vector<IpReading> kept;
    std::string client_id;
    const auto full = std::any_of(reading.ips.begin(), reading.ips.end(), [](const IpReading& ip) { return !ip.bare; });
    for (auto& ip : reading.ips) {
        if (ip.bare && full) {
            if (!ip.interface.client_id.empty()) client_id = ip.interface.client_id;
            continue;
        }
        const auto same = std::find_if(kept.begin(), kept.end(), [&](const IpReading& earlier) {
            return same_interface(earlier.interface, ip.interface);
        });
        if (same == kept.end()) {
            kept.push_back(std::move(ip));
            continue;
        }
        // A fixed address is not taken back by a later form without one for the same interface.
        if (same->interface.method == AddressMethod::fixed && ip.interface.method != AddressMethod::fixed &&
            is_nameless(ip.interface))
            continue;
        if (same->interface.method == AddressMethod::fixed && ip.interface.method == AddressMethod::fixed &&
            same->interface.address != ip.interface.address)
            reading.warn(same->word, fmt::format("another address for the same interface comes later: {} is used",
                                                 ip.interface.address.text()));
        *same = std::move(ip);
    }
    for (auto& ip : kept)
        if (ip.interface.client_id.empty() && ip.interface.method != AddressMethod::fixed)
            ip.interface.client_id = client_id;
    return kept;
}

/// A gateway that cannot be one is left out; one outside the network is reached by a route on the link.
void check_gateway(Reading& reading, const Word& word, InterfaceConfig& interface) {
    if (interface.method != AddressMethod::fixed || !interface.gateway.is_set()) return;
    const auto prefix = interface.prefix != 0 ? interface.prefix : classful_prefix(interface.address);
    const auto gateway = interface.gateway;
    const auto leave_out = [&](std::string_view what) {
        reading.warn(word, fmt::format("the gateway {} is {}: there is no gateway", gateway.text(), what),
                     "give the router's own address, or leave the field empty when there is none");
        interface.gateway = {};
    };
    if (prefix < 31 && gateway == broadcast_of(interface.address, prefix))
        leave_out("the broadcast address of the network");
    else if (prefix < 31 && gateway == network_of(interface.address, prefix))
        leave_out("the network itself");
    else if (gateway == interface.address)
        leave_out("the node's own address");
    else if (gateway.value >> 24 == 127 || gateway.value >> 24 >= 224)
        leave_out("no address of a machine");
    else if (!same_network(gateway, interface.address, prefix)) {
        reading.warn(word,
                     fmt::format("the gateway {} is outside {}/{}: a route to it on the link is added", gateway.text(),
                                 interface.address.text(), prefix),
                     "check netmask and gateway");
        reading.config.network.routes.push_back({Route{gateway, 32, {}}, interface.name});
    }
}

void check_address(Reading& reading, const Word& word, const InterfaceConfig& interface) {
    if (interface.method != AddressMethod::fixed) return;
    const auto prefix = interface.prefix != 0 ? interface.prefix : classful_prefix(interface.address);
    if (prefix >= 31) return;
    const auto network = network_of(interface.address, prefix);
    if (interface.address == network || interface.address == broadcast_of(interface.address, prefix))
        reading.warn(
            word,
            fmt::format("{} is the {} address of its /{} network: it is used, but hardly works",
                        interface.address.text(), interface.address == network ? "network" : "broadcast", prefix),
            "check address and netmask");
}

}  // namespace

void read_ip(Reading& reading, const Word& word) {
    if (reading.ips.size() >= kMaxIps) {
        reading.warn(word, fmt::format("there are more than {} of it: the rest is ignored", kMaxIps));
        return;
    }
    IpReader(reading, word, word.argument()).read();
}

void settle_network(Reading& reading) {
    auto& network = reading.config.network;
    auto ips = merge(reading);
    if (!reading.devices.empty() && std::all_of(ips.begin(), ips.end(), [](const auto& ip) { return ip.bare; })) {
        const auto like = ips.empty() ? IpReading{} : ips.front();
        ips.clear();
        for (const auto& device : reading.devices) ips.emplace_back(like).interface.name = device;
    }
    if (ips.empty() && reading.mtu) ips.emplace_back();
    // A node without a network has no root: "off" for every interface is not what can be meant.
    for (auto& ip : ips) {
        if (ip.interface.method != AddressMethod::none || !is_nameless(ip.interface)) continue;
        reading.warn(ip.word, "turns the network off, and the root is on the network: DHCP is used",
                     "write ip=dhcp, or the address as the first field");
        ip.interface.method = AddressMethod::dhcp;
    }
    const bool all_off =
        std::all_of(ips.begin(), ips.end(), [](const auto& ip) { return ip.interface.method == AddressMethod::none; });
    if (!ips.empty() && all_off) ips.emplace_back();  // the others, by DHCP

    auto& time_servers = reading.config.time.servers;
    const bool time_servers_named = !time_servers.empty();  // diskless.ntp=
    for (auto& ip : ips) {
        auto& interface = ip.interface;
        if (interface.method == AddressMethod::fixed) {
            if (reading.gateway && !interface.gateway.is_set())
                if (const auto gateway = Ipv4::parse(reading.gateway->argument())) interface.gateway = *gateway;
            if (reading.prefix && interface.prefix == 0) interface.prefix = *reading.prefix;
        }
        if (reading.mtu && interface.mtu == 0) interface.mtu = *reading.mtu;
        check_address(reading, ip.word, interface);
        check_gateway(reading, ip.word, interface);
        if (!interface.hostname.empty()) {
            // hostname= and the other ones of its kind are stronger, the first interface is before the second
            const int rank = ip.from_defaults ? -1 : 9;
            if (rank > reading.hostname.rank) reading.hostname.offer(interface.hostname, rank);
            // kernel, ipconfig.c: what follows the first dot is the NIS domain
            const auto dot = interface.hostname.find('.');
            if (reading.config.nis_domain.empty() && dot != std::string::npos)
                reading.config.nis_domain = interface.hostname.substr(dot + 1);
        }
        for (const auto server : interface.ntp)
            if (!time_servers_named && time_servers.size() < 8) time_servers.push_back(server);
        network.interfaces.push_back(std::move(interface));
    }
    if (!reading.use_boot_mac) network.boot_mac.reset();
    if (reading.network_timeout.value) network.timeout = *reading.network_timeout.value;
}

}  // namespace diskless
