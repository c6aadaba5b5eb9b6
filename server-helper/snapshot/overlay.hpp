// overlays/<group>/ and overlays/<node>/: files that the administrator gives to nodes, as plain trees.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/os/files.hpp"
#include "server-helper/snapshot/tree_template.hpp"

namespace diskless::server {

struct OverlayFile {
    OwnFile file;
    bool is_template = false;
    std::string origin;  // where it is on the server
};
/// By path in the node's root, without a leading slash nor the ".in" of a template.
using Overlay = std::map<std::string, OverlayFile>;

/// Names templates of an overlay that have no ".in": a path a line, "#" comments. No file of the node.
inline constexpr const char* kTemplatesList = ".templates";

struct ReadOverlay {
    Overlay files;
    std::vector<std::string> warnings;  // what is no plain file and left out
};

/// All plain files below `directory`; an absent directory is an empty overlay.
Result<ReadOverlay> read_overlay(const std::string& directory, const Files& files);

/// "${name}" of the variables becomes the value; any other "${…}" and "$" stays as it is.
std::string substitute(std::string_view text, const std::map<std::string, std::string>& variables);

}  // namespace diskless::server
