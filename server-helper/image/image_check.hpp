// Whether an image can boot on a read-only root.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

struct ImageFinding {
    bool fatal = false;  // nodes will not boot; else something will not work
    std::string what, remedy;
};

/// Looks at a tree as a node sees it: symlinks lead within it.
std::vector<ImageFinding> check_image(const std::string& root);

/// Where a path of the node leads within `root`, following symlinks as a node does; empty when nothing is there.
std::string resolve_in_root(const std::string& root, const std::string& path);

}  // namespace diskless::server
