#include "server-helper/node_change.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "server-helper/model/node_set.hpp"
#include "server-helper/model/sharing.hpp"
#include "server-helper/model/toml_text.hpp"
#include "server-helper/model/validate.hpp"
#include "server-helper/render/rendered.hpp"

namespace diskless::server {

namespace {
constexpr std::array<std::string_view, 16> kKeys = {
    "ip",      "mac",       "groups",      "image", "generation", "kernel",    "initramfs", "console",
    "cmdline", "root-mode", "nfs-options", "swap",  "nis-domain", "interface", "snapshot",  "own-root"};
constexpr std::size_t kMaxFile = 64 << 20;

/// A list may be a symlink, into a repository for example: it stays one.
std::string file_behind(const std::string& path) {
    std::error_code problem;
    const auto file = std::filesystem::canonical(path, problem);
    return problem ? path : file.string();
}

/// "nodes.toml:27" is a line that the file does not have yet: the heading above it says more.
std::string with_headings(std::string cause, const NodeTexts& texts) {
    for (const auto& [path, text] : texts) {
        const auto all = lines(text);
        for (auto at = cause.find(path + ":"); at != std::string::npos; at = cause.find(path + ":", at + path.size())) {
            const auto begin = at + path.size() + 1;
            const auto end = std::min(cause.find_first_not_of("0123456789", begin), cause.size());
            const auto number = parse_number<std::size_t>(cause.substr(begin, end - begin));
            if (!number || *number == 0 || *number > all.size()) continue;
            auto line = *number - 1;
            while (line > 0 && !trim(all[line]).starts_with('[')) --line;
            const auto heading = trim(all[line]);
            if (heading.starts_with('[')) cause.replace(begin, end - begin, " " + printable(heading));
        }
    }
    return cause;
}

/// TOML has more ways to write a node than edits know: what has lost its name in part only would be two nodes.
Result<> check_gone(const std::string& path, const NodeEdits& edits, const Cluster& list) {
    auto names = edits.remove;
    for (const auto& [name, new_name] : edits.rename) names.push_back(name);
    for (const auto& name : names)
        if (const auto* left = list.find_node(name); left && left->place.file == path)
            return fail(fmt::format("{}: a part of node {} would stay", left->place.text(), name),
                        fmt::format("edit it by hand, or write its headings as [node.{}]", name));
    return {};
}
/// Doubles and impossible addresses that were there before are corrected one after the other.
Result<> check_no_worse(const Cluster& before, const Cluster& after, Streams& streams) {
    auto problems = node_problems(after);
    if (problems.empty()) return {};
    std::set<std::string> known;
    for (auto& problem : node_problems(before)) known.insert(std::move(problem.key));
    for (auto& problem : problems)
        if (!known.contains(problem.key)) return Failure(std::move(problem.error));
    for (const auto& problem : problems)
        streams.err << fmt::format("warning: {} ({})\n", problem.error.cause, problem.error.remedy);
    return {};
}
}  // namespace

Result<NodeChange> NodeChange::begin(const ParsedOptions& options, Streams& streams) {
    NodeChange change;
    const auto base = TRY(base_of(options));
    if (!options.has("dry-run")) change.lock_ = TRY(TreeLock::take(base, &streams.err));
    change.cluster_ = TRY(load_tree(options, streams, NodeProblems::kept));
    return change;
}

Result<bool> NodeChange::has_already(const Node& node, const NodeValues& values) const {
    NodeEdits edits;
    edits.set[node.name] = values;
    const auto text = TRY(LinuxFiles().read(node.place.file, kMaxFile));
    return edit_nodes(node.place.file, text, edits).value_or(std::string()) == text;
}

Result<> NodeChange::finish(const ParsedOptions& options, Streams& streams) {
    LinuxFiles files;
    NodeTexts texts;
    WantedFiles wanted;
    for (const auto& [path, edits] : edits_) {
        std::string before;
        std::uint32_t mode = 0644;
        const auto file = file_behind(path);
        if (const auto status = files.status(file)) {
            before = TRY(files.read(file, kMaxFile));
            mode = status->mode & ~0022u;  // who writes the list says what nodes boot
        }
        texts[path] = TRY(edit_nodes(path, before, edits));
        wanted[file] = {texts[path], mode};
    }
    const auto refused = [&texts](const Error& error) {
        return fail("the list as it would be: " + with_headings(error.cause, texts), error.remedy, error.code);
    };
    const auto loaded = load_cluster(cluster_.base, texts, NodeProblems::kept);
    if (!loaded) return refused(loaded.error());
    const auto& list = *loaded;
    if (const auto no_worse = check_no_worse(cluster_, list, streams); !no_worse) return refused(no_worse.error());
    for (const auto& [path, edits] : edits_) TRY(check_gone(path, edits, list));
    std::vector<Error> problems;
    const auto site = make_site(list, problems);
    for (const auto& sharing : find_sharing(site.cluster, site.nodes))
        streams.err << fmt::format("warning: {} ({})\n", sharing.error.cause, sharing.error.remedy);
    for (const auto& [image, nodes] : nodes_without_root(site))
        streams.err << fmt::format(
            "warning: image {} has no generation yet, {} cannot boot it (diskless-server image sync {})\n", image,
            fold_node_set(nodes), image);
    if (!problems.empty())
        streams.err << fmt::format("warning: {}{} ({})\n", problems[0].cause,
                                   problems.size() > 1 ? fmt::format(", and {} more like it", problems.size() - 1) : "",
                                   problems[0].remedy);
    tell_changes(TRY(apply_files(files, wanted, {}, options.has("dry-run"))), options, streams);
    return {};
}

Result<NodeValues> parse_settings(const std::vector<std::string>& words) {
    NodeValues values;
    for (const auto& word : words) {
        const auto equals = word.find('=');
        const auto key = word.substr(0, equals);
        if (key == "variables" || key == "mounts")
            return bad_usage(fmt::format("{} is not set by a command", key),
                             fmt::format("write it into the node's table in nodes.toml by hand: "
                                         "diskless-server-node(8) shows how"));
        if (equals == std::string::npos || key.empty() || std::ranges::find(kKeys, key) == kKeys.end()) {
            std::string known;
            for (const auto name : kKeys) known += (known.empty() ? "" : ", ") + std::string(name);
            return bad_usage(fmt::format("\"{}\" is no setting", printable(word)),
                             "write key=value, key= takes it away; keys are " + known);
        }
        const auto value = word.substr(equals + 1);
        if (value.empty()) {
            values[key] = std::nullopt;
        } else if (key == "groups") {
            std::vector<std::string> groups;
            for (const auto group : split(value, ','))
                if (!trim(group).empty()) groups.emplace_back(trim(group));
            values[key] = toml_texts(groups);
        } else {
            values[key] = toml_text(value);
        }
    }
    return values;
}

}  // namespace diskless::server
