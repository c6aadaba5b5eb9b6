#pragma once

#include <cstdlib>
#include <string>

#include "server-helper/model/cluster.hpp"
#include "server-helper/options.hpp"

namespace diskless::server {

/// --base, else $DISKLESS_BASE, else the default; without a slash at the end.
inline std::string base_of(const ParsedOptions& parsed) {
    const char* environment = std::getenv("DISKLESS_BASE");
    auto base = parsed.has("base") ? parsed.text("base") : std::string(environment ? environment : kDefaultBase);
    while (base.size() > 1 && base.back() == '/') base.pop_back();
    return base;
}

}  // namespace diskless::server
