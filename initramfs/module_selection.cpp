#include "initramfs/module_selection.hpp"

#include <algorithm>

#include "initramfs/module_file.hpp"
#include "initramfs/module_sets.hpp"

namespace diskless {

namespace {
bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void insert_sorted(std::vector<std::string>& names, const std::string& name) {
    const auto at = std::lower_bound(names.begin(), names.end(), name);
    if (at == names.end() || *at != name) names.insert(at, name);
}
}  // namespace

Result<> ModuleSelector::add(const std::string& name) {
    const auto found = tree_.find(name);
    if (found.empty()) insert_sorted(selection_.missing, normalize_alias(name));
    for (const auto& module : found) TRY(add_found(module));
    return {};
}

Result<> ModuleSelector::add_for_device(const std::string& modalias) {
    for (const auto& module : tree_.find(modalias, true)) TRY(add_found(module));
    return {};
}

Result<> ModuleSelector::add_found(const FoundModule& found) {
    if (found.builtin()) {
        insert_sorted(selection_.builtin, found.name);
        return {};
    }
    if (contains(seen_, found.name)) return {};
    seen_.push_back(found.name);

    SelectedModule module;
    module.source = found.path;
    module.content = TRY_TO("module " + found.name, read_decompressed(found.path));
    auto info = TRY_TO("module " + found.path, parse_module_info(module.content));
    module.firmware = std::move(info.firmware);
    module.entry = {found.name, "/lib/modules/" + found.name + ".ko", {}, std::move(info.aliases), found.options};

    TRY_TO("module " + found.name, add_needs(module.entry, info.depends));
    TRY_TO("module " + found.name, add_needs(module.entry, info.softdeps));
    TRY_TO("module " + found.name, add_needs(module.entry, found.softdeps));
    std::sort(module.entry.aliases.begin(), module.entry.aliases.end());
    selection_.modules.push_back(std::move(module));
    return {};
}

Result<> ModuleSelector::add_needs(ModuleEntry& entry, const std::vector<std::string>& names) {
    for (const auto& name : names)
        for (const auto& need : tree_.find(name)) {
            TRY(add_found(need));
            if (!need.builtin() && need.name != entry.name) insert_sorted(entry.needs, need.name);
        }
    return {};
}

std::vector<ModuleGroup> groups_of(const Selection& selection) {
    std::vector<ModuleGroup> groups;
    for (const auto& known : module_groups()) {
        ModuleGroup group{known.name, {}};
        for (const auto& name : known.modules) {
            const bool module = std::any_of(selection.modules.begin(), selection.modules.end(),
                                            [&](const auto& m) { return m.entry.name == name; });
            if (module || contains(selection.builtin, name)) group.modules.push_back(name);
        }
        // Without its last member, the one it is named for, a group would serve no purpose.
        if (!group.modules.empty() && group.modules.back() == known.modules.back()) groups.push_back(std::move(group));
    }
    return groups;
}

}  // namespace diskless
