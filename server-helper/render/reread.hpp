// What makes running servers read rendered files again: until then they serve the nodes of before.
#pragma once

#include <string>
#include <vector>

#include "server-helper/model/apply.hpp"

namespace diskless::server {

/// Commands for an administrator's shell, each once, in an order that works. `boot` is <base>/boot. Menus are read anew
/// for each node: nobody needs to be told of them. Units that are new are to be enabled, those that are gone disabled.
std::vector<std::string> commands_to_reread(const Files& files, const std::string& boot,
                                            const std::vector<FileChange>& changes);

}  // namespace diskless::server
