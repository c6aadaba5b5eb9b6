// diskless-server boot apply: from the node list to installed boot files.
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/text.hpp"
#include "common/os/file_system.hpp"
#include "common/os/files_linux.hpp"
#include "server-helper/boot_commands.hpp"
#include "server-helper/boot_stage.hpp"
#include "server-helper/model/lock.hpp"
#include "server-helper/model/node_set.hpp"
#include "server-helper/model/sharing.hpp"
#include "server-helper/options.hpp"
#include "server-helper/render/install.hpp"
#include "server-helper/render/nfs_exports.hpp"
#include "server-helper/render/reread.hpp"
#include "server-helper/render/validate.hpp"
#include "server-helper/stage/scratch.hpp"
#include "server-helper/tree_options.hpp"

namespace diskless::server {

namespace {
namespace po = boost::program_options;

struct Request {
    std::string base;
    std::vector<std::string> only;
    bool json = false, quiet = false, stage = true;
    std::string program;
    InstallOptions install;
};

/// What the run has done, or would do.
struct Outcome {
    Installed installed;
    Staged staged;
    std::vector<std::string> unused;  // staged files that were removed
    std::vector<Verdict> verdicts;
    std::vector<std::string> unbootable;  // nodes
    std::vector<std::string> commands;    // that make running servers read what has changed
};

OptionSet options() {
    OptionSet set;
    set.usage = "diskless-server boot apply [OPTIONS] [NODES...]";
    set.examples =
        "Examples:\n"
        "  diskless-server boot apply --dry-run          shows what would change, as a diff\n"
        "  diskless-server boot apply                    all nodes\n"
        "  diskless-server boot apply node[001-128]      menus of these nodes only\n"
        "  diskless-server boot apply --only grub,isc    these dialects only\n"
        "  diskless-server boot apply --no-stage         kernels, initramfs and boot loaders stay as they are\n";
    std::string dialect_help = "comma-separated dialects:";
    for (const auto& dialect : dialects()) dialect_help += fmt::format(" {}", dialect.name);
    set.described.add_options()("base", po::value<std::string>(), "the tree; default $DISKLESS_BASE or /srv/diskless")(
        "only", po::value<std::string>(), dialect_help.c_str())("dry-run,n", "change nothing, print a diff")(
        "no-stage", "leave kernels, initramfs and boot loaders as they are")(
        "program", po::value<std::string>()->value_name("FILE"), "node program of the initramfs that are built")(
        "force", "replace files that boot apply did not make")("json", "print the result as JSON")(
        "quiet,q", "print warnings and failures only");
    set.take_words("nodes");
    return set;
}

Result<std::vector<std::string_view>> chosen_dialects(const Request& request, const Cluster& cluster) {
    if (request.only.empty()) return wanted_dialects(cluster);
    for (const auto& name : request.only)
        if (!find_dialect(name)) return bad_usage(fmt::format("there is no dialect \"{}\"", printable(name)));
    std::vector<std::string_view> chosen;
    for (const auto& dialect : dialects())
        if (std::count(request.only.begin(), request.only.end(), dialect.name)) chosen.push_back(dialect.name);
    return chosen;
}

std::size_t count(const Installed& installed, ChangeKind kind) {
    return static_cast<std::size_t>(std::count_if(installed.changes.begin(), installed.changes.end(),
                                                  [&](const auto& change) { return change.kind == kind; }));
}

void print_text(const Request& request, const Outcome& outcome, Streams& streams) {
    const auto& installed = outcome.installed;
    if (request.install.dry_run) {
        streams.out << diff_text(installed.changes);
        for (const auto& path : outcome.staged.made) streams.out << "would stage " << path << '\n';
        for (const auto& path : outcome.unused) streams.out << "would remove " << path << '\n';
    }
    if (request.quiet) return;
    const auto would = request.install.dry_run ? "would be: " : "";
    streams.out << fmt::format("{}{} new, {} changed, {} removed, {} as they were\n", would,
                               count(installed, ChangeKind::created), count(installed, ChangeKind::changed),
                               count(installed, ChangeKind::removed), installed.unchanged);
    if (request.stage)
        streams.out << fmt::format("{}kernels and boot loaders: {} staged, {} removed, {} as they were\n", would,
                                   outcome.staged.made.size(), outcome.unused.size(), outcome.staged.unchanged);
    for (const auto& verdict : outcome.verdicts)
        streams.out << (verdict.ran ? fmt::format("{}: accepted by {}\n", verdict.dialect, verdict.tool)
                                    : fmt::format("{}: not checked, {} is not installed ({})\n", verdict.dialect,
                                                  verdict.tool, verdict.remedy));
    if (outcome.commands.empty()) return;
    streams.out << "servers that run read this when they are told (serve: by SIGHUP):\n";
    for (const auto& command : outcome.commands) streams.out << "  " << command << '\n';
}

void print_json(const Request& request, const Outcome& outcome, Streams& streams) {
    using Json = nlohmann::ordered_json;
    const auto paths = [&](ChangeKind kind) {
        auto list = Json::array();
        for (const auto& change : outcome.installed.changes)
            if (change.kind == kind) list.push_back(change.path);
        return list;
    };
    auto checks = Json::array();
    for (const auto& verdict : outcome.verdicts)
        checks.push_back({{"dialect", verdict.dialect}, {"tool", verdict.tool}, {"accepted", verdict.ran}});
    auto lacking = Json::array();
    for (const auto& file : outcome.staged.lacking)
        lacking.push_back({{"path", file.path}, {"cause", file.cause}, {"remedy", file.remedy}});
    const Json staged{{"made", outcome.staged.made},
                      {"removed", outcome.unused},
                      {"unchanged", outcome.staged.unchanged},
                      {"lacking", std::move(lacking)}};
    const Json result{{"dry_run", request.install.dry_run},
                      {"created", paths(ChangeKind::created)},
                      {"changed", paths(ChangeKind::changed)},
                      {"removed", paths(ChangeKind::removed)},
                      {"unchanged", outcome.installed.unchanged},
                      {"staged", request.stage ? staged : Json(nullptr)},
                      {"checks", std::move(checks)},
                      {"unbootable", outcome.unbootable},
                      {"commands", outcome.commands}};
    streams.out << result.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

/// What they boot by now stays: a menu without a root in its place would be worse than none.
std::set<std::string> leave_rootless(const Site& site, Streams& streams) {
    std::set<std::string> left;
    for (const auto& [image, nodes] : nodes_without_root(site)) {
        streams.err << fmt::format(
            "warning: image {} has no generation yet, {} cannot boot it: menus of before stay (diskless-server image "
            "sync {})\n",
            image, fold_node_set(nodes), image);
        left.insert(nodes.begin(), nodes.end());
    }
    return left;
}

std::vector<std::string> unbootable_nodes(const Site& site, const Staged& staged, const std::set<std::string>& left) {
    std::set<std::string> lacking;
    for (const auto& file : staged.lacking) lacking.insert(file.path);
    std::vector<std::string> nodes;
    for (const auto& node : site.nodes)
        if (left.contains(node.name) || lacking.contains("tftp/" + node.kernel) ||
            lacking.contains("tftp/" + node.initramfs))
            nodes.push_back(node.name);
    return nodes;
}

/// Nodes that cannot boot for want of a root, a kernel or an initramfs are no success.
Result<> tell_unbootable(const Outcome& outcome, bool rootless) {
    if (outcome.unbootable.empty()) return {};
    return fail(fmt::format("{} cannot boot: the {}kernel or initramfs is missing", fold_node_set(outcome.unbootable),
                            rootless ? "root, " : ""),
                "see the warnings above; all else is done");
}

Result<> apply(const Request& request, const std::vector<std::string>& nodes, Streams& streams) {
    std::optional<TreeLock> lock;
    if (!request.install.dry_run) lock = TRY(TreeLock::take(request.base, &streams.err));
    auto cluster = TRY(load_cluster(request.base));
    for (const auto& warning : cluster.warnings) streams.err << "warning: " << warning.text() << '\n';
    auto install = request.install;
    install.everything = request.only.empty();
    if (!nodes.empty())
        for (const auto* node : TRY(select_nodes(cluster, nodes))) install.nodes.insert(node->name);

    auto site = TRY(make_site(std::move(cluster)));
    TRY(check_sharing(site.cluster, site.nodes));
    find_file_system_identities(site);
    install.left = leave_rootless(site, streams);
    std::vector<RenderedDialect> rendered;
    Outcome outcome;
    const auto scratch = TRY(Scratch::make());
    for (const auto name : TRY(chosen_dialects(request, site.cluster))) {
        RenderedDialect dialect{std::string(name), {}};
        TRY_TO(fmt::format("render {}", name), find_dialect(name)->render(site, dialect.files));
        for (auto& verdict : TRY(validate(dialect.files, scratch.path())))
            outcome.verdicts.push_back(std::move(verdict));
        rendered.push_back(std::move(dialect));
    }
    const bool dry_run = install.dry_run;
    // What menus name is there before them, and goes after them.
    if (request.stage)
        outcome.staged = TRY(stage_boot(site, {request.program, dry_run, install.force, request.quiet}, streams));
    outcome.installed = TRY(install_rendered(boot_path(site.cluster, ""), rendered, install));
    outcome.commands = commands_to_reread(LinuxFiles(), boot_path(site.cluster, ""), outcome.installed.changes);
    if (request.stage && install.everything && install.nodes.empty())
        outcome.unused = TRY(remove_unused_boot_files(site, dry_run));
    outcome.unbootable = unbootable_nodes(site, outcome.staged, install.left);
    if (request.json)
        print_json(request, outcome, streams);
    else
        print_text(request, outcome, streams);
    return tell_unbootable(outcome, !install.left.empty());
}
}  // namespace

void find_file_system_identities(Site& site) {
    const auto exports = wanted_exports(site);
    if (!exports) return;  // rendering tells
    const auto is_snapshot = [](const Export& entry) { return entry.keeps_root && entry.writable; };
    std::map<std::string, bool> of_parent;
    for (const auto& entry : *exports) {
        // One question for all snapshots beside each other; what does not exist yet is as its parent.
        const auto parent = parent_path(entry.path);
        auto known = of_parent.find(parent);
        if (known == of_parent.end()) {
            const auto status = file_system_of(parent);
            known = of_parent.emplace(parent, !status || status->has_identity).first;
        }
        bool has_identity = known->second;
        if (!is_snapshot(entry))
            if (const auto status = file_system_of(entry.path)) has_identity = status->has_identity;
        if (!has_identity) site.without_identity.insert(entry.path);
    }
}

Result<> apply_boot(const std::vector<std::string>& arguments, Streams& streams) {
    auto set = options();
    const auto parsed = TRY(parse_options(set, arguments, streams));
    if (parsed.helped) return {};
    Request request;
    request.base = TRY(base_of(parsed));
    const auto only = parsed.text("only");
    for (const auto name : split(only, ','))
        if (!name.empty()) request.only.push_back(name == "kernel" ? "exports" : std::string(name));
    request.json = parsed.has("json");
    request.quiet = parsed.has("quiet");
    request.stage = !parsed.has("no-stage");
    request.program = parsed.text("program");
    if (parsed.has("program") && !LinuxFiles().exists(request.program))
        return bad_usage(fmt::format("--program {}: there is no such file", printable(request.program)),
                         "name the node program, diskless-init");
    request.install.dry_run = parsed.has("dry-run");
    request.install.force = parsed.has("force");
    return apply(request, parsed.texts("nodes"), streams);
}

}  // namespace diskless::server
