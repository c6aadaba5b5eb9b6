#include "server-helper/image/image_use.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/snapshot_files.hpp"
#include "common/base/text.hpp"
#include "common/os/confined_files_linux.hpp"
#include "common/report/boot_report.hpp"
#include "server-helper/model/node_set.hpp"

namespace diskless::server {

bool ImageUse::is_used(std::string_view image, std::string_view generation) const {
    return reasons.contains(fmt::format("{}/{}", image, generation));
}

bool ImageUse::is_used(std::string_view image) const {
    const auto first = reasons.lower_bound(fmt::format("{}/", image));
    return first != reasons.end() && first->first.starts_with(fmt::format("{}/", image));
}

std::pair<std::string, std::string> generation_of_path(std::string_view path) {
    auto parts = split(path, '/');
    std::erase(parts, std::string_view());
    if (parts.size() < 3 || parts[parts.size() - 3] != "images") return {};
    return {std::string(parts[parts.size() - 2]), std::string(parts.back())};
}

namespace {
using NodesOf = std::map<std::string, std::vector<std::string>>;  // "debian/20260101-000000" -> names

/// Nodes write below `snapshots`: no symlink there is followed.
void read_report(const ConfinedFiles& files, const std::string& snapshots, const std::string& name, ImageUse& use,
                 NodesOf& running) {
    const auto place = join_path(snapshots, name + snapshot_files::kBootReport);
    const auto report_status = files.status(place);
    const auto running_status = files.status(join_path(snapshots, name + snapshot_files::kRunning));
    if (running_status && (!report_status || running_status->modified > report_status->modified)) {
        use.unknown.push_back(name + " (has booted after its report)");
        return;
    }
    const auto text = files.read(place, 4 << 20);
    if (!text && (text.error().code == ENOENT || text.error().code == ENOTDIR)) return;  // has never booted
    const auto report = text ? boot_report_from_json(*text) : Result<BootReport>(Failure(text.error()));
    if (!report) {
        use.unknown.push_back(fmt::format("{} (its report: {})", name, printable(report.error().cause)));
        return;
    }
    auto [image, generation] = generation_of_path(report->root.path);
    if (image.empty() && report->root.path.empty()) return;  // had no root: it runs nothing of ours
    if (generation == "current") generation = report->root.generation;
    if (image.empty()) return;  // a root of another kind
    if (generation.empty())
        use.unknown.push_back(fmt::format("{} (runs {} by the name \"current\")", name, printable(image)));
    else
        running[image + "/" + generation].push_back(name);
}

void tell(const NodesOf& nodes, const char* one, const char* several, ImageUse& use) {
    for (const auto& [generation, names] : nodes)
        use.reasons[generation].push_back(
            fmt::format("{} {}", fold_node_set(names), names.size() == 1 ? one : several));
}
}  // namespace

Result<ImageUse> find_image_use(const Cluster& cluster) {
    ImageUse use;
    for (const auto& image : cluster.images) {
        for (const auto& generation : image.pinned) use.reasons[image.name + "/" + generation].emplace_back("pinned");
        if (image.record_is_bad)
            for (const auto& generation : image.generations)
                use.reasons[image.name + "/" + generation].emplace_back(kMayBePinned);
        if (!image.current.empty()) use.reasons[image.name + "/" + image.current].emplace_back("current");
    }
    NodesOf booting, running;
    for (const auto& node : cluster.nodes)
        if (const auto resolved = resolve(cluster, node); resolved && !resolved->generation.empty())
            booting[resolved->image + "/" + resolved->generation].push_back(node.name);
    tell(booting, "boots it", "boot it", use);
    const auto snapshots = join_path(cluster.base, "snapshots");
    const auto files = ConfinedFiles::open(snapshots);
    if (!files && files.error().code == ENOENT) return use;
    if (!files) return within("see which generations nodes run", files.error());
    for (const auto& name : TRY_TO("see which generations nodes run", files->list(snapshots)))
        read_report(*files, snapshots, name, use, running);
    tell(running, "runs it", "run it", use);
    return use;
}

}  // namespace diskless::server
