#include "server-helper/snapshot_commands.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>

#include "common/base/text.hpp"
#include "common/report/json.hpp"
#include "init/plan_text.hpp"
#include "server-helper/model/cluster.hpp"
#include "server-helper/model/lock.hpp"
#include "server-helper/model/node_set.hpp"
#include "server-helper/model/sharing.hpp"
#include "server-helper/options.hpp"
#include "server-helper/snapshot/cluster_status.hpp"
#include "server-helper/snapshot/own_root.hpp"
#include "server-helper/snapshot/prepare.hpp"
#include "server-helper/snapshot/snapshot_tree.hpp"
#include "server-helper/stage/scratch.hpp"
#include "server-helper/tree_options.hpp"

namespace diskless::server {

namespace po = boost::program_options;

namespace {

OptionSet options_of(std::string_view usage, std::string_view examples) {
    OptionSet options;
    options.usage = usage;
    options.examples = examples;
    options.described.add_options()("base", po::value<std::string>(),
                                    "the tree; default $DISKLESS_BASE or /srv/diskless");
    options.take_words("node");
    return options;
}

/// Nodes with all they inherit, chosen on the command line; without any when `all` is meant by none.
struct Chosen {
    Cluster cluster;
    std::vector<ResolvedNode> nodes;
    std::string snapshots;
};

/// Does a setting say that some node's files are in the snapshot of that name?
bool is_set(const Cluster& cluster, const std::string& snapshot) {
    const auto says = [&](const auto& one) { return one.settings.snapshot == snapshot; };
    return cluster.defaults.snapshot == snapshot || std::ranges::any_of(cluster.groups, says) ||
           std::ranges::any_of(cluster.nodes, says);
}

/// Names of nodes that are in the list no more, whose snapshots are left, go from `sets` to `nodes`.
Result<> take_left_over(const Chosen& chosen, std::vector<std::string>& sets, std::vector<ResolvedNode>& nodes) {
    std::vector<std::string> others;
    std::set<std::string> seen;
    for (const auto& set : sets) {
        if (set.find('@') != set.npos) {  // groups have nodes of the list alone
            others.push_back(set);
            continue;
        }
        for (auto& name : TRY(expand_node_set(set))) {
            const auto path = snapshot_path(chosen.cluster, name);
            if (chosen.cluster.find_node(name) || !is_name(name) || !LinuxFiles().is_directory(path)) {
                others.push_back(std::move(name));
                continue;
            }
            if (is_set(chosen.cluster, name))
                return fail(fmt::format("{} is the snapshot of a node in the list, by its setting snapshot", path),
                            "name that node: diskless-server node show names its snapshot");
            if (!seen.insert(name).second) continue;
            ResolvedNode left;
            left.name = left.snapshot = name;
            left.snapshot_path = path;
            nodes.push_back(std::move(left));
        }
    }
    sets = std::move(others);
    return {};
}

/// Nodes whose snapshot, or whose root of their own, other nodes of the list have as well: why nothing is done to it.
std::map<std::string, Error> sharing_nodes(const Cluster& cluster, const std::vector<ResolvedNode>& chosen) {
    std::vector<ResolvedNode> all;
    all.reserve(cluster.nodes.size());
    for (const auto& node : cluster.nodes) {
        auto resolved = resolve(cluster, node);
        all.push_back(resolved ? std::move(*resolved) : ResolvedNode{});
        if (!resolved) {  // it may have written there before its image went
            all.back().name = node.name;
            all.back().snapshot = snapshot_of(cluster, node);
        }
    }
    std::set<std::string> own_roots;
    for (const auto& node : chosen)
        if (node.own_root) own_roots.insert(node.name);
    std::map<std::string, Error> found;
    for (const auto& sharing : find_sharing(cluster, all))
        for (const auto& name : sharing.nodes)
            if (sharing.rule == "shared-snapshot" || own_roots.contains(name)) found.emplace(name, sharing.error);
    return found;
}

/// With `left_over` snapshots of nodes that are not in the list may be named, too.
Result<Chosen> choose(const ParsedOptions& options, bool none_is_all, bool left_over = false) {
    auto sets = options.texts("node");
    if (sets.empty() && !none_is_all) return bad_usage("no node is named", "name nodes, or @all for every one");
    Chosen chosen;
    const auto base = TRY(base_of(options));
    chosen.cluster = TRY(load_cluster(base));
    const bool all = sets.empty();
    if (left_over) TRY(take_left_over(chosen, sets, chosen.nodes));
    if (all || !sets.empty())
        for (const auto* node : TRY(select_nodes(chosen.cluster, sets)))
            chosen.nodes.push_back(TRY(resolve(chosen.cluster, *node)));
    chosen.snapshots = join_path(chosen.cluster.base, "snapshots");
    LinuxFiles files;
    TRY(files.make_directories(chosen.snapshots));
    return chosen;
}

SnapshotJob job_of(const ResolvedNode& node, const Cluster& cluster) {
    SnapshotJob job;
    job.node = node.name;
    job.snapshot = node.snapshot;
    job.root = node.generation_path;
    job.root_mode = node.root_mode == "image" ? "overlay" : node.root_mode;  // it is memory that is written to
    job.hostname = node.hostname;
    job.overlays = node.groups;
    job.overlays.push_back(node.name);
    job.variables = node.variables;
    job.variables["node"] = node.name;
    job.variables["hostname"] = node.hostname;
    job.variables["address"] = node.address.is_set() ? node.address.text() : "";
    job.variables["mac"] = node.mac.is_set() ? node.mac.text() : "";
    job.variables["image"] = node.image;
    job.variables["domain"] = cluster.domain;
    job.variables["server"] = cluster.server.text();
    job.variables["nis_domain"] = node.nis_domain;
    return job;
}

void print_json(const std::vector<PreparedNode>& nodes, std::ostream& out) {
    JsonWriter json(2);
    json.begin_array();
    const auto list = [&](const char* name, const std::vector<std::string>& texts) {
        json.name(name);
        json.begin_array();
        for (const auto& each : texts) json.value(printable(each));
        json.end_array();
    };
    for (const auto& node : nodes) {
        json.begin_object();
        json.name("node");
        json.value(node.node);
        json.name("outcome");
        json.value(node.error.cause.empty() ? text(node.outcome) : "failed");
        json.name("bytes");
        json.value(static_cast<std::int64_t>(node.bytes));
        list("changes", node.changes);
        list("left", node.left);
        list("warnings", node.warnings);
        json.name("error");
        json.value(printable(node.error.cause));
        json.end_object();
    }
    json.end_array();
    out << json.text() << '\n';
}

/// Each node's failure is told; the others went on.
Result<> tell(const std::vector<PreparedNode>& nodes, const ParsedOptions& options, Streams& streams) {
    const bool dry = options.has("dry-run"), quiet = options.has("quiet"), json = options.has("json");
    std::size_t failed = 0, made = 0, completed = 0;
    std::set<std::string> left;
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> failures;  // cause, remedy -> nodes
    const Error* first = nullptr;
    for (const auto& node : nodes) {
        for (const auto& warning : node.warnings)
            streams.err << "warning: " << node.node << ": " << printable(warning) << '\n';
        if (!node.error.cause.empty()) {
            failures[{node.error.cause, node.error.remedy}].push_back(node.node);
            if (first == nullptr) first = &node.error;
            ++failed;
            continue;
        }
        left.insert(node.left.begin(), node.left.end());
        made += node.outcome == Prepared::made ? 1 : 0;
        completed += node.outcome == Prepared::completed ? 1 : 0;
        if (!dry || json) continue;
        if (node.outcome == Prepared::made) streams.out << "+ " << node.node << '\n';
        for (const auto& change : node.changes) streams.out << "~ " << node.node << ' ' << printable(change) << '\n';
    }
    for (const auto& [failure, names] : failures) {
        streams.err << fold_node_set(names) << ": " << failure.first << '\n';
        if (!failure.second.empty()) streams.err << "  " << failure.second << '\n';
    }
    if (json) print_json(nodes, streams.out);
    if (!json && !quiet)
        streams.out << fmt::format("{}{} made, {} completed, {} unchanged\n", dry ? "would be: " : "", made, completed,
                                   nodes.size() - failed - made - completed);
    if (!json && !quiet && !left.empty() && !options.has("lazy"))
        streams.out << fmt::format(
            "left to each node's first boot, being large: {}\n  the file system cannot share blocks between copies; "
            "--full "
            "copies them now\n",
            fmt::join(left, ", "));
    if (failed > 0) return fail(fmt::format("{} of {} snapshots failed", failed, nodes.size()), {}, first->code);
    return {};
}

Error no_generation(const ResolvedNode& node) {
    return {fmt::format("image {} has no generation yet", printable(node.image)),
            "diskless-server image sync " + printable(node.image), 0};
}

/// What is in the own root of a node is the node's: "reset" leaves it, too.
Result<> make_root(const ResolvedNode& node, const ParsedOptions& options, Streams& streams) {
    LinuxFiles files;
    const bool made = TRY(make_own_root(files, node.generation_path, node.root_path, node.hostname));
    if (made && !options.has("quiet") && !options.has("json")) streams.out << node.root_path << " made\n";
    return {};
}

Result<> prepare(const ParsedOptions& options, Streams& streams, bool anew, bool new_identity) {
    std::optional<TreeLock> lock;
    const auto base = TRY(base_of(options));
    if (!options.has("dry-run")) lock = TRY(TreeLock::take(base, &streams.err));
    const auto chosen = TRY(choose(options, !anew));
    std::vector<SnapshotJob> jobs;
    std::vector<PreparedNode> refused;
    const auto sharing = sharing_nodes(chosen.cluster, chosen.nodes);
    for (const auto& node : chosen.nodes) {
        const auto shared = sharing.find(node.name);
        if (shared != sharing.end() || node.generation_path.empty()) {
            auto& one = refused.emplace_back();
            one.node = node.name;
            one.error = shared != sharing.end() ? shared->second : no_generation(node);
            continue;
        }
        if (node.own_root && !options.has("dry-run"))
            TRY_TO(fmt::format("make {}, the root of {}", node.root_path, node.name),
                   make_root(node, options, streams));
        jobs.push_back(job_of(node, chosen.cluster));
    }
    PrepareOptions wanted;
    wanted.snapshots = chosen.snapshots;
    // Without the lock another run's place is not ours to clear, and the tree may be read-only.
    std::optional<Scratch> scratch;
    if (options.has("dry-run")) scratch.emplace(TRY(Scratch::make()));
    wanted.staging = join_path(scratch ? scratch->path() : chosen.snapshots, ".prepare");
    wanted.overlays = join_path(chosen.cluster.base, "overlays");
    if (options.has("lazy") && options.has("full"))
        return bad_usage("--lazy and --full exclude each other", "choose one");
    wanted.seed = options.has("lazy")   ? SeedWhat::nothing
                  : options.has("full") ? SeedWhat::everything
                                        : SeedWhat::cheap;
    wanted.dry_run = options.has("dry-run");
    wanted.anew = anew;
    wanted.new_identity = new_identity;
    const auto began = std::chrono::steady_clock::now();
    if (!options.has("quiet"))
        wanted.progress = [&](std::size_t done, std::size_t all) {
            if (std::chrono::steady_clock::now() - began > std::chrono::seconds(2))
                streams.err << fmt::format("{} of {} snapshots\n", done, all);
        };
    auto nodes = TRY(prepare_snapshots(jobs, wanted));
    std::ranges::move(refused, std::back_inserter(nodes));
    return tell(nodes, options, streams);
}

void add_output_options(OptionSet& options) {
    options.described.add_options()("full", "copy large entries, too, where the file system cannot clone them")(
        "lazy", "make the node's own files only: its first boot copies the rest")(
        "dry-run,n", "tell what would be done")("json", "print the result as JSON")("quiet,q",
                                                                                    "print warnings and failures only");
}

}  // namespace

Result<> snapshot_prepare(const std::vector<std::string>& arguments, Streams& streams) {
    auto set = options_of("diskless-server snapshot prepare [OPTIONS] [NODES...]",
                          "Examples:\n  diskless-server snapshot prepare\n"
                          "  diskless-server snapshot prepare --dry-run 'node[001-128]' @login\n"
                          "  diskless-server snapshot prepare --full node007\n");
    add_output_options(set);
    const auto options = TRY(parse_options(set, arguments, streams));
    if (options.helped) return {};
    return prepare(options, streams, false, false);
}

Result<> snapshot_reset(const std::vector<std::string>& arguments, Streams& streams) {
    auto set = options_of("diskless-server snapshot reset [OPTIONS] NODES...",
                          "What the node has written is lost; machine-id, ssh host key and files.custom stay.\n"
                          "Switch the node off first.\n\n"
                          "Example:\n  diskless-server snapshot reset node007\n");
    set.described.add_options()("new-identity", "a new machine-id and ssh host key, too");
    add_output_options(set);
    const auto options = TRY(parse_options(set, arguments, streams));
    if (options.helped) return {};
    return prepare(options, streams, true, options.has("new-identity"));
}

Result<> snapshot_status(const std::vector<std::string>& arguments, Streams& streams) {
    auto set = options_of("diskless-server snapshot status [--json] [NODES...]",
                          "Example:\n  diskless-server snapshot status @compute\n");
    set.described.add_options()("json", "print the result as JSON");
    const auto options = TRY(parse_options(set, arguments, streams));
    if (options.helped) return {};
    const auto chosen = TRY(choose(options, true, true));
    const auto snapshots = TRY(ConfinedFiles::open(chosen.snapshots));
    JsonWriter json(2);
    json.begin_array();
    std::vector<std::string> unreadable, no_directories;
    for (const auto& node : chosen.nodes) {
        const auto looked = snapshot_figures(snapshots, node.snapshot);
        const auto figures = looked.value_or(SnapshotFigures{});
        json.begin_object();
        json.name("node");
        json.value(node.name);
        json.name("exists");
        json.value(figures.exists);
        json.name("files");
        json.value(static_cast<std::int64_t>(figures.files));
        json.name("bytes");
        json.value(static_cast<std::int64_t>(figures.bytes));
        json.name("suspicious");
        json.begin_array();
        for (const auto& path : figures.suspicious) json.value(printable(path));
        json.end_array();
        if (!looked) {
            const bool is_directory = looked.error().code != ENOTDIR && looked.error().code != ELOOP;
            (is_directory ? unreadable : no_directories).push_back(node.name);
            json.name("problem");
            json.value(looked.error().cause);
        }
        json.end_object();
        if (options.has("json")) continue;
        if (!looked) {
            streams.out << node.name << ": " << looked.error().cause << '\n';
            continue;
        }
        streams.out << node.name << ": "
                    << (figures.exists ? fmt::format("{} file{}, {} kB", figures.files, figures.files == 1 ? "" : "s",
                                                     figures.bytes / 1024)
                                       : std::string("not prepared"))
                    << '\n';
        for (const auto& path : figures.suspicious) streams.out << "  special or set-id: " << printable(path) << '\n';
    }
    json.end_array();
    if (options.has("json")) streams.out << json.text() << '\n';
    if (!no_directories.empty()) {
        const auto names = fold_node_set(no_directories);
        return fail("no directory: the snapshot of " + names, "take it away: diskless-server snapshot remove " + names);
    }
    if (unreadable.empty()) return {};
    const auto names = fold_node_set(unreadable);
    return fail("not to be read: the snapshot of " + names,
                "look at it, or begin it anew: diskless-server snapshot reset " + names);
}

Result<> snapshot_diff(const std::vector<std::string>& arguments, Streams& streams) {
    auto set =
        options_of("diskless-server snapshot diff NODES...", "Example:\n  diskless-server snapshot diff node007\n");
    const auto options = TRY(parse_options(set, arguments, streams));
    if (options.helped) return {};
    const auto chosen = TRY(choose(options, false));
    const auto snapshots = TRY(ConfinedFiles::open(chosen.snapshots));
    for (const auto& node : chosen.nodes)
        for (const auto& [kind, path] : TRY(diff_snapshot(snapshots, node.snapshot, node.root_path)))
            streams.out << fmt::format("{}{}{} /{}\n", chosen.nodes.size() > 1 ? node.name : "",
                                       chosen.nodes.size() > 1 ? ": " : "", kind, printable(path));
    return {};
}

Result<> snapshot_archive(const std::vector<std::string>& arguments, Streams& streams) {
    auto set = options_of("diskless-server snapshot archive [--out FILE] NODE",
                          "Example:\n  diskless-server snapshot archive --out /backup/node007.tar.zst node007\n");
    set.described.add_options()("out,o", po::value<std::string>(), "default NODE.tar.zst here");
    const auto options = TRY(parse_options(set, arguments, streams));
    if (options.helped) return {};
    const auto chosen = TRY(choose(options, false, true));
    if (chosen.nodes.size() != 1) return bad_usage("one node is archived at a time", "name one node");
    const auto& node = chosen.nodes[0];
    const auto snapshots = TRY(ConfinedFiles::open(chosen.snapshots));
    const auto out = options.has("out") ? options.text("out") : node.name + ".tar.zst";
    for (const auto& each : TRY(archive_snapshot(snapshots, node.snapshot, out)))
        streams.err << "warning: left behind: " << each << '\n';
    streams.out << out << '\n';
    return {};
}

Result<> snapshot_remove(const std::vector<std::string>& arguments, Streams& streams) {
    auto set =
        options_of("diskless-server snapshot remove NODES...", "Example:\n  diskless-server snapshot remove node007\n");
    const auto options = TRY(parse_options(set, arguments, streams));
    if (options.helped) return {};
    const auto base = TRY(base_of(options));
    const auto lock = TRY(TreeLock::take(base, &streams.err));
    const auto chosen = TRY(choose(options, false, true));
    const auto sharing = sharing_nodes(chosen.cluster, {});
    for (const auto& node : chosen.nodes)
        if (const auto shared = sharing.find(node.name); shared != sharing.end())
            return Failure(shared->second);
    const auto snapshots = TRY(ConfinedFiles::open(chosen.snapshots));
    for (const auto& node : chosen.nodes)
        if (snapshots.exists(join_path(chosen.snapshots, node.snapshot))) {
            TRY(remove_snapshot(snapshots, node.snapshot));
            streams.out << fmt::format("removed {}\n", join_path(chosen.snapshots, node.snapshot));
        } else {
            streams.out << fmt::format("{} has no snapshot\n", node.name);
        }
    return {};
}

/// By directory names, not nodes: the new name may not be in the node list yet, the old one not any more.
Result<> snapshot_rename(const std::vector<std::string>& arguments, Streams& streams) {
    auto set = options_of("diskless-server snapshot rename OLD NEW",
                          "Example:\n  diskless-server snapshot rename node007 node107\n");
    const auto options = TRY(parse_options(set, arguments, streams));
    if (options.helped) return {};
    const auto names = options.texts("node");
    if (names.size() != 2) return bad_usage("the old and the new name are needed", "usage: " + std::string(set.usage));
    const auto base = TRY(base_of(options));
    const auto lock = TRY(TreeLock::take(base, &streams.err));
    const auto snapshots = TRY(ConfinedFiles::open(join_path(base, "snapshots")));
    TRY(rename_snapshot(snapshots, names[0], names[1]));
    streams.out << fmt::format("{}: renamed to {}\n", names[0], names[1]);
    return {};
}

Result<> simulate(const std::vector<std::string>& arguments, Streams& streams) {
    auto set = options_of("diskless-server simulate [--json] NODE", "Example:\n  diskless-server simulate node007\n");
    set.described.add_options()("json", "print the result as JSON");
    const auto options = TRY(parse_options(set, arguments, streams));
    if (options.helped) return {};
    const auto chosen = TRY(choose(options, false));
    if (chosen.nodes.size() != 1) return bad_usage("one node is simulated at a time", "name one node");
    const auto& node = chosen.nodes[0];
    const auto snapshots = TRY(ConfinedFiles::open(chosen.snapshots));
    PlanQuestion question;
    question.command_line = node.command_line;
    question.root = node.root_path;
    if (snapshots.is_directory(node.snapshot_path)) question.snapshot = node.snapshot_path;
    question.json = options.has("json");
    if (question.root.empty()) streams.err << "warning: the image has no generation yet: no mounts are shown\n";
    if (question.snapshot.empty()) streams.err << "warning: there is no snapshot yet: shown is a node without one\n";
    streams.out << TRY(plan_text(question, snapshots));
    return {};
}

Result<> cluster_status(const std::vector<std::string>& arguments, Streams& streams) {
    auto set =
        options_of("diskless-server status [--json] [NODES...]", "Example:\n  diskless-server status @compute\n");
    set.described.add_options()("json", "print the result as JSON");
    const auto options = TRY(parse_options(set, arguments, streams));
    if (options.helped) return {};
    const auto chosen = TRY(choose(options, true));
    const auto snapshots = TRY(ConfinedFiles::open(chosen.snapshots));
    std::vector<NodeBoot> boots;
    for (const auto& node : chosen.nodes)
        boots.push_back(node_boot(snapshots, chosen.snapshots, node.snapshot, node.name, node.generation));
    streams.out << (options.has("json") ? boots_json(boots) : boots_text(boots));
    return {};
}

}  // namespace diskless::server
