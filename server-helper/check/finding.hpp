#pragma once

#include <string>
#include <vector>

namespace diskless::server {

/// Something that is wrong, in one line, and what to do about it in another.
struct Finding {
    std::string rule;  // "shared-writable": the same word for the same kind of mistake
    std::string what;  // with its object: "/etc/exports:3: /srv/root is …"
    std::string remedy;
    bool operator==(const Finding&) const = default;
};
using Findings = std::vector<Finding>;

}  // namespace diskless::server
