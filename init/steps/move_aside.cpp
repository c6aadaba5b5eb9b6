#include "init/steps/move_aside.hpp"

#include <fmt/core.h>

#include "init/boot.hpp"

namespace diskless::steps {

Result<> move_aside(Mounts& mounts, const std::string& place) {
    const auto table = TRY(mounts.table());
    const auto* moved = mounted_at(table, place);
    const auto* root = moved != nullptr ? moved : mounted_at(table, kNewRoot);
    if (root == nullptr) return fail(fmt::format("nothing is mounted on {}", kNewRoot));
    if (moved == nullptr) TRY(mounts.move(kNewRoot, place));
    // "rw,relatime" -> "ro,…,relatime"
    return mounts.remount(place, "bind,ro,nosuid,nodev" + root->options.substr(std::string_view("ro").size()));
}

}  // namespace diskless::steps
