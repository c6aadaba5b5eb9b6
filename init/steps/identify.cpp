// identify: who this node is, and the files of the root that must say so.
#include <fmt/core.h>

#include <algorithm>

#include "common/base/pack.hpp"
#include "common/base/snapshot_files.hpp"
#include "common/base/text.hpp"
#include "common/state/tree_view.hpp"
#include "init/child_work.hpp"
#include "init/identity/identity.hpp"
#include "init/identity/rewrite.hpp"
#include "init/identity/ssh_host_key.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

constexpr const char* kMounts = "../proc/self/mounts";

/// What is read from NFS, all in one child. The order is that of read_all().
struct Gathered {
    std::string kept_hostname, kept_machine_id, kept_clock;  // of the snapshot
    std::string hosts, fstab, interfaces, dhcpcd, ifcfg;     // of the root
    std::string rcs;                                         // its etc/default/rcS
    std::string var_run;                                     // where its var/run leads to
    std::string mtab;                                        // "file" when the root has a plain file there
    std::string ssh;                                         // names in the root's etc/ssh
    std::string running;                                     // "yes" when no way down took the mark away
    std::string last_shutdown;                               // what the way down left in the snapshot
    std::string random_seed;                                 // of the snapshot; stays in the child

    std::array<std::string*, 14> fields() {
        return {&kept_hostname, &kept_machine_id, &kept_clock, &hosts, &fstab,   &interfaces,   &dhcpcd, &ifcfg,
                &rcs,           &var_run,         &mtab,       &ssh,   &running, &last_shutdown};
    }
};

/// Text of a file of the tree, empty when there is none. Symlinks are followed within the tree.
std::string text_of(const Files& files, TreeView& tree, const std::string& path, std::size_t limit) {
    const auto found = tree.resolve(path);
    if (found.status == nullptr) return {};
    return files.read(tree.outside(found.path), limit).value_or(std::string());
}

/// The same of the snapshot, where no symlink is followed: who can write there must not choose what is read.
std::string kept_text(const Files& files, TreeView& snapshot, const std::string& path, std::size_t limit) {
    if (snapshot.status(path) == nullptr || !snapshot.symlink_in(path).empty()) return {};
    return files.read(snapshot.outside(path), limit).value_or(std::string());
}

void read_kept(const Files& files, Gathered& all) {
    TreeView snapshot(files, kSnapshot);
    for (const char* directory : {"/etc", snapshot_files::kDirectory})
        snapshot.names(directory);  // one listing answers for all in it
    const auto kept = [&](const char* path) { return kept_text(files, snapshot, path, 1 << 16); };
    all.kept_hostname = kept("/etc/hostname");
    all.kept_machine_id = kept("/etc/machine-id");
    all.kept_clock = kept(snapshot_files::kClock);
    if (snapshot.status(snapshot_files::kRunning) != nullptr) all.running = "yes";
    all.last_shutdown = kept(snapshot_files::kLastShutdown);
    all.random_seed = kept_text(files, snapshot, snapshot_files::kRandomSeed, 512);
}

Gathered read_all(const Files& files, const std::string& interface, bool snapshot) {
    Gathered all;
    if (snapshot) read_kept(files, all);
    TreeView root(files, kNewRoot);
    for (const char* directory : {"/etc", "/var"}) root.names(directory);
    const auto text = [&](const std::string& path) { return text_of(files, root, path, 1 << 18); };
    all.hosts = text("/etc/hosts");
    all.fstab = text("/etc/fstab");
    all.interfaces = text("/etc/network/interfaces");
    all.dhcpcd = text("/etc/dhcpcd.conf");
    all.rcs = text("/etc/default/rcS");
    if (const auto* run = root.status("/var/run"); run != nullptr && run->kind == FileKind::symlink)
        all.var_run = files.read_link(root.outside("/var/run")).value_or(std::string());
    if (interface.find('/') == std::string::npos) all.ifcfg = text("/etc/sysconfig/network-scripts/ifcfg-" + interface);
    if (const auto* mtab = root.status("/etc/mtab"); mtab != nullptr && mtab->kind == FileKind::regular)
        all.mtab = "file";
    all.ssh = join(root.names(root.resolve("/etc/ssh").path), "\n");
    return all;
}

Result<Gathered> gather(StepContext& context, const Boot& boot) {
    const bool snapshot = boot.snapshot.state == "mounted";
    const auto work = [&]() -> Result<std::string> {
        auto found = read_all(context.os.files, boot.link.name, snapshot);
        // What the agent kept for this boot. Not credited as entropy: who can read the server can read it.
        if (!found.random_seed.empty()) (void)context.os.files.write("/dev/urandom", found.random_seed);
        std::vector<std::string> texts;
        for (const auto* field : found.fields()) texts.push_back(*field);
        return pack(texts);
    };
    const auto packed = TRY(context.os.processes.in_child("read the root's own files", context.deadline, work));
    const auto strings = TRY(unpack(packed));
    Gathered all;
    const auto fields = all.fields();
    for (std::size_t i = 0; i < fields.size() && i < strings.size(); ++i) *fields[i] = strings[i];
    return all;
}

