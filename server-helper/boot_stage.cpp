#include "server-helper/boot_stage.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "common/base/text.hpp"
#include "server-helper/initramfs_commands.hpp"

namespace diskless::server {

namespace {
/// Kernel and root are filled in for each image.
Result<BuildRequest> common_build(const Cluster& cluster, const std::string& program) {
    const auto& chosen = cluster.boot.initramfs;
    for (const auto& option : chosen)
        for (const char* ours : {"--kernel", "-k", "--root", "--out", "-o", "--program", "--json", "--quiet", "-q"})
            if (option == ours || option.starts_with(std::string(ours) + "="))
                return fail(fmt::format("cluster.toml: initramfs-options cannot have {}", ours),
                            "boot apply says that by itself");
    std::vector<std::string> options{"--kernel", "any"};
    if (!program.empty()) options.insert(options.end(), {"--program", program});
    options.insert(options.end(), chosen.begin(), chosen.end());
    return TRY_TO("cluster.toml: initramfs-options", initramfs_request(options));
}

/// One line for all files that one remedy brings.
void tell_lacking(const std::vector<LackingFile>& lacking, Streams& streams) {
    std::map<std::string, std::vector<std::string>> causes;
    std::vector<std::string> remedies;  // in the order in which files are lacking: a kernel before its initramfs
    for (const auto& file : lacking) {
        auto& of = causes[file.remedy];
        if (of.empty()) remedies.push_back(file.remedy);
        if (std::find(of.begin(), of.end(), file.cause) == of.end()) of.push_back(file.cause);
    }
    for (const auto& remedy : remedies)
        streams.err << fmt::format("warning: {} ({})\n", join(causes[remedy], "; "), remedy);
}
}  // namespace

Result<> check_initramfs_options(const Cluster& cluster) {
    TRY(common_build(cluster, {}));
    return {};
}

Result<Staged> stage_boot(const Site& site, const BootStageRequest& request, Streams& streams) {
    const auto build = TRY(common_build(site.cluster, request.program));
    StagePlan plan;
    plan_kernels(site, build, plan);
    TRY(plan_loaders(site.cluster, "/", plan));
    StageOptions options{request.dry_run, request.force, {}};
    if (!request.quiet)
        options.working = [&](const std::string& what) {
            streams.err << "building " << what << " ...\n" << std::flush;
        };
    auto staged = TRY(stage_files(boot_path(site.cluster, ""), plan, options));
    for (const auto& warning : plan.warnings) streams.err << "warning: " << warning << '\n';
    tell_lacking(staged.lacking, streams);
    return staged;
}

}  // namespace diskless::server
