// The texts of Red Hat's tools: their options, what they print, the PXELINUX file.
#include <fmt/core.h>

#include "common/base/text.hpp"
#include "common/os/files.hpp"
#include "server-helper/snapshot/red_hat.hpp"

namespace diskless::server {

std::string pxelinux_text(const RedHatNode& node, const RedHatSystem& system) {
    auto append = fmt::format("{} initrd={}/initrd.img root=/dev/ram0 init=disklessrc NFSROOT={}{}{}", node.serial,
                              system.name, system.server, system.server.empty() ? "" : ":", system.location);
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) append += fmt::format(" {}={}", name, value);
    };
    add("ramdisk_size", node.ramdisk_size);
    add("ETHERNET", node.interface);
    add("SNAPSHOT", node.snapshot);
    add("NISDOMAIN", node.nis_domain);
    return fmt::format("default {0}\n\nlabel {0}\n    kernel {0}/vmlinuz\n    append {1}\n", system.name, append);
}

std::optional<RedHatEntry> parse_pxelinux(std::string_view text, Ipv4 address) {
    RedHatEntry entry;
    entry.node.address = address;
    for (const auto line : lines(text)) {
        const auto fields = words(line);
        if (fields.size() < 2) continue;
        if (lower(fields[0]) == "kernel") {
            entry.node.system = fields[1].substr(0, fields[1].find('/'));
        } else if (lower(fields[0]) == "append") {
            for (const auto field : std::vector(fields.begin() + 1, fields.end())) {
                const auto equals = field.find('=');
                if (equals == std::string_view::npos) continue;
                const auto name = field.substr(0, equals), value = field.substr(equals + 1);
                if (name == "console") entry.node.serial = field;
                if (name == "ramdisk_size") entry.node.ramdisk_size = value;
                if (name == "ETHERNET") entry.node.interface = value;
                if (name == "SNAPSHOT") entry.node.snapshot = value;
                if (name == "NISDOMAIN") entry.node.nis_domain = value;
                if (name != "NFSROOT") continue;
                const auto colon = value.find(':');
                entry.server = colon == std::string_view::npos ? "" : value.substr(0, colon);
                entry.location = colon == std::string_view::npos ? value : value.substr(colon + 1);
            }
        }
    }
    if (entry.node.system.empty() || entry.node.snapshot.empty()) return std::nullopt;
    return entry;
}

std::string describe(const RedHatSystem& system) {
    return fmt::format("Description: {}\nProtocol: {}\nisDiskless: {}\nLocation: {}\n", printable(system.description),
                       printable(system.protocol), system.diskless ? "True" : "False",
                       printable(system.server.empty() ? system.location : system.server + ":" + system.location));
}

Result<RedHatOptions> parse_red_hat_options(const std::vector<std::string>& arguments, std::string_view flags,
                                            std::string_view with_value) {
    RedHatOptions options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const auto& argument = arguments[i];
        if (argument.starts_with("--")) {
            const auto equals = argument.find('=');
            const auto name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
            if (name != "help" && name != "tftp-dir" && name != "initrd")
                return fail("unknown option " + printable(argument));
            options.words[name] = equals == std::string::npos ? "" : argument.substr(equals + 1);
        } else if (argument.size() >= 2 && argument[0] == '-') {
            const char letter = argument[1];
            if (flags.find(letter) != std::string_view::npos && argument.size() == 2) {
                options.flags += letter;
            } else if (with_value.find(letter) != std::string_view::npos) {
                auto& value = options.values[letter];
                value = argument.substr(2);
                if (argument.size() == 2 && i + 1 < arguments.size() && !arguments[i + 1].starts_with("-"))
                    value = arguments[++i];
            } else {
                return fail("unknown option " + printable(argument));
            }
        } else if (!argument.empty()) {
            options.names.push_back(argument);
        }
    }
    return options;
}

}  // namespace diskless::server
