#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "common/base/text.hpp"
#include "common/net/bytes.hpp"
#include "common/net/dhcp_codes.hpp"
#include "common/net/dhcp_packet.hpp"

namespace diskless {

namespace {
constexpr std::size_t kLongestName = 64;     // HOST_NAME_MAX
constexpr std::uint16_t kSmallestMtu = 576;  // every IPv4 host takes that much (RFC 791)
constexpr std::uint32_t kForever = 0xFFFFFFFF;
constexpr std::chrono::seconds kShortestLease{10};

/// Reads options as typed values; what is unusable goes to `ignored`.
class OptionReader {
  public:
    OptionReader(const DhcpOptions& options, std::vector<std::string>& ignored) : options_(options), ignored_(ignored) {
        if (options.cut_short()) ignore("an option reaches past the end of the message, the rest after it is ignored");
    }

    void ignore(std::string line) { ignored_.push_back(std::move(line)); }

    std::string text(dhcp::Code code, std::string_view name) {
        auto value = options_.value(code);
        while (!value.empty() && value.back() == '\0') value.pop_back();  // RFC 2132 section 2
        if (is_clean(value)) return value;
        ignore(fmt::format("{} (option {}) is not plain text: \"{}\"", name, int{code}, printable(value)));
        return {};
    }

    std::string host_name(dhcp::Code code, std::string_view name) {
        auto value = text(code, name);
        if (value.size() > 1 && value.ends_with('.')) value.pop_back();
        if (value.empty() || is_host_name(value)) return value;
        ignore(fmt::format("{} (option {}) is not a valid name: \"{}\"", name, int{code}, printable(value)));
        return {};
    }

    std::vector<Ipv4> addresses(dhcp::Code code, std::string_view name) {
        const auto value = options_.value(code);
        if (value.size() % 4 != 0) ignore(fmt::format("{} (option {}) is not a list of addresses", name, int{code}));
        std::vector<Ipv4> result;
        for (ByteReader in(value); in.left() >= 4;) {
            const auto address = in.ipv4();
            if (is_host_address(address) && std::find(result.begin(), result.end(), address) == result.end())
                result.push_back(address);
        }
        return result;
    }

    std::optional<std::uint32_t> number(dhcp::Code code, std::size_t size) {
        if (!options_.has(code)) return std::nullopt;
        const auto value = options_.value(code);
        // A repeated option is longer: the first one counts.
        if (value.size() < size || value.size() % size != 0) {
            ignore(fmt::format("option {} has a wrong length", int{code}));
            return std::nullopt;
        }
        ByteReader in(value);
        return size == 1 ? in.u8() : size == 2 ? in.u16() : in.u32();
    }

    Ipv4 address(dhcp::Code code) {
        const Ipv4 value(number(code, 4).value_or(0));
        return is_host_address(value) ? value : Ipv4{};
    }

    /// RFC 3442: prefix length, the significant octets of the network, the router.
    std::vector<Route> routes() {
        const auto value = options_.value(dhcp::classless_routes);
        std::vector<Route> result;
        ByteReader in(value);
        while (in.left() > 0) {
            Route route;
            route.prefix = in.u8();
            std::uint32_t network = 0;
            const auto octets = in.bytes((route.prefix + 7U) / 8U);
            for (std::size_t i = 0; i < octets.size() && i < 4; ++i)
                network |= std::uint32_t{static_cast<std::uint8_t>(octets[i])} << (24 - 8 * i);
            route.router = in.ipv4();
            if (!in.ok() || route.prefix > 32) {
                ignore("classless routes (option 121) are malformed");
                return {};
            }
            // Octets beyond the prefix must be zero; a router must be told the masked network in any case.
            route.destination = network_of(Ipv4(network), route.prefix);
            result.push_back(route);
        }
        return result;
    }

    static bool is_clean(std::string_view value) { return printable(value) == value; }

