// Shell patterns of one name: * ? [abc] [a-z] [!abc], backslash quotes.
#pragma once

#include <string_view>

namespace diskless {

bool has_pattern(std::string_view text);
/// As glob(7): a leading dot is matched by a dot only; "/" is a character like others here. Linear in both texts'
/// product.
bool matches_name(std::string_view pattern, std::string_view name);
/// The same for whole paths, name by name: "*" does not reach over a "/".
bool matches_path(std::string_view pattern, std::string_view path);

}  // namespace diskless
