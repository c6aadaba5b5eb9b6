// What most nodes do not need: its module may be left to the root.
#pragma once

#include <string>

#include "init/boot.hpp"

namespace diskless::steps {

/// Loads a module, and what it needs, from the image, or from the root that is mounted (in a child then). One that
/// neither has may be built into the kernel: no error. `otherwise`: what to write on the command line to do without.
Result<> load_from_anywhere(Os& os, const Boot& boot, const std::string& module, std::string_view otherwise);

/// The same for the module of a file system, unless the kernel knows that already. It must know it then.
Result<> load_file_system(Os& os, const Boot& boot, const std::string& type, std::string_view otherwise);

}  // namespace diskless::steps
