// Strings packed into one string and back: what a child process hands to its parent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

/// Each string as its decimal length, ":", its bytes ("netstring" without the comma).
std::string pack(const std::vector<std::string>& strings);
/// The strings again; anything that pack() has not made is an error.
Result<std::vector<std::string>> unpack(std::string_view packed);

}  // namespace diskless