/// A key of the node's own; the image's shared keys of other types are covered by empty files, which sshd skips.
Result<std::vector<GeneratedFile>> ssh_files(Os& os, const std::string& names, const std::string& hostname,
                                             Deadline deadline) {
    std::vector<GeneratedFile> files;
    if (names.empty()) return files;  // no sshd in this root
    const auto key = make_ssh_host_key(TRY(os.machine.secret(32, deadline)), "root@" + hostname);
    files.push_back({.path = "/etc/ssh/ssh_host_ed25519_key", .content = key.private_file, .mode = 0600});
    files.push_back({.path = "/etc/ssh/ssh_host_ed25519_key.pub", .content = key.public_file, .mode = 0644});
    for (const auto name : lines(names))
        if (name.starts_with("ssh_host_") && name.find("_key") != std::string_view::npos &&
            !name.starts_with("ssh_host_ed25519_key"))
            files.push_back({.path = "/etc/ssh/" + std::string(name), .content = {}, .mode = 0600});
    return files;
}

/// An empty file is a name only: a boot with a snapshot made it, to mount on.
bool has_host_key(TreeView& root, const std::string& directory) {
    return std::ranges::any_of(root.names(directory), [&](const std::string& name) {
        if (!name.starts_with("ssh_host_") || !name.ends_with("_key")) return false;
        const auto* key = root.status(join_path(directory, name));
        return key != nullptr && key->size != 0;
    });
}

/// Without a snapshot a root of the node's own keeps its keys itself; one that has none is given one, for good.
void give_own_key(StepContext& context, const Gathered& all, const std::string& hostname) {
    const auto work = [&]() -> Result<> {
        TreeView root(context.os.files, kNewRoot);
        const auto directory = root.resolve("/etc/ssh").path;
        if (has_host_key(root, directory)) return {};
        for (const auto& file : TRY(ssh_files(context.os, all.ssh, hostname, context.deadline)))
            TRY(context.os.files.replace(root.outside(join_path(directory, base_name(file.path))), file.content,
                                         file.mode));
        return {};
    };
    const auto given = do_in_child(context.os.processes, "give the root an ssh host key", context.deadline, work);
    if (!given) context.degrade(given.error());
}

/// What the root is, for inits that go by fstab.
std::string root_line(const Boot& boot) {
    if (boot.init_is_systemd) return {};
    if (boot.config.root.mode == RootMode::overlay) return "overlay / overlay rw 0 0";
    if (!boot.root.image.empty()) return "/dev/root / auto ro 0 0";
    const auto options = split(boot.root.options, ',');
    const bool no_locks = std::ranges::find(options, "nolock") != options.end();
    // Without a word on locks Debian's scripts wait for a statd that nobody needs.
    return fmt::format("{}:{} / nfs {}{} 0 0", boot.root.server, boot.root.path, boot.root.mode,
                       no_locks ? ",nolock" : "");
}

void rewrite_files(const Gathered& all, const Boot& boot, std::vector<GeneratedFile>& files) {
    const auto& interface = boot.link.name;
    const auto add = [&](std::string path, const std::optional<std::string>& content) {
        if (content) files.push_back({.path = std::move(path), .content = *content});
    };
    const bool var_run_is_run = all.var_run == "/run" || all.var_run == "../run";
    if (!all.fstab.empty()) add("/etc/fstab", rewrite_fstab(all.fstab, root_line(boot), var_run_is_run));
    add("/etc/network/interfaces", rewrite_interfaces(all.interfaces, interface));
    if (!boot.init_is_systemd && !all.interfaces.empty()) add("/etc/default/rcS", rewrite_rcs(all.rcs));
    if (!all.dhcpcd.empty()) add("/etc/dhcpcd.conf", rewrite_dhcpcd(all.dhcpcd, interface));
    if (!all.ifcfg.empty()) add("/etc/sysconfig/network-scripts/ifcfg-" + interface, rewrite_ifcfg(all.ifcfg));
    if (all.mtab == "file" && boot.config.root.mode != RootMode::writable)
        files.push_back({.path = "/etc/mtab", .content = {}, .symlink = kMounts});
}

/// A list that mount left in a root of the node's own is old after a reset, and misleads the next boot: the link takes
/// its place for good.
void link_own_mtab(StepContext& context, const Boot& boot, const Gathered& all) {
    if (all.mtab != "file" || boot.config.root.mode != RootMode::writable) return;
    const auto path = join_path(kNewRoot, "etc/mtab");
    const auto linked = do_in_child(context.os.processes, "link etc/mtab", context.deadline, [&]() -> Result<> {
        TRY(context.os.files.remove_tree(path));
        return context.os.files.make_symlink(kMounts, path);
    });
    if (!linked) context.degrade(linked.error());
}

