#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

/// Runs a program (looked up in PATH) and waits; what it prints goes to our standard error. `package`: what to install
/// when it is absent. `no_room`: the exit status by which it tells of a full disk, if it does: the error is ENOSPC then.
Result<> run_program(const std::vector<std::string>& arguments, const std::string& package, int no_room = 0);

}  // namespace diskless::server
