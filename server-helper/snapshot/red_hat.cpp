#include "server-helper/snapshot/red_hat.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "common/base/text.hpp"
#include "common/net/dhcp_packet.hpp"
#include "common/os/files_linux.hpp"
#include "server-helper/model/cluster.hpp"
#include "server-helper/model/lock.hpp"
#include "server-helper/snapshot/prepare.hpp"

namespace diskless::server {

namespace {

constexpr const char* kNotes = ".pxeos";  // in the directory of a system: lines "location=/diskless/…"
constexpr std::string_view kListText =
    "# Files and directories that every diskless client of this location keeps in its own snapshot, a path a line.\n"
    "# Logs, spools, leases, host keys and the like need no line here. Leave this file as it is; put your own\n"
    "# paths into files.custom beside it, in the same format.\n";

std::string notes_text(const RedHatSystem& system) {
    return fmt::format("description={}\nprotocol={}\ndiskless={}\nserver={}\nlocation={}\nkernel={}\n",
                       system.description, system.protocol, system.diskless ? 1 : 0, system.server, system.location,
                       system.kernel);
}

void take_notes(RedHatSystem& system, std::string_view text) {
    for (const auto line : lines(text)) {
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        const auto name = line.substr(0, equals);
        const std::string value(line.substr(equals + 1));
        if (name == "description") system.description = value;
        if (name == "protocol") system.protocol = value;
        if (name == "diskless") system.diskless = value == "1";
        if (name == "server") system.server = value;
        if (name == "location") system.location = value;
        if (name == "kernel") system.kernel = value;
    }
}

/// One word of a kernel command line: what ends up in a PXELINUX file must not bring further words with it.
Result<> check_word(std::string_view what, std::string_view value) {
    const bool plain = std::ranges::all_of(value, [](char c) { return c > ' ' && c != 0x7F; });
    if (plain) return {};
    return fail(fmt::format("{} \"{}\" has blanks or control characters", what, printable(value)));
}

/// The newest kernel that the root has an image of; "vmlinuz-2.6.18-128.el5" is found as boot/vmlinuz-….
Result<std::string> newest_kernel(const std::string& root, const Files& files) {
    std::string newest;
    for (const auto& name : TRY(files.list(join_path(root, "boot")))) {
        if (!name.starts_with("vmlinuz-") || name.find("rescue") != std::string::npos) continue;
        const auto release = name.substr(8);
        if (newest.empty() || ::strverscmp(newest.c_str(), release.c_str()) < 0) newest = release;
    }
    if (newest.empty())
        return fail("there is no " + join_path(root, "boot/vmlinuz-*"), "install a kernel in the root, then try again");
    return newest;
}

/// Copies when the target is missing or differs in size or is older; old or new, never half.
Result<> refresh(const std::string& from, const std::string& to, Files& files) {
    const auto source = TRY(files.status(from));
    if (const auto there = files.status(to);
        there && there->size == source.size && there->modified == source.modified && there->kind == FileKind::regular)
        return {};
    const auto growing = to + ".new";
    TRY(files.remove(growing));
    TRY(files.copy(from, growing, CopyWhat::everything));
    TRY(files.set_mode(growing, 0644));  // tftpd serves what the world may read
    return files.rename(growing, to);
}

}  // namespace

Result<RedHatSystem> RedHatTree::system(const std::string& name) const {
    LinuxFiles files;
    const auto place = join_path(tftp_, name);
    if (!is_name(name) || !files.exists(join_path(place, "vmlinuz")))
        return fail(fmt::format("there is no operating system {} in {}", printable(name), tftp_),
                    "add it: pxeos -a -i DESCRIPTION -p NFS -D 1 -s SERVER -L LOCATION NAME", ENOENT);
    RedHatSystem system;
    system.name = system.description = name;
    if (const auto notes = files.read(join_path(place, kNotes))) {
        take_notes(system, *notes);
        return system;
    }
    for (const auto& entry : TRY(nodes()))  // made by the original: its nodes know
        if (entry.node.system == name) {
            system.server = entry.server;
            system.location = entry.location;
        }
    return system;
}

Result<std::vector<RedHatSystem>> RedHatTree::systems() const {
    LinuxFiles files;
    std::vector<RedHatSystem> found;
    if (!files.exists(tftp_)) return found;
    for (const auto& name : TRY(files.list(tftp_)))
        if (is_name(name) && files.exists(join_path(join_path(tftp_, name), "vmlinuz")))
            found.push_back(TRY(system(name)));
    return found;
}

Result<RedHatSystem> RedHatTree::add_system(RedHatSystem system, const MakeInitrd& make_initrd,
                                            bool new_initrd) {
    LinuxFiles files;
    if (!is_name(system.name))
        return fail(fmt::format("\"{}\" is no name for an operating system", printable(system.name)),
                    "use letters, digits, \"-\", \".\" and \"_\"");
    while (system.location.size() > 1 && system.location.ends_with('/')) system.location.pop_back();
    TRY(check_word("location", system.location));
    TRY(check_word("server", system.server));
    if (lines(system.description).size() > 1) return fail("the description has more than one line");
    const auto root = join_path(system.location, "root");
    if (!system.location.starts_with('/') || !files.is_directory(root))
        return fail(printable(root) + " is no directory", "copy the golden node's files there first", ENOTDIR);
    if (system.kernel.empty()) system.kernel = TRY(newest_kernel(root, files));
    TRY(check_word("kernel", system.kernel));
    if (system.kernel.find('/') != std::string::npos) return fail("a kernel release has no \"/\"");

    TRY(files.make_directories(join_path(tftp_, "pxelinux.cfg")));
    const auto lock = TRY(TreeLock::take(tftp_));
    const auto place = join_path(tftp_, system.name);
    TRY(files.make_directories(place));
    for (const auto& [from, name] : std::initializer_list<std::pair<const char*, const char*>>{
             {"/usr/lib/PXELINUX/pxelinux.0", "pxelinux.0"},
             {"/usr/lib/syslinux/modules/bios/ldlinux.c32", "ldlinux.c32"},
             {"/usr/share/syslinux/pxelinux.0", "pxelinux.0"},
             {"/usr/share/syslinux/ldlinux.c32", "ldlinux.c32"}})
        if (files.exists(from) && !files.exists(join_path(tftp_, name)))
            TRY(refresh(from, join_path(tftp_, name), files));

    RedHatSystem before;
    if (const auto notes = files.read(join_path(place, kNotes))) take_notes(before, *notes);
    const auto initrd = join_path(place, "initrd.img");
    if (new_initrd || !files.exists(initrd) || before.kernel != system.kernel || before.location != system.location) {
        TRY_TO("make " + initrd, make_initrd(system.kernel, root, initrd + ".new"));
        TRY(files.set_mode(initrd + ".new", 0644));
        TRY(files.rename(initrd + ".new", initrd));
    }
    TRY(refresh(join_path(root, "boot/vmlinuz-" + system.kernel), join_path(place, "vmlinuz"), files));
    const auto snapshots = join_path(system.location, "snapshot");
    TRY(files.make_directories(snapshots));
    if (!files.exists(join_path(snapshots, "files"))) TRY(files.replace(join_path(snapshots, "files"), kListText));
    if (const auto text = notes_text(system); files.read(join_path(place, kNotes)).value_or("") != text)
        TRY(files.replace(join_path(place, kNotes), text));
    return system;
}

Result<> RedHatTree::remove_system(const std::string& name) {
    TRY(system(name));
    LinuxFiles files;
    const auto lock = TRY(TreeLock::take(tftp_));
    for (const auto& entry : TRY(nodes()))
        if (entry.node.system == name)
            return fail(fmt::format("{} still boots {}", entry.node.address.text(), name),
                        "remove its nodes first: pxeboot -d " + entry.node.address.text());
    return files.remove_tree(join_path(tftp_, name));
}

Result<std::vector<std::string>> RedHatTree::add_node(const RedHatNode& node) {
    const auto os = TRY(system(node.system));
    for (const auto& [what, value] : std::initializer_list<std::pair<const char*, const std::string&>>{
             {"ram disk size", node.ramdisk_size}, {"interface", node.interface}, {"NIS domain", node.nis_domain}})
        TRY(check_word(what, value));
    for (const auto word : words(node.serial)) TRY(check_word("serial console", word));
    if (node.serial.find('\n') != std::string::npos) return fail("the serial console has more than one line");
    if (!node.ramdisk_size.empty() && !parse_number<std::uint64_t>(node.ramdisk_size))
        return fail(fmt::format("-r {} is no number of kB", printable(node.ramdisk_size)));
    if (!is_name(node.snapshot))
        return fail(fmt::format("\"{}\" is no name for a snapshot", printable(node.snapshot)),
                    "use letters, digits, \"-\", \".\" and \"_\"");
    LinuxFiles files;
    const auto lock = TRY(TreeLock::take(tftp_));
    std::vector<std::string> warnings;
    for (const auto& entry : TRY(nodes()))
        if (entry.node.snapshot == node.snapshot && entry.node.address != node.address && entry.location == os.location)
            return fail(fmt::format("snapshot {} belongs to {}", node.snapshot, entry.node.address.text()),
                        "two nodes that write to one snapshot destroy it: give this one another name");

    const auto snapshots = join_path(os.location, "snapshot");
    if (os.location.empty() || !files.is_directory(join_path(os.location, "root"))) {
        warnings.push_back("the location of " + os.name + " is not on this machine: no snapshot was made");
    } else {
        TRY(files.make_directories(snapshots));
        SnapshotJob job;
        job.node = job.snapshot = node.snapshot;
        job.root = join_path(os.location, "root");
        job.location = os.location;
        if (is_host_name(node.snapshot) && !Ipv4::parse(node.snapshot)) job.hostname = node.snapshot;
        PrepareOptions options;
        options.snapshots = snapshots;
        options.staging = join_path(os.location, ".diskless-prepare");  // snapshot/ itself is open to all nodes
        auto made = TRY(prepare_snapshots({job}, options));
        if (!made[0].error.cause.empty()) return Failure(made[0].error);
        warnings = std::move(made[0].warnings);
    }
    const auto place = join_path(tftp_, "pxelinux.cfg/" + node.address.hex());
    const auto text = pxelinux_text(node, os);
    if (files.read(place).value_or("") != text) {
        TRY(files.make_directories(parent_path(place)));
        TRY(files.replace(place, text));
    }
    return warnings;
}

Result<> RedHatTree::remove_node(Ipv4 address) {
    LinuxFiles files;
    const auto place = join_path(tftp_, "pxelinux.cfg/" + address.hex());
    if (!files.exists(place))
        return fail(address.text() + " is not in " + parent_path(place), "see: pxeboot -l", ENOENT);
    const auto lock = TRY(TreeLock::take(tftp_));
    return files.remove(place);
}

Result<std::vector<RedHatEntry>> RedHatTree::nodes() const {
    LinuxFiles files;
    std::vector<RedHatEntry> found;
    const auto place = join_path(tftp_, "pxelinux.cfg");
    if (!files.exists(place)) return found;
    for (const auto& name : TRY(files.list(place))) {
        const auto value = parse_number<std::uint32_t>(name, 16);
        if (name.size() != 8 || !value) continue;
        const auto text = files.read(join_path(place, name), 65536);
        if (!text) continue;
        if (auto entry = parse_pxelinux(*text, Ipv4(*value))) found.push_back(std::move(*entry));
    }
    return found;
}

}  // namespace diskless::server
