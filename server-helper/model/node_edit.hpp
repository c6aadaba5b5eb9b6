// Changes to the text of a node list that leave everything else as people wrote it: comments, order, blanks.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

/// Values by key as TOML writes them (toml_text.hpp); nothing removes the key.
using NodeValues = std::map<std::string, std::optional<std::string>>;

struct NodeEdits {
    std::map<std::string, NodeValues> set;      // nodes that are in the text
    std::map<std::string, std::string> rename;  // old name -> new name
    std::vector<std::string> remove;
    std::vector<std::pair<std::string, NodeValues>> add;  // at the end, in this order
};

/// The text after the edits. `file` is for errors. A node that is no table of its own ("[node.NAME]") is refused.
Result<std::string> edit_nodes(const std::string& file, std::string_view text, const NodeEdits& edits);

}  // namespace diskless::server
