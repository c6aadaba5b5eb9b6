// Node sets as ClusterShell writes them: "node[001-128,200],login1,@compute". Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

/// What "@name" stands for; nothing when there is no such group.
using GroupLookup = std::function<Result<std::vector<std::string>>(std::string_view group)>;

/// All names, in order, each once. Operators: "," union, "!" without, "&" in both, from left to right. Ranges keep
/// their zeros ([001-010]) and take steps ([0-8/2]); several brackets multiply. At most 1,000,000 names.
Result<std::vector<std::string>> expand_node_set(std::string_view text, const GroupLookup& lookup = {});

/// The shortest usual writing of the names: fold({"n1","n2","n4"}) is "n[1-2,4]".
std::string fold_node_set(const std::vector<std::string>& names);

}  // namespace diskless::server
