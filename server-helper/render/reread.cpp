#include "server-helper/render/reread.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "common/base/text.hpp"
#include "common/os/files.hpp"

namespace diskless::server {

namespace {
struct Reader {
    std::string_view file;     // below boot/
    std::string_view unit;     // of render/systemd.cpp
    std::string_view command;  // of systemctl(1): what its server does for the file
};
// rarpd sees the files that were there when it began; SIGHUP makes dnsmasq read its hosts, not its configuration. Of
// one server the first counts.
constexpr std::array<Reader, 10> kReaders{{{"etc/ganesha.conf", "diskless-ganesha", "reload"},
                                           {"etc/dnsmasq.conf", "diskless-dnsmasq", "restart"},
                                           {"etc/dnsmasq.hosts", "diskless-dnsmasq", "kill --signal=HUP"},
                                           {"etc/dnsmasq-proxy.conf", "diskless-dnsmasq-proxy", "restart"},
                                           {"etc/dnsmasq-proxy.hosts", "diskless-dnsmasq-proxy", "kill --signal=HUP"},
                                           {"etc/dhcpd.conf", "diskless-dhcpd", "restart"},
                                           {"etc/kea-dhcp4.conf", "diskless-kea", "reload"},
                                           {"etc/bootptab", "diskless-bootpd", "reload"},
                                           {"etc/ethers", "diskless-rarpd", "restart"},
                                           {"etc/hosts", "diskless-rarpd", "restart"}}};
constexpr std::string_view kUnits = "etc/systemd/";
constexpr std::string_view kService = ".service";
}  // namespace

std::vector<std::string> commands_to_reread(const Files& files, const std::string& boot,
                                            const std::vector<FileChange>& changes) {
    const auto has = [&](std::string_view file, ChangeKind kind) {
        const auto path = join_path(boot, file);
        return std::ranges::any_of(changes, [&](const auto& each) { return each.kind == kind && each.path == path; });
    };
    std::vector<std::string> fresh, gone, commands;
    std::set<std::string_view> told;
    bool other_units = false;
    const auto units = join_path(boot, kUnits);
    for (const auto& change : changes) {
        if (!change.path.starts_with(units) || !change.path.ends_with(kService)) continue;
        if (change.kind == ChangeKind::created) fresh.push_back(change.path);
        if (change.kind == ChangeKind::removed) gone.push_back(base_name(change.path));
        other_units |= change.kind == ChangeKind::changed;
    }
    if (!gone.empty()) commands.push_back("systemctl disable --now " + join(gone, " "));
    if (other_units) commands.emplace_back("systemctl daemon-reload");
    if (has("etc/exports", ChangeKind::created))
        commands.push_back(
            fmt::format("ln -sf {} /etc/exports.d/diskless.exports && exportfs -ra", join_path(boot, "etc/exports")));
    else if (has("etc/exports", ChangeKind::changed))
        commands.emplace_back("exportfs -ra");
    for (const auto& reader : kReaders) {
        const auto unit = fmt::format("{}{}{}", kUnits, reader.unit, kService);
        if (!has(reader.file, ChangeKind::changed) || has(unit, ChangeKind::created) ||
            !files.exists(join_path(boot, unit)))
            continue;
        if (told.insert(reader.unit).second)
            commands.push_back(fmt::format("systemctl {} {}", reader.command, reader.unit));
    }
    if (!fresh.empty()) commands.push_back("systemctl enable --now " + join(fresh, " "));
    return commands;
}

}  // namespace diskless::server
