// Options of one command, by Boost.Program_options: its parser only. Its help printing, its value types and its map
// would bring most of iostream along; one source file sees the library.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

struct OptionRow {
    std::string_view name;   // "timeout"
    std::string_view value;  // "SECONDS"; empty: takes no value
    std::string_view help;
};

struct ParsedOptions {
    std::map<std::string, std::string, std::less<>> values;  // by name; "" for those without a value
    std::vector<std::string> operands;

    bool has(std::string_view name) const { return values.find(name) != values.end(); }
    std::string value(std::string_view name) const {
        const auto found = values.find(name);
        return found == values.end() ? std::string() : found->second;
    }
};

/// Errors: an unknown or repeated option, a value that is missing or not wanted. "--help" and "-h" are always known.
Result<ParsedOptions> parse_options(const std::vector<std::string>& arguments, const std::vector<OptionRow>& rows);

}  // namespace diskless
