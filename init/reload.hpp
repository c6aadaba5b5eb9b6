// Lists that were changed on a running node: what is new in them is mounted, what is gone is only said.
#pragma once

#include <string>
#include <vector>

#include "common/os/os.hpp"

namespace diskless {

/// Where things are; a test has another place for the root.
struct ReloadPlace {
    std::string root = "/";
};

/// Plans the state again and applies what the boot's report does not have yet; the report then has it too. A line for
/// each entry: "+ persistent /opt/data, from …", "! /x: why not", "- /y: no longer listed, stays until the next boot";
/// none: nothing has changed.
Result<std::vector<std::string>> reload_state(Os& os, const ReloadPlace& place = {});

}  // namespace diskless
