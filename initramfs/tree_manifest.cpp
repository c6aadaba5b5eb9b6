#include "initramfs/tree_manifest.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "initramfs/host_files.hpp"
#include "initramfs/module_file.hpp"
#include "initramfs/module_selection.hpp"
#include "initramfs/module_sets.hpp"

namespace diskless {

namespace fs = std::filesystem;

namespace {
std::vector<std::string> wanted_names() {
    std::vector<std::string> names;
    for (const auto& group : module_groups()) names.insert(names.end(), group.modules.begin(), group.modules.end());
    names.insert(names.end(), default_drivers().begin(), default_drivers().end());
    return names;
}

/// Module files below the directory, by name.
std::vector<fs::path> module_files(const fs::path& directory) {
    std::vector<fs::path> files;
    std::error_code problem;
    for (fs::recursive_directory_iterator at(directory, problem), end; at != end; at.increment(problem)) {
        const auto name = at->path().filename().string();
        if (name.ends_with(".ko") || name.find(".ko.") != std::string::npos) files.push_back(at->path());
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.filename() < b.filename(); });
    return files;
}

void keep_known(std::vector<std::string>& needs, const std::set<std::string>& known) {
    std::sort(needs.begin(), needs.end());
    needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
    std::erase_if(needs, [&](const auto& need) { return !known.contains(need); });
}
}  // namespace

Result<TreeManifest> manifest_for_tree(const std::string& directory, const std::string& kernel, const std::string& root,
                                       std::optional<std::int64_t> time) {
    const auto tree = TRY(ModuleTree::open(root, kernel));
    std::int64_t built = time.value_or(0);
    TreeManifest result;
    Selection selection;
    std::set<std::string> known;
    for (const auto& file : module_files(fs::path(directory) / "lib/modules" / kernel)) {
        const auto name = file.filename().string();
        SelectedModule module;
        module.entry.name = normalize_alias(name.substr(0, name.find(".ko")));
        if (!name.ends_with(".ko")) {
            result.warnings.push_back(module.entry.name + " is compressed and cannot be loaded: left out");
            continue;
        }
        const auto content = TRY(read_decompressed(file.string()));
        auto info = TRY_TO("module " + file.string(), parse_module_info(content));
        if (!time) built = std::max(built, changed_at(file.string()));
        module.entry.path = "/" + fs::relative(file, directory).string();
        module.entry.aliases = std::move(info.aliases);
        module.entry.lean = lean_form(content);
        module.entry.needs = std::move(info.depends);
        module.entry.needs.insert(module.entry.needs.end(), info.softdeps.begin(), info.softdeps.end());
        known.insert(module.entry.name);
        selection.modules.push_back(std::move(module));
    }
    for (const auto& name : wanted_names())
        for (const auto& found : tree.find(name))
            if (found.builtin()) selection.builtin.push_back(found.name);
    std::sort(selection.builtin.begin(), selection.builtin.end());

    Manifest all;
    for (auto& module : selection.modules) {
        keep_known(module.entry.needs, known);
        all.modules.push_back(module.entry);
    }
    // The other tool's image may hold drivers of disks and screens: a node that lives on NFS leaves them alone.
    for (const auto* entry : load_order(all, wanted_names())) result.manifest.modules.push_back(*entry);
    result.manifest.kernel = kernel;
    result.manifest.built = built;
    result.manifest.builtin = selection.builtin;
    result.manifest.groups = groups_of(selection);
    return result;
}

Result<std::vector<std::string>> common_modules(const std::string& kernel, const std::string& root) {
    const auto tree = TRY(ModuleTree::open(root, kernel));
    std::vector<std::string> names;
    for (const auto& name : wanted_names())
        for (const auto& found : tree.find(name))
            if (!found.builtin() && std::find(names.begin(), names.end(), found.name) == names.end())
                names.push_back(found.name);
    return names;
}

}  // namespace diskless
