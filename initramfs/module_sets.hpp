// Which modules an image holds when nobody says otherwise, and the groups that the node program asks for by purpose.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/image/manifest.hpp"

namespace diskless {

/// Network devices of servers and virtual machines with the buses they hang on. A kernel has only some of them.
const std::vector<std::string>& default_drivers();

/// nfs3, nfs4, packet: what every image holds, whatever drivers it has.
const std::vector<ModuleGroup>& module_groups();

/// For a root that is one file (diskless.image=). No kernel need have all of them, but the first two.
const std::vector<std::string>& image_root_modules();

/// Module names from "a,b c" or, when it is the path of a file, from the file: one or more a line, "#" comments.
Result<std::vector<std::string>> module_list(const std::string& list_or_file);

/// MODALIAS of every device below `sysfs` ("/sys"), each once, sorted.
Result<std::vector<std::string>> modaliases_of(const std::string& sysfs);

}  // namespace diskless