  private:
    const DhcpOptions& options_;
    std::vector<std::string>& ignored_;
};

std::uint8_t prefix_from(OptionReader& options, Ipv4 address) {
    if (const auto mask = options.number(dhcp::subnet_mask, 4)) {
        const auto prefix = prefix_of(Ipv4(*mask));
        if (prefix && *prefix > 0) return *prefix;
        options.ignore(fmt::format("network mask {} makes no sense", Ipv4(*mask).text()));
    }
    return classful_prefix(address);
}

void read_times(OptionReader& options, Lease& lease) {
    const auto seconds = options.number(dhcp::lease_time, 4);
    if (!seconds || *seconds == kForever) return;  // a server that names no end grants no less than for ever
    lease.lease_time = std::chrono::seconds(*seconds);
    if (lease.lease_time < kShortestLease) {
        options.ignore(fmt::format("lease time of {} s is too short to live with", *seconds));
        lease.lease_time = kShortestLease;
    }
    const auto renew = std::chrono::seconds(options.number(dhcp::renew_time, 4).value_or(0));
    const auto rebind = std::chrono::seconds(options.number(dhcp::rebind_time, 4).value_or(0));
    const std::chrono::seconds none{0};
    const auto latest = lease.lease_time * 7 / 8;
    lease.rebind_after = rebind > none && rebind < lease.lease_time ? rebind : latest;
    lease.renew_after = renew > none && renew < lease.rebind_after ? renew : lease.lease_time / 2;
    // T1 alone, or T2 alone, may contradict the default of the other.
    if (lease.renew_after >= lease.rebind_after) {
        lease.renew_after = lease.lease_time / 2;
        lease.rebind_after = latest;
    }
}

std::string until_nul(std::string_view field) { return std::string(field.substr(0, field.find('\0'))); }

void read_boot_file(OptionReader& options, const DhcpOptions& raw, std::string_view file, Lease& lease) {
    lease.boot_file = options.text(dhcp::boot_file, "boot file");
    if (!lease.boot_file.empty() || raw.file_is_options()) return;
    auto name = until_nul(file);
    if (OptionReader::is_clean(name)) lease.boot_file = std::move(name);
}

void read_lease(OptionReader& options, Lease& lease) {
    lease.prefix = prefix_from(options, lease.address);
    lease.routes = options.routes();
    // RFC 3442: a client that takes option 121 must ignore option 3.
    if (lease.routes.empty()) lease.routers = options.addresses(dhcp::router, "router");
    lease.dns = options.addresses(dhcp::dns, "name server");
    lease.log_servers = options.addresses(dhcp::log_server, "log server");
    lease.ntp = options.addresses(dhcp::ntp, "time server");
    lease.hostname = options.host_name(dhcp::hostname, "host name");
    lease.domain = options.host_name(dhcp::domain, "domain");
    lease.nis_domain = options.host_name(dhcp::nis_domain, "NIS domain");
    lease.root_path = options.text(dhcp::root_path, "root path");
    if (const auto mtu = options.number(dhcp::mtu, 2)) {
        if (*mtu >= kSmallestMtu)
            lease.mtu = static_cast<std::uint16_t>(*mtu);
        else
            options.ignore(fmt::format("MTU of {} bytes is too small", *mtu));
    }
    if (!lease.next_server.is_set())
        lease.next_server = Ipv4::parse(options.text(dhcp::tftp_server, "TFTP server")).value_or(Ipv4{});
}
}  // namespace

bool is_host_name(std::string_view text) {
    if (text.empty() || text.size() > kLongestName) return false;
    for (const auto label : split(text, '.')) {
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        for (const char c : label) {
            const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!alphanumeric && c != '-' && c != '_') return false;
        }
    }
    return true;
}

Result<DhcpReply> parse_dhcp_reply(std::string_view payload) {
    ByteReader in(payload);
    const auto operation = in.u8();
    in.u8();  // hardware type: InfiniBand and friends answer with their own
    const auto hardware_size = in.u8();
    in.u8();  // hops
    DhcpReply reply;
    reply.xid = in.u32();
    in.u16();   // secs
    in.u16();   // flags
    in.ipv4();  // ciaddr
    reply.lease.address = in.ipv4();
    reply.lease.next_server = in.ipv4();
    in.ipv4();  // giaddr
    reply.mac = in.mac();
    in.bytes(10);
    const auto sname = in.bytes(dhcp::kSnameSize);
    const auto file = in.bytes(dhcp::kFileSize);
    if (!in.ok()) return fail(fmt::format("DHCP message of {} bytes is cut short", payload.size()));
    if (operation != dhcp::kBootReply) return fail("DHCP message is not from a server");
    if (hardware_size != 6) return fail("DHCP message is not for an Ethernet address");

    // Plain BOOTP servers may send no vendor area at all, or one of their own making.
    const bool has_options = in.left() >= 4 && in.u32() == dhcp::kMagicCookie;
    const DhcpOptions raw(has_options ? in.rest() : std::string_view{}, file, sname);
    OptionReader options(raw, reply.ignored);

    const auto type = options.number(dhcp::message_type, 1).value_or(0);
    if (type > static_cast<std::uint32_t>(DhcpType::inform)) return fail(fmt::format("DHCP message of type {}", type));
    reply.type = static_cast<DhcpType>(type);
    reply.message = printable(options.text(dhcp::message, "message"));
    auto& lease = reply.lease;
    lease.source = reply.type == DhcpType::bootp ? LeaseSource::bootp : LeaseSource::dhcp;
    lease.server_id = options.address(dhcp::server_id);
    if (!is_host_address(lease.next_server)) lease.next_server = {};
    if (reply.type == DhcpType::nak) return reply;

    if (!is_host_address(lease.address)) return fail("DHCP message gives the address " + lease.address.text());
    read_lease(options, lease);
    read_boot_file(options, raw, file, lease);
    if (reply.type != DhcpType::bootp) read_times(options, lease);
    return reply;
}

}  // namespace diskless
