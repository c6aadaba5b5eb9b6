// Which generations somebody needs: gc and remove leave them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "server-helper/model/cluster.hpp"

namespace diskless::server {

/// Among the reasons when the image's record cannot be read.
inline constexpr const char* kMayBePinned = "perhaps pinned, image.toml cannot be read";

struct ImageUse {
    std::map<std::string, std::vector<std::string>> reasons;  // "debian/20260101-000000" -> why
    /// Nodes whose report cannot be read or does not say which generation they run: they may run any.
    std::vector<std::string> unknown;

    bool is_used(std::string_view image, std::string_view generation) const;
    bool is_used(std::string_view image) const;
};

/// By pins of images, settings of nodes, groups and defaults, `current`, and what nodes report in
/// snapshots/<snapshot>/.diskless/boot.json, also those of nodes that are in the list no more.
Result<ImageUse> find_image_use(const Cluster& cluster);

/// The image and generation of ".../images/<image>/<generation>"; empty when the path is of another kind.
std::pair<std::string, std::string> generation_of_path(std::string_view path);

}  // namespace diskless::server
