// Programs of the host that are asked something and end: their output and exit status.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

struct ToolOutput {
    int status = 0;    // of exit(3); 128 + number of the signal that ended it
    std::string text;  // standard output and standard error as they came, at most 1 MiB
};

/// The file of a program in $PATH, /usr/sbin or /sbin; nothing when there is none.
std::optional<std::string> find_tool(std::string_view name);

/// Runs arguments[0] (a path) without a shell, standard input empty, language C. Killed when the time is up: error
/// with code ETIMEDOUT.
Result<ToolOutput> run_tool(const std::vector<std::string>& arguments, std::chrono::seconds time);

}  // namespace diskless
