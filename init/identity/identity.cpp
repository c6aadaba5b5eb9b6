#include "init/identity/identity.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/net/dhcp_packet.hpp"

namespace diskless {

std::string name_in_hosts(std::string_view hosts, Ipv4 address) {
    for (const auto line : lines(hosts)) {
        const auto fields = words(line.substr(0, line.find('#')));
        if (fields.size() >= 2 && Ipv4::parse(fields[0]) == address && is_host_name(fields[1]))
            return std::string(fields[1]);
    }
    return {};
}

NodeName choose_name(const NameSources& sources, Ipv4 address) {
    struct Source {
        const std::string& name;
        const char* text;
    };
    const Source by_strength[] = {{sources.snapshot, "snapshot"},
                                  {sources.configuration, "command line"},
                                  {sources.lease, "dhcp"},
                                  {sources.hosts, "hosts"},
                                  {sources.snapshot_name, "snapshot name"}};
    for (const auto& source : by_strength) {
        const auto name = trim(source.name);
        if (!is_host_name(name) || name == "localhost" || name.starts_with("localhost.") || Ipv4::parse(name)) continue;
        const auto dot = name.find('.');
        return {std::string(name.substr(0, dot)),
                dot == std::string_view::npos ? std::string() : std::string(name.substr(dot + 1)), source.text};
    }
    auto digits = address.text();
    std::ranges::replace(digits, '.', '-');
    return {"node-" + digits, {}, "address"};
}

std::string make_hosts(std::string_view own, const NodeName& name, Ipv4 address) {
    const auto full = name.domain.empty() ? std::string() : name.hostname + "." + name.domain;
    std::string text;
    bool has_localhost = false;
    bool has_us = false;
    for (const auto line : lines(own)) {
        const auto fields = words(line.substr(0, line.find('#')));
        if (fields.size() >= 2) {
            const auto given = Ipv4::parse(fields[0]);
            const auto names_us = std::ranges::any_of(
                fields.begin() + 1, fields.end(), [&](auto field) { return field == name.hostname || field == full; });
            if (given == address && names_us) has_us = true;
            // The golden node's own name, or our address under an old name: neither is true on this node.
            if (given && names_us != (given == address) && (names_us || given == address)) continue;
            if (given == Ipv4(127, 0, 0, 1) && std::ranges::find(fields, "localhost") != fields.end())
                has_localhost = true;
        }
        text += line;
        text += '\n';
    }
    if (!has_us)
        text.insert(0, fmt::format("{}\t{}{}{}\n", address.text(), full, full.empty() ? "" : " ", name.hostname));
    if (!has_localhost) text.insert(0, "127.0.0.1\tlocalhost\n");
    return text;
}

std::string make_resolv_conf(const std::vector<Ipv4>& servers, std::string_view domain) {
    std::string text;
    if (is_host_name(domain)) text += fmt::format("search {}\n", domain);
    // resolver(5) reads three nameserver lines (MAXNS).
    for (std::size_t i = 0; i < std::min<std::size_t>(servers.size(), 3); ++i)
        text += fmt::format("nameserver {}\n", servers[i].text());
    return text;
}

namespace {

/// 32 lower-case digits of a text that may hold dashes; empty when it is something else.
std::string plain_id(std::string_view text) {
    std::string id;
    for (const char c : lower(trim(text)))
        if (c != '-') id += c;
    const bool hexadecimal =
        std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    // machine-id(5): all zeros is "no id", systemd refuses it.
    const bool null = id.find_first_not_of('0') == std::string::npos;
    return id.size() == 32 && hexadecimal && !null ? id : std::string();
}

/// Boards leave the factory with these in great numbers: they name nobody.
bool is_placeholder(std::string_view id) {
    return std::ranges::all_of(id, [&](char c) { return c == id.front(); }) ||
           id == "03000200040005000006000700080009" || id == "12345678123412341234123456789012" ||
           id == "00020003000400050006000700080009";
}

}  // namespace

MachineId choose_machine_id(std::string_view kept, std::string_view configured, std::string_view smbios_uuid,
                            const Mac& mac, Ipv4 address) {
    if (auto id = plain_id(configured); !id.empty()) return {id, "command line"};  // as systemd goes by it, too
    if (auto id = plain_id(kept); !id.empty()) return {id, "snapshot"};
    if (auto id = plain_id(smbios_uuid); !id.empty() && !is_placeholder(id)) return {id, "smbios"};
    if (!mac.is_set() && address.is_set())
        return {fmt::format("6469736b6c6580008000ffff{:08x}", address.value), "address"};
    std::string digits;
    for (const auto byte : mac.bytes) digits += fmt::format("{:02x}", byte);
    // A version 8 UUID (RFC 9562 section 5.8) that holds nothing but the hardware address.
    return {"6469736b6c6580008000" + digits, "mac"};
}

}  // namespace diskless