/// The snapshot knows when this node last ran: with SNTP silent, the clock is at least that.
void keep_clock_floor(StepContext& context, Boot& boot, std::string_view kept) {
    const auto seconds = parse_number<std::int64_t>(trim(kept));
    if (!seconds || !boot.config.time.wanted || boot.time.source.starts_with("sntp") || *seconds > 32'503'680'000)
        return;  // year 3000
    Os& os = context.os;
    const auto floor = Nanoseconds(Seconds{*seconds});
    const auto behind = floor - os.clock.wall();
    if (behind <= Nanoseconds{0} || !os.clock.set_wall(floor)) return;
    context.note("the clock is set to the last time known in the snapshot");
    context.publish([&] { boot.time = {"snapshot", boot.time.step + behind}; });
}

/// The file of the snapshot is what the node will see. One that says another id than this boot goes by, as the command
/// line has another one, is written anew, as systemd would do.
void keep_machine_id(StepContext& context, const std::string& kept, const std::string& id) {
    if (kept.empty() || trim(kept) == id) return;
    const auto written = do_in_child(context.os.processes, "keep the machine-id", context.deadline, [&] {
        return context.os.files.replace(join_path(kSnapshot, "etc/machine-id"), id + "\n", 0444);
    });
    if (!written) context.degrade(written.error());
}

/// How the node ended before this boot (keep_record.cpp).
void tell_last_shutdown(StepContext& context, Boot& boot, const Gathered& all) {
    std::optional<LastShutdown> last;
    if (!all.running.empty())
        last = LastShutdown{.outcome = "unclean", .wall = parse_number<std::int64_t>(trim(all.kept_clock)).value_or(0)};
    else if (auto told = last_shutdown_from_json(all.last_shutdown))
        last = std::move(*told);
    if (!last) return;
    if (is_trouble(*last)) context.note("the last end of this node: " + last_shutdown_text(*last));
    context.publish([&] { boot.last_shutdown = std::move(last); });
}

std::vector<Ipv4> dns_servers(const Boot& boot) {
    auto servers = boot.config.network.dns;
    if (boot.config.network.use_lease_dns) servers.insert(servers.end(), boot.lease.dns.begin(), boot.lease.dns.end());
    return servers;
}

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    const auto all = TRY(gather(context, boot));
    keep_clock_floor(context, boot, all.kept_clock);
    tell_last_shutdown(context, boot, all);

    const auto name = choose_name({.snapshot = all.kept_hostname,
                                   .configuration = boot.config.hostname,
                                   .lease = boot.lease.hostname,
                                   .hosts = name_in_hosts(all.hosts, boot.lease.address),
                                   .snapshot_name = boot.config.snapshot.name},
                                  boot.lease.address);
    auto domain = !boot.config.domain.empty()  ? boot.config.domain
                  : !boot.lease.domain.empty() ? boot.lease.domain
                                               : name.domain;
    const auto nis = !boot.config.nis_domain.empty() ? boot.config.nis_domain : boot.lease.nis_domain;
    const auto smbios = os.files.read("/sys/class/dmi/id/product_uuid", 256).value_or(std::string());
    const auto machine =
        choose_machine_id(all.kept_machine_id, boot.config.machine_id, smbios, boot.link.mac, boot.lease.address);

    keep_machine_id(context, all.kept_machine_id, machine.id);

    if (const auto set = os.machine.set_hostname(name.hostname); !set) context.degrade(set.error());
    if (!nis.empty())
        if (const auto set = os.machine.set_nis_domain(nis); !set) context.degrade(set.error());

    std::vector<GeneratedFile> files;
    files.push_back({.path = "/etc/hostname", .content = name.hostname + "\n"});
    files.push_back({.path = "/etc/hosts",
                     .content = make_hosts(all.hosts, {name.hostname, domain, name.source}, boot.lease.address)});
    if (auto resolv = make_resolv_conf(dns_servers(boot), domain); !resolv.empty())
        files.push_back({.path = "/etc/resolv.conf", .content = std::move(resolv)});
    files.push_back({.path = "/etc/machine-id", .content = machine.id + "\n", .mode = 0444});
    rewrite_files(all, boot, files);
    link_own_mtab(context, boot, all);
    if (boot.config.root.mode == RootMode::writable && boot.snapshot.state != "mounted")
        give_own_key(context, all, name.hostname);
    else if (auto ssh = ssh_files(os, all.ssh, name.hostname, context.deadline))
        files.insert(files.end(), ssh->begin(), ssh->end());
    else
        context.degrade(ssh.error());

    context.note(fmt::format("{} (by {}), machine-id by {}", name.hostname, name.source, machine.source));
    context.publish([&] {
        boot.identity = {name.hostname, name.source, domain, nis, machine.id, machine.source};
        boot.files = std::move(files);
    });
    return {};
}

}  // namespace

Step identify(Boot& boot) {
    return {.id = "identify",
            .sentence = "find out who this node is",
            .needs = {"mount-snapshot", "set-clock"},
            .deadline = Milliseconds{30'000},
            .retry = {.attempts = 3},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
