#include "init/systemd_mounts.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless {

namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::string_view kDirectory = ".d";

// Without its default dependencies a mount is in no conflict with umount.target.
constexpr const char* kUnit =
    "# Mounted before systemd was there, and unmounted by /run/initramfs/shutdown.\n"
    "[Unit]\nDefaultDependencies=no\n";

// Where /etc can be written, systemd takes what is mounted at /etc/machine-id for an id that is still to be kept there,
// and fails for it is no tmpfs. It is kept already.
constexpr const char* kMachineId = "/etc/machine-id";
constexpr const char* kCommit = "systemd-machine-id-commit.service";
constexpr const char* kNoCommit = "[Unit]\nConditionPathExists=!/run/diskless\n";

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '_' ||
           c == '.';
}

Result<> put_drop_in(Files& files, const std::string& unit, const char* text = kUnit) {
    const auto directory = join_path(kSystemdUnits, unit + std::string(kDirectory));
    TRY(files.make_directories(directory));
    return files.replace(directory + "/diskless.conf", text);
}

/// A unit file, not a drop-in: PID 1 loads a unit that journald refers to before it looks at the mounts, and reads no
/// drop-ins of one that has no file. It is never started, and has nothing to mount.
Result<> put_unit(Files& files, const std::string& unit, const std::string& path) {
    return files.replace(join_path(kSystemdUnits, unit),
                         fmt::format("{}\n[Mount]\nWhat=diskless\nWhere={}\nType=none\nOptions=bind\n", kUnit, path));
}

/// Can it stand in a unit file as it is?
bool needs_no_quotes(std::string_view path) {
    return std::ranges::all_of(path,
                               [](char c) { return is_plain(c) || c == '/' || c == '-' || c == '+' || c == '@'; });
}

}  // namespace

std::string mount_unit(std::string_view path) {
    std::string name;
    bool begins = true;  // of the path; slashes in a row are one
    for (std::size_t i = 0; i < path.size(); ++i) {
        const char c = path[i];
        if (c == '/') continue;
        if (!begins && path[i - 1] == '/') name += '-';
        if (is_plain(c) && !(begins && c == '.'))
            name += c;
        else
            name += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        begins = false;
    }
    name = (name.empty() ? "-" : name) + ".mount";
    return name.size() + kDirectory.size() <= kLongestName ? name : std::string();
}

Result<> leave_mounts_alone(Files& files, const std::vector<std::string>& paths) {
    // The second is of all units whose name begins so.
    for (const char* ours : {"run-diskless.mount", "run-diskless-.mount"}) TRY(put_drop_in(files, ours));
    for (const auto& path : paths)
        if (const auto unit = mount_unit(path); !unit.empty())
            TRY(needs_no_quotes(path) ? put_unit(files, unit, path) : put_drop_in(files, unit));
    if (std::ranges::find(paths, kMachineId) != paths.end()) TRY(put_drop_in(files, kCommit, kNoCommit));
    return {};
}

std::vector<std::string> mount_points_below(const std::vector<MountEntry>& table, std::string_view root) {
    constexpr std::string_view kTheirs[] = {"/proc", "/sys", "/dev", "/run"};
    std::vector<std::string> paths;
    for (const auto& entry : table) {
        const std::string_view target = entry.target;
        if (!target.starts_with(root) || target.size() <= root.size() || target[root.size()] != '/') continue;
        const auto path = target.substr(root.size());
        if (std::ranges::any_of(kTheirs,
                                [&](auto api) { return path == api || path.starts_with(std::string(api) + "/"); }))
            continue;
        paths.emplace_back(path);
    }
    return paths;
}

}  // namespace diskless
