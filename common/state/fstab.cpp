#include "common/state/fstab.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/state/state_list.hpp"

namespace diskless {

bool FstabEntry::has(std::string_view option) const {
    const auto all = split(options, ',');
    return std::ranges::find(all, option) != all.end();
}

std::vector<FstabEntry> parse_fstab(std::string_view text) {
    std::vector<FstabEntry> entries;
    int number = 0;
    for (const auto line : lines(text)) {
        ++number;
        const auto fields = words(line);
        if (fields.size() < 3 || fields[0].starts_with('#')) continue;
        entries.push_back({std::string(fields[0]), std::string(fields[1]), std::string(fields[2]),
                           std::string(fields.size() > 3 ? fields[3] : std::string_view()), number});
    }
    return entries;
}

std::vector<NetworkMount> network_mounts(std::string_view fstab) {
    std::vector<NetworkMount> mounts;
    for (auto& entry : parse_fstab(fstab)) {
        if (!entry.is_nfs() || (entry.has("noauto") && !entry.has("x-systemd.automount"))) continue;
        auto target = clean_path(entry.target);
        if (target == "/" || !refused_path(target).empty()) continue;
        mounts.push_back({std::move(entry.source), std::move(target), entry.line});
    }
    return mounts;
}

}  // namespace diskless
