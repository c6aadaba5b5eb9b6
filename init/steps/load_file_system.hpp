// A file system that most nodes do not need: its module may be left to the root.
#pragma once

#include <string>
#include <vector>

#include "init/boot.hpp"

namespace diskless::steps {

/// Loads `modules`, the last of which is a file system's type too, unless the kernel knows that already: from the
/// image, or from the root that is mounted (in a child then). `otherwise`: what to write on the command line to do
/// without.
Result<> load_file_system(Os& os, const Boot& boot, const std::vector<std::string>& modules,
                          std::string_view otherwise);

}  // namespace diskless::steps
