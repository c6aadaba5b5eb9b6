// The files of the node list.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "server-helper/model/cluster.hpp"

namespace diskless::server {

/// Content by absolute path.
using NodeTexts = std::map<std::string, std::string>;

/// nodes.toml and nodes/*.toml, those that exist.
std::vector<std::string> node_files(const std::string& base);

/// node_problems() (validate.hpp) are errors, or are left to who tells or corrects them.
enum class NodeProblems { refused, kept };

/// As load_cluster(base), with these texts in place of what the files hold: checks a change before it is written.
Result<Cluster> load_cluster(const std::string& base, const NodeTexts& instead,
                             NodeProblems problems = NodeProblems::refused);

}  // namespace diskless::server
