// Each dialect read by its own program before it is installed.
#pragma once

#include <string>
#include <vector>

#include "server-helper/render/rendered.hpp"

namespace diskless::server {

struct Verdict {
    std::string dialect;
    std::string tool;
    bool ran = false;    // else the tool is not installed
    std::string remedy;  // how to get the tool, when it did not run
};

/// Runs the tools of the dialects in `rendering` that have one, on copies below `scratch` (a directory that exists,
/// which is not cleared). Fails for the first dialect that its tool refuses, with the tool's own words.
Result<std::vector<Verdict>> validate(const Rendering& rendering, const std::string& scratch);

/// Of what a tool said, at most four lines from the first that speaks of an error on: dhcpd greets before it complains.
std::string first_complaint(std::string_view said);

}  // namespace diskless::server
