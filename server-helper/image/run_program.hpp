#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

/// Runs a program (looked up in PATH) and waits; what it prints goes to our standard error. `package`: what to install
/// when it is absent.
Result<> run_program(const std::vector<std::string>& arguments, const std::string& package);

}  // namespace diskless::server
