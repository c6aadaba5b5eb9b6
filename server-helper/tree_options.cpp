#include "server-helper/tree_options.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace diskless::server {

namespace po = boost::program_options;

void add_tree_options(OptionSet& options, TreeAccess access) {
    auto add = options.described.add_options();
    add("base", po::value<std::string>()->value_name("DIR"), "the tree; default $DISKLESS_BASE, else /srv/diskless");
    add("json", "print JSON");
    add("quiet,q", "print failures only");
    if (access == TreeAccess::changes) add("dry-run,n", "print what would change, change nothing");
}

Result<std::string> base_of(const ParsedOptions& options) {
    const char* environment = std::getenv("DISKLESS_BASE");
    auto base = options.has("base")           ? options.text("base")
                : environment && *environment ? std::string(environment)
                                              : std::string(kDefaultBase);
    if (base.empty()) return bad_usage("--base is empty");
    std::error_code problem;
    auto path = std::filesystem::absolute(base, problem).lexically_normal().string();
    if (problem) return fail("find " + base + ": " + problem.message());
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

Result<Cluster> load_tree(const ParsedOptions& options, Streams& streams, NodeProblems problems) {
    const auto base = TRY(base_of(options));
    auto cluster = TRY(load_cluster(base, {}, problems));
    if (!options.has("quiet"))
        for (const auto& warning : cluster.warnings) streams.err << "warning: " << warning.text() << '\n';
    return cluster;
}

void tell_changes(const std::vector<FileChange>& changes, const ParsedOptions& options, Streams& streams) {
    constexpr const char* kWords[] = {"created", "changed", "removed"};
    const auto word = [&](const FileChange& change) { return kWords[static_cast<int>(change.kind)]; };
    if (options.has("json")) {
        auto list = nlohmann::ordered_json::array();
        for (const auto& change : changes)
            list.push_back({{"path", change.path}, {"change", word(change)}, {"diff", change.diff}});
        streams.out << nlohmann::ordered_json{{"dry_run", options.has("dry-run")}, {"changes", list}}.dump(2) << '\n';
    } else if (options.has("dry-run")) {
        streams.out << diff_text(changes);
    } else if (!options.has("quiet")) {
        for (const auto& change : changes) streams.out << fmt::format("{} {}\n", word(change), change.path);
        if (changes.empty()) streams.out << "nothing to change\n";
    }
}

}  // namespace diskless::server
