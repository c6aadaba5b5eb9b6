#pragma once

#include "server-helper/command.hpp"
#include "server-helper/render/rendered.hpp"

namespace diskless::server {

Result<> apply_boot(const std::vector<std::string>& arguments, Streams& streams);
Result<> check_site(const std::vector<std::string>& arguments, Streams& streams);

/// Asks the file systems of what will be exported whether exports need a number for them: Site::without_identity.
void find_file_system_identities(Site& site);

}  // namespace diskless::server
