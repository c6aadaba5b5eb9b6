// Work in a child that hands nothing back: most of what touches a server, a disk or a mount.
#pragma once

#include <functional>

#include "common/os/processes.hpp"

namespace diskless {

/// Processes::in_child for it.
Result<> do_in_child(Processes& processes, const std::string& what, Deadline deadline,
                     const std::function<Result<>()>& work);

}  // namespace diskless
