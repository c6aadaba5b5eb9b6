#include "server-helper/model/node_import.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/text.hpp"
#include "server-helper/model/cluster.hpp"

namespace diskless::server {

namespace {
/// Names are taken without domain; a name that no node can have is said so.
bool take_name(std::string_view word, ImportedNode& node, Imported& result) {
    const auto name = word.substr(0, word.find('.'));
    if (name == "localhost" || name == "broadcasthost") return false;
    if (!is_node_name(name)) {
        result.skipped.push_back(fmt::format("line {}: a node cannot be named \"{}\"", node.line, printable(word)));
        return false;
    }
    node.name = name;
    return true;
}

/// Loopback, multicast and the like stand in every /etc/hosts.
void add(ImportedNode node, Imported& result) {
    if (node.address.is_set() && !is_host_address(node.address)) return;
    result.nodes.push_back(std::move(node));
}

std::string_view without_comment(std::string_view line) { return trim(line.substr(0, line.find('#'))); }

bool is_ipv6(std::string_view word) {
    in6_addr address{};
    return ::inet_pton(AF_INET6, std::string(word.substr(0, word.find('%'))).c_str(), &address) == 1;
}

bool refuse_address(std::string_view word, const ImportedNode& node, Imported& result) {
    result.skipped.push_back(fmt::format("line {}: \"{}\" is no hardware address", node.line, printable(word)));
    return true;
}

void read_words(std::string_view text, Imported& result) {
    int number = 0;
    for (const auto line : lines(text)) {
        ++number;
        const auto all = words(without_comment(line));
        if (all.empty()) continue;
        ImportedNode node;
        node.line = number;
        bool foreign = false;
        for (const auto word : all) {
            if (const auto mac = Mac::parse(word); mac && word.find_first_of(":-.") != std::string_view::npos)
                node.mac = *mac;
            else if (const auto address = Ipv4::parse(word))
                node.address = *address;
            else if (word.find(':') != std::string_view::npos)
                foreign = is_ipv6(word) || refuse_address(word, node, result);
            else if (node.name.empty() && !take_name(word, node, result))
                foreign = true;
            if (foreign) break;
        }
        if (foreign) continue;
        if (node.name.empty() || (!node.address.is_set() && !node.mac.is_set()))
            result.skipped.push_back(
                fmt::format("line {}: needs a name and an address: \"{}\"", number, printable(trim(line))));
        else
            add(std::move(node), result);
    }
}

std::string_view unquoted(std::string_view field) {
    field = trim(field);
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
    return trim(field);
}

/// Each column and how sites spell it, without case, "-", "_" and blanks.
constexpr std::pair<const char*, const char*> kColumns[] = {
    {"name", "name node nodename host hostname fqdn"},
    {"ip", "ip ipaddr ipaddress address ipv4 ipv4address"},
    {"mac", "mac macaddr macaddress hwaddr hwaddress hardwareaddress ethernet"},
    {"groups", "group groups"},
    {"image", "image"}};

/// Empty when it is not known.
std::string column_of(std::string_view field) {
    auto spelled = lower(field);
    std::erase_if(spelled, [](char each) { return each == '-' || each == '_' || each == ' '; });
    for (const auto& [column, spellings] : kColumns)
        for (const auto known : words(spellings))
            if (known == spelled) return column;
    return {};
}

/// Which column is which, by the heading; empty when the first line is no heading.
std::vector<std::string> heading_of(std::string_view line) {
    std::vector<std::string> columns;
    bool any = false;
    for (const auto field : split(line, ',')) {
        columns.push_back(column_of(unquoted(field)));
        any |= !columns.back().empty();
    }
    return any ? columns : std::vector<std::string>{};
}

/// A heading must say which column is the name; what else it says is taken or told.
Result<> check_heading(std::string_view line, int number, const std::vector<std::string>& columns, Imported& result) {
    constexpr const char* kKnown = "columns are name, ip, mac, groups, image";
    if (std::ranges::find(columns, "name") == columns.end())
        return fail(fmt::format("line {}: the heading has no column \"name\"", number), kKnown);
    const auto fields = split(line, ',');
    for (std::size_t at = 0; at < fields.size(); ++at)
        if (const auto field = unquoted(fields[at]); columns[at].empty() && !field.empty())
            result.warnings.push_back(
                fmt::format("line {}: column \"{}\" is not known and not taken: {}", number, printable(field), kKnown));
    return {};
}

Result<> read_csv(std::string_view text, Imported& result) {
    std::vector<std::string> columns;
    int number = 0;
    bool first = true;
    for (auto line : lines(text)) {
        ++number;
        line = trim(line);
        if (line.empty() || line.front() == '#') continue;
        if (std::exchange(first, false)) {
            columns = heading_of(line);
            if (!columns.empty()) {
                TRY(check_heading(line, number, columns, result));
                continue;
            }
        }
        ImportedNode node;
        node.line = number;
        const auto fields = split(line, ',');
        bool good = true;
        for (std::size_t at = 0; at < fields.size() && good; ++at) {
            const auto field = unquoted(fields[at]);
            auto column = at < columns.size() ? columns[at] : std::string();
            const auto address = Ipv4::parse(field);
            const auto mac = Mac::parse(field);
            if (columns.empty()) column = address ? "ip" : mac ? "mac" : node.name.empty() ? "name" : "";
            if (column.empty() && !field.empty() && (columns.empty() || at >= columns.size()))
                result.warnings.push_back(fmt::format("line {}: \"{}\" {} and is not taken", number, printable(field),
                                                      columns.empty() ? "is no address" : "has no column"));
            if (column.empty() || field.empty()) continue;
            if (column == "name") {
                good = take_name(field, node, result);
            } else if (column == "ip") {
                if (!address) return fail(fmt::format("line {}: \"{}\" is no IPv4 address", number, printable(field)));
                node.address = *address;
            } else if (column == "mac") {
                if (!mac) return fail(fmt::format("line {}: \"{}\" is no hardware address", number, printable(field)));
                node.mac = *mac;
            } else if (column == "groups") {
                for (const auto group : split(field, ';'))
                    if (!trim(group).empty()) node.groups.emplace_back(trim(group));
            } else {
                node.image = field;
            }
        }
        if (good && node.name.empty()) result.skipped.push_back(fmt::format("line {}: has no name", number));
        if (good && !node.name.empty()) add(std::move(node), result);
    }
    return {};
}

// dnsmasq.leases: "expiry mac address hostname client-id", hostname "*" when there is none; lines of IPv6 follow
// "duid".
void read_dnsmasq(std::string_view text, Imported& result) {
    int number = 0;
    for (const auto line : lines(text)) {
        ++number;
        const auto fields = words(line);
        if (!fields.empty() && fields[0] == "duid") return;
        if (fields.size() < 4) continue;
        const auto mac = Mac::parse(fields[1]);
        const auto address = Ipv4::parse(fields[2]);
        if (!mac || !address) continue;
        ImportedNode node;
        node.line = number, node.mac = *mac, node.address = *address;
        if (fields[3] == "*" || take_name(fields[3], node, result)) add(std::move(node), result);
    }
}

// dhcpd.leases(5): a log, in which the last word on an address counts.
void read_isc(std::string_view text, Imported& result) {
    std::map<Ipv4, ImportedNode> leases;
    ImportedNode node;
    bool inside = false;
    int number = 0;
    for (const auto line : lines(text)) {
        ++number;
        auto fields = words(without_comment(line));
        if (fields.empty()) continue;
        const auto value = [&](std::size_t at) {
            auto word = fields[at];
            if (word.ends_with(';')) word.remove_suffix(1);
            return unquoted(word);
        };
        if (fields[0] == "lease" && fields.size() >= 2) {
            const auto address = Ipv4::parse(fields[1]);
            inside = address.has_value();
            node = {};
            node.line = number;
            if (address) node.address = *address;
        } else if (fields[0] == "}") {
            if (inside && node.mac.is_set()) leases[node.address] = node;
            inside = false;
        } else if (inside && fields[0] == "hardware" && fields.size() >= 3) {
            if (const auto mac = Mac::parse(value(2))) node.mac = *mac;
        } else if (inside && fields[0] == "client-hostname" && fields.size() >= 2) {
            (void)take_name(value(1), node, result);
        }
    }
    for (auto& [address, lease] : leases) result.nodes.push_back(std::move(lease));
}

bool is_dnsmasq(std::string_view line) {
    const auto fields = words(line);
    return fields.size() >= 4 && parse_number<std::uint64_t>(fields[0]) && Mac::parse(fields[1]) &&
           Ipv4::parse(fields[2]);
}
}  // namespace

Result<Imported> read_node_list(std::string_view text) {
    if (text.find('\0') != std::string_view::npos)
        return fail("this is no list of nodes: it has NUL bytes", "save the list as plain text (UTF-8)");
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // spreadsheets write it
    Imported result;
    std::string_view first;
    bool isc = false;
    for (const auto line : lines(text)) {
        const auto content = without_comment(line);
        if (first.empty()) first = content;
        isc |= content.starts_with("lease ") && content.ends_with('{');
    }
    result.leases = isc || is_dnsmasq(first);
    if (isc)
        read_isc(text, result);
    else if (result.leases)
        read_dnsmasq(text, result);
    else if (first.find(',') != std::string_view::npos)
        TRY(read_csv(text, result));
    else
        read_words(text, result);
    return result;
}

}  // namespace diskless::server
