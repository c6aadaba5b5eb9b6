#include "agent/ctl/covering_mount.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless::ctl {

const MountEntry* covering_mount(const std::vector<MountEntry>& table, std::string_view path) {
    const MountEntry* best = nullptr;
    for (const auto& entry : table) {
        const std::string_view target = entry.target;
        const bool covers = target == "/" || path == target || (path.starts_with(target) && path[target.size()] == '/');
        if (covers && (best == nullptr || target.size() >= best->target.size())) best = &entry;
    }
    return best;
}

bool has_option(std::string_view options, std::string_view option) {
    const auto all = split(options, ',');
    return std::ranges::find(all, option) != all.end();
}

}  // namespace diskless::ctl
