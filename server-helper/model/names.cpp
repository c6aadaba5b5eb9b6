#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/os/files.hpp"
#include "server-helper/model/cluster.hpp"

namespace diskless::server {

namespace {
bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
}  // namespace

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= 63 && is_alphanumeric(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_exported_path(std::string_view path) {
    return path.starts_with('/') && std::none_of(path.begin(), path.end(), [](char c) {
               return (c >= '\0' && c <= ' ') || c == '\x7f' || c == ',' || c == '"' || c == '\'' || c == '\\';
           });
}

bool is_node_name(std::string_view name) {
    return is_name(name) && is_alphanumeric(name.back()) && name.find_first_of("._") == std::string_view::npos;
}

std::string how_to_make_tree(const std::string& base) {
    return fmt::format("make one: diskless-server init --base {} --address ADDRESS --network NETWORK/PREFIX", base);
}

std::string how_to_make_image(const Cluster& cluster, const std::string& name) {
    std::string known;
    for (const auto& image : cluster.images) known += (known.empty() ? "images are " : ", ") + image.name;
    return fmt::format("{}{}make it: diskless-server image add {} --root DIR, or as image add --help tells", known,
                       known.empty() ? "" : "; or ", printable(name));
}

std::string image_path(const Cluster& cluster, std::string_view image) {
    return join_path(join_path(cluster.base, "images"), image);
}
std::string snapshot_path(const Cluster& cluster, std::string_view snapshot) {
    return join_path(join_path(cluster.base, "snapshots"), snapshot);
}
std::string overlay_path(const Cluster& cluster, std::string_view group_or_node) {
    return join_path(join_path(cluster.base, "overlays"), group_or_node);
}
std::string boot_path(const Cluster& cluster, std::string_view rest) {
    return join_path(join_path(cluster.base, "boot"), rest);
}

bool is_interface_name(std::string_view name) { return is_name(name) && name.size() <= 15; }

bool is_card_address(const Mac& mac) { return mac.is_set() && (mac.bytes[0] & 1) == 0; }

}  // namespace diskless::server
