#include "common/state/fstab.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/state/state_list.hpp"

namespace diskless {

std::vector<NetworkMount> network_mounts(std::string_view fstab) {
    std::vector<NetworkMount> mounts;
    int number = 0;
    for (const auto line : lines(fstab)) {
        ++number;
        const auto fields = words(line);
        if (fields.size() < 3 || fields[0].starts_with('#') || (fields[2] != "nfs" && fields[2] != "nfs4")) continue;
        const auto options = fields.size() > 3 ? split(fields[3], ',') : std::vector<std::string_view>{};
        const auto has = [&](std::string_view option) { return std::ranges::find(options, option) != options.end(); };
        if (has("noauto") && !has("x-systemd.automount")) continue;
        auto target = clean_path(fields[1]);
        if (target == "/" || !refused_path(target).empty()) continue;
        mounts.push_back({std::string(fields[0]), std::move(target), number});
    }
    return mounts;
}

}  // namespace diskless
