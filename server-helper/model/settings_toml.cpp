// What may be said of all nodes, a group and a node.
#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "server-helper/model/toml_table.hpp"

namespace diskless::server {

namespace {
/// Below the tftp root, never out of it.
bool is_inner_path(std::string_view path) {
    if (path.empty() || path.front() == '/') return false;
    const auto parts = split(path, '/');
    return std::none_of(parts.begin(), parts.end(),
                        [](auto part) { return part.empty() || part == "." || part == ".."; }) &&
           path.find_first_of(" \t\"'\\") == std::string_view::npos;
}

bool is_plain_word(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '"'; });
}

bool is_mode(std::string_view text) { return text == "ro" || text == "rw" || text == "overlay" || text == "image"; }
bool is_own_root(std::string_view text) {
    const auto parts = split(text.substr(std::min<std::size_t>(1, text.size())), '/');
    return text.size() > 1 && text.front() == '/' && is_plain_word(text) && is_exported_path(text) &&
           std::none_of(parts.begin(), parts.end(), [](auto part) { return part.empty() || part == "." || part == ".."; });
}
/// As diskless.swap= of the node program: see init/params_swap.cpp, which looks closer.
bool is_swap(std::string_view text) {
    const auto begins = [&](std::string_view start) { return text.starts_with(start) && text.size() > start.size(); };
    return text == "none" || (is_plain_word(text) && (begins("zram:") || begins("LABEL=") || begins("UUID=") ||
                                                      begins("/dev/") || begins("snapshot:/")));
}
bool is_options(std::string_view text) { return text.empty() || is_plain_word(text); }

std::optional<std::string> checked(TomlTable& table, std::string_view key, bool (*is_good)(std::string_view),
                                   std::string_view remedy) {
    auto value = table.text(key);
    if (value && !is_good(*value))
        table.refuse(key, fmt::format("cannot be \"{}\"", printable(*value)), std::string(remedy));
    return value;
}

std::vector<ExtraMount> read_mounts(TomlTable& table) {
    std::vector<ExtraMount> mounts;
    for (const auto* entry : table.tables("mounts")) {
        TomlTable one(*entry, table.file(), "mounts", table.warnings());
        ExtraMount mount;
        mount.source = one.text("source").value_or("");
        mount.mount_point = one.text("at").value_or("");
        mount.options = one.text("options").value_or("");
        const auto colon = mount.source.find(":/");
        const bool source_good =
            is_plain_word(mount.source) && (mount.source.starts_with('/') || colon != std::string::npos);
        const auto parts = split(mount.mount_point, '/');
        const bool point_good = mount.mount_point.size() > 1 && mount.mount_point[0] == '/' &&
                                is_plain_word(mount.mount_point) &&
                                std::find(parts.begin(), parts.end(), "..") == parts.end();
        if (!source_good || !point_good || !is_options(mount.options))
            one.refuse("", "a mount needs source (\"server:/dir\" or \"/dir\" of this server) and at (\"/dir\")",
                       "write mounts = [{ source = \"10.0.0.1:/home\", at = \"/home\" }]");
        if (auto done = one.finish(); !done) {
            table.refuse("mounts", "cannot be used: " + done.error().cause, done.error().remedy);
            return mounts;
        }
        mounts.push_back(std::move(mount));
    }
    return mounts;
}
}  // namespace

Settings read_settings(TomlTable& table) {
    Settings settings;
    settings.image = checked(table, "image", is_name, "an image is named by letters, digits, -, . and _");
    settings.generation = checked(table, "generation", is_name, "diskless-server image show lists them");
    settings.kernel = checked(table, "kernel", is_inner_path,
                              "a release, as 6.1.0-31-amd64, or a path below the tftp root, as debian/vmlinuz");
    settings.initramfs = checked(table, "initramfs", is_inner_path, "a path below the tftp root, as debian/initrd.img");
    settings.console = checked(table, "console", is_plain_word, "as of the kernel: ttyS0,115200n8");
    settings.root_mode = checked(table, "root-mode", is_mode, "values are ro, rw, overlay, image");
    settings.own_root = checked(table, "own-root", is_own_root, "an absolute path, as /srv/roots/{node}");
    settings.nfs_options = checked(table, "nfs-options", is_options, "options of NFS with commas between them");
    settings.swap = checked(table, "swap", is_swap,
                            "zram:50%, LABEL=name, UUID=id or /dev/sda2 (with :/file for a file there), snapshot:/file, "
                            "or none");
    settings.nis_domain = checked(table, "nis-domain", is_plain_word, "one word");
    settings.interface = checked(table, "interface", is_interface_name, "a network interface, as eth0: at most 15 characters");
    settings.snapshot = checked(table, "snapshot", is_name, "a directory below snapshots/");
    for (const auto& text : table.texts("cmdline").value_or(std::vector<std::string>{}))
        if (!trim(text).empty()) settings.cmdline.emplace_back(trim(text));
    // Each level by itself: a quote that one leaves open would take in the next one's parameters.
    if (const auto all = join(settings.cmdline, " "); std::ranges::count(all, '"') % 2)
        table.refuse("cmdline", fmt::format("has an odd number of double quotes: {}", printable(all)), "close the quote");
    settings.mounts = read_mounts(table);
    if (const auto* variables = table.table("variables")) {
        TomlTable values(*variables, table.file(), "variables", table.warnings());
        for (const auto& [key, value] : *variables)
            if (const auto text = values.text(key.str())) settings.variables[std::string(key.str())] = *text;
        if (auto done = values.finish(); !done) table.refuse("variables", "cannot be used: " + done.error().cause);
    }
    return settings;
}

}  // namespace diskless::server
