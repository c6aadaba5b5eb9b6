#include "init/identity/rewrite.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless {

namespace {

bool is_local_disk(std::string_view source) {
    for (const std::string_view start : {"/dev/", "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL="})
        if (source.starts_with(start)) return true;
    return false;
}

/// What carry-api has moved into the root.
bool is_there_already(std::string_view target, bool var_run_is_run) {
    while (target.size() > 1 && target.ends_with('/')) target.remove_suffix(1);
    for (const std::string_view api : {"/proc", "/sys", "/dev", "/run"})
        if (target == api) return true;
    return var_run_is_run && target == "/var/run";
}

bool may_be_absent(std::string_view options) {
    const auto all = split(options, ',');
    return std::ranges::find(all, "noauto") != all.end() || std::ranges::find(all, "nofail") != all.end();
}

}  // namespace

std::optional<std::string> rewrite_fstab(std::string_view text, std::string_view root_line, bool var_run_is_run) {
    std::string result(root_line);
    bool changed = !root_line.empty();
    if (changed) result += '\n';
    for (const auto line : lines(text)) {
        const auto fields = words(line);
        const bool entry = fields.size() >= 3 && !fields[0].starts_with('#');
        if (entry && (fields[1] == "/" || is_there_already(fields[1], var_run_is_run))) {
            result += "# mounted by diskless-init: ";
            changed = true;
        } else if (entry && fields.size() >= 4 && is_local_disk(fields[0]) && !may_be_absent(fields[3])) {
            result += fmt::format("{} {} {} {},nofail,x-systemd.device-timeout=5s", fields[0], fields[1], fields[2],
                                  fields[3]);
            for (std::size_t i = 4; i < fields.size(); ++i) result += fmt::format(" {}", fields[i]);
            result += '\n';
            changed = true;
            continue;
        }
        result += line;
        result += '\n';
    }
    return changed ? std::optional(result) : std::nullopt;
}

std::optional<std::string> rewrite_interfaces(std::string_view text, std::string_view interface) {
    std::string result;
    bool changed = false;
    bool said = false;
    bool dropping = false;  // inside a stanza of our interface
    for (const auto line : lines(text)) {
        const auto fields = words(line);
        const auto keyword = fields.empty() ? std::string_view() : fields[0];
        const bool begins = keyword == "iface" || keyword == "mapping" || keyword == "auto" || keyword == "source" ||
                            keyword == "source-directory" || keyword == "no-auto-down" || keyword == "no-scripts" ||
                            keyword == "rename" || keyword == "template" || keyword.starts_with("allow-");
        if (begins) dropping = false;
        if (keyword == "iface" && fields.size() >= 2 && fields[1] == interface) {
            if (!said) result += fmt::format("# {} carries the root: diskless-init keeps it\n", interface);
            result += fmt::format("iface {} {} manual\n", interface, fields.size() >= 3 ? fields[2] : "inet");
            dropping = changed = said = true;
            continue;
        }
        if ((keyword == "auto" || keyword.starts_with("allow-")) &&
            std::ranges::find(fields.begin() + 1, fields.end(), interface) != fields.end()) {
            changed = true;
            std::string kept(keyword);
            for (std::size_t i = 1; i < fields.size(); ++i)
                if (fields[i] != interface) kept += fmt::format(" {}", fields[i]);
            if (kept.size() > keyword.size()) result += kept + "\n";
            continue;
        }
        if (dropping && !fields.empty() && !keyword.starts_with('#')) continue;
        result += line;
        result += '\n';
    }
    return changed ? std::optional(result) : std::nullopt;
}

std::optional<std::string> rewrite_rcs(std::string_view text) {
    if (text.find("ASYNCMOUNTNFS") == std::string_view::npos) return std::nullopt;
    std::string result(text);
    if (result.back() != '\n') result += '\n';
    return result + "# the interface that carries the root is up before any ifup\nASYNCMOUNTNFS=no\n";
}

std::optional<std::string> rewrite_dhcpcd(std::string_view text, std::string_view interface) {
    std::string result(text);
    if (!result.empty() && result.back() != '\n') result += '\n';
    // denyinterfaces is global: it must stand before the first "interface" block.
    return fmt::format("# {0} carries the root: diskless-init keeps it\ndenyinterfaces {0}\n{1}", interface, result);
}

std::optional<std::string> rewrite_ifcfg(std::string_view text) {
    std::string result = "# this interface carries the root: diskless-init keeps it\n";
    for (const auto line : lines(text)) {
        if (line.starts_with("ONBOOT=") || line.starts_with("NM_CONTROLLED=")) continue;
        result += line;
        result += '\n';
    }
    return result + "ONBOOT=no\nNM_CONTROLLED=no\n";
}

}  // namespace diskless
