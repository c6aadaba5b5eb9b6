// What the DHCP dialects ask of a site, checked once.
#pragma once

#include <map>
#include <string>

#include "server-helper/render/rendered.hpp"

namespace diskless::server {

/// Server, network and prefix are said, text options have no control characters. Errors name the key to write.
Result<> check_dhcp_site(const Site& site);

/// "10.9.0.1:/srv/diskless/images/debian/7" (option 17); empty when the image has no generation yet.
std::string root_path_option(const Site& site, const ResolvedNode& node);

/// Addresses with `separator` between them.
std::string addresses(const std::vector<Ipv4>& list, std::string_view separator);

}  // namespace diskless::server
