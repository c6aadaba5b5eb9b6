// What the parsers of all list formats share.
#pragma once

#include <string_view>

#include "common/state/state_list.hpp"

namespace diskless {

/// The line without blanks at its ends and without a "#" comment (at the start or after a blank).
std::string_view without_comment(std::string_view line);

/// An entry for the path as written, or the problem why it cannot be one.
void add_path(StateList& list, StateKind kind, std::string_view written, StateOrigin origin);

}  // namespace diskless
