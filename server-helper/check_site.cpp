// diskless-server check: findings, each with its remedy.
#include <fmt/core.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "server-helper/boot_commands.hpp"
#include "server-helper/boot_stage.hpp"
#include "server-helper/check/exports_policy.hpp"
#include "server-helper/check/site_check.hpp"
#include "server-helper/model/node_files.hpp"
#include "server-helper/model/sharing.hpp"
#include "server-helper/model/validate.hpp"
#include "server-helper/options.hpp"
#include "server-helper/render/install.hpp"
#include "server-helper/tree_options.hpp"

namespace diskless::server {

namespace {
namespace po = boost::program_options;
constexpr std::size_t kMostBytes = std::size_t{64} << 20;

OptionSet options() {
    OptionSet set;
    set.usage = "diskless-server check [OPTIONS]";
    set.examples =
        "Examples:\n"
        "  diskless-server check                          the whole tree\n"
        "  diskless-server check --exports /etc/exports   that file, also of a server without a tree\n";
    set.described.add_options()("base", po::value<std::string>(), "the tree; default $DISKLESS_BASE or /srv/diskless")(
        "exports", po::value<std::vector<std::string>>(), "an exports file to judge; may be repeated")(
        "json", "print the findings as JSON")("quiet,q", "print nothing when there are no findings");
    return set;
}

void append(Findings& to, Findings from) {
    for (auto& finding : from) to.push_back(std::move(finding));
}

Result<std::string> read_exports(const std::string& path) {
    return TRY_TO("check the exports", LinuxFiles().read(path, kMostBytes));
}

/// Do the boot files say what the node list says? By content: the time of a file does not tell whether a change of the
/// list concerns it.
Findings check_rendered(Site site) {
    const auto boot = boot_path(site.cluster, "");
    if (!LinuxFiles().exists(join_path(boot, ".rendered")))
        return {{"not-applied", boot + " has no boot files of this node list", "diskless-server boot apply"}};
    find_file_system_identities(site);
    std::vector<RenderedDialect> rendered;
    for (const auto name : wanted_dialects(site.cluster)) {
        RenderedDialect dialect{std::string(name), {}};
        if (const auto done = find_dialect(name)->render(site, dialect.files); !done)
            return {{"not-renderable", fmt::format("{}: {}", name, done.error().cause), done.error().remedy}};
        rendered.push_back(std::move(dialect));
    }
    InstallOptions options;
    options.dry_run = options.force = true;
    for (const auto& [image, nodes] : nodes_without_root(site)) options.left.insert(nodes.begin(), nodes.end());
    const auto compared = install_rendered(boot, rendered, options);
    if (!compared) return {{"not-readable", compared.error().cause, compared.error().remedy}};
    if (compared->changes.empty()) return {};
    return {{"boot-files-stale",
             fmt::format("{} boot file{} not as the node list and the images are now, as {}", compared->changes.size(),
                         compared->changes.size() == 1 ? " is" : "s are", compared->changes.front().path),
             "diskless-server boot apply (with --dry-run: shows what differs)"}};
}

Result<Findings> judge_tree(const std::string& base, Streams& streams) {
    auto cluster = TRY(load_cluster(base, {}, NodeProblems::kept));
    const bool spoiled = !node_problems(cluster).empty();  // check_nodes() tells
    for (const auto& warning : cluster.warnings) streams.err << "warning: " << warning.text() << '\n';
    std::vector<Error> problems;
    const auto site = make_site(std::move(cluster), problems);
    Findings findings;
    for (auto& problem : problems)
        findings.push_back({"node-incomplete", std::move(problem.cause), std::move(problem.remedy)});
    append(findings, check_nodes(site));
    append(findings, check_parameters(site));
    if (const auto good = check_initramfs_options(site.cluster); !good)
        findings.push_back({"initramfs-options", good.error().cause, good.error().remedy});
    append(findings, check_tree(site));
    const auto wanted = wanted_exports(site);
    const bool shared = !find_sharing(site.cluster, site.nodes).empty();  // told above
    if (!wanted && !shared && !site.cluster.boot.nfs.empty())
        findings.push_back({"not-exportable", wanted.error().cause, wanted.error().remedy});
    // one node that is incomplete, or has what another has, keeps boot apply from rendering any
    else if (problems.empty() && !shared && !spoiled)
        append(findings, check_rendered(site));
    const auto path = boot_path(site.cluster, "etc/exports");
    const auto text = LinuxFiles().read(path, kMostBytes);
    if (!text && text.error().code == ENOENT) return findings;  // told above, or another NFS server is wanted
    if (!text) return within("check the exports", text.error());
    append(findings, check_exports(*text, path));
    if (wanted) append(findings, check_exports_of({{path, *text}}, *wanted));
    return findings;
}

/// Foreign files: each by itself, and all of them against the tree where there is one.
Result<Findings> judge_files(const std::vector<std::string>& paths, const std::string& base) {
    Findings findings;
    const bool has_tree = LinuxFiles().exists(base + "/cluster.toml");
    std::optional<Site> site;
    if (has_tree) {
        auto cluster = TRY(load_cluster(base, {}, NodeProblems::kept));
        site = TRY(make_site(std::move(cluster)));
    }
    std::vector<ExportsText> texts;
    for (const auto& path : paths) texts.push_back({path, TRY(read_exports(path))});
    for (const auto& [path, text] : texts) append(findings, check_exports(text, path));
    if (site) append(findings, check_exports_of(texts, TRY(wanted_exports(*site))));
    return findings;
}

void print(const Findings& findings, bool json, bool quiet, Streams& streams) {
    if (json) {
        using Json = nlohmann::ordered_json;
        auto list = Json::array();
        for (const auto& finding : findings)
            list.push_back({{"rule", finding.rule}, {"finding", finding.what}, {"remedy", finding.remedy}});
        streams.out << Json{{"findings", list}}.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
        return;
    }
    for (const auto& finding : findings)
        streams.out << fmt::format("{} [{}]\n  {}\n", finding.what, finding.rule, finding.remedy);
    if (findings.empty() && !quiet) streams.out << "nothing found\n";
}
}  // namespace

Result<> check_site(const std::vector<std::string>& arguments, Streams& streams) {
    auto set = options();
    const auto parsed = TRY(parse_options(set, arguments, streams));
    if (parsed.helped) return {};
    const auto base = TRY(base_of(parsed));
    const auto files = parsed.texts("exports");
    const auto findings = TRY(files.empty() ? judge_tree(base, streams) : judge_files(files, base));
    print(findings, parsed.has("json"), parsed.has("quiet"), streams);
    if (findings.empty()) return {};
    return fail(fmt::format("{} finding{}", findings.size(), findings.size() == 1 ? "" : "s"));
}

}  // namespace diskless::server
