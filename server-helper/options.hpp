// Options of one subcommand, by Boost.Program_options: its exceptions end here.
#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "server-helper/command.hpp"

namespace diskless::server {

struct OptionSet {
    std::string_view usage;     // "diskless-server initramfs show [OPTIONS] FILE"
    std::string_view examples;  // whole lines
    boost::program_options::options_description described;
    boost::program_options::positional_options_description positional;
};

struct ParsedOptions {
    boost::program_options::variables_map values;
    bool helped = false;  // --help was given and has been answered

    bool has(const char* name) const { return values.count(name) > 0; }
    /// The value or, when the option was not given, an empty string.
    std::string text(const char* name) const { return has(name) ? values[name].as<std::string>() : ""; }
    std::vector<std::string> texts(const char* name) const {
        return has(name) ? values[name].as<std::vector<std::string>>() : std::vector<std::string>{};
    }
};

/// Adds --help to the options. Errors are of bad usage.
Result<ParsedOptions> parse_options(OptionSet& options, const std::vector<std::string>& arguments, Streams& streams);

}  // namespace diskless::server
