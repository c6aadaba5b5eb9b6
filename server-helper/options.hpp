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
    boost::program_options::options_description words;  // what is no option: the usage names it, the help does not
    boost::program_options::positional_options_description positional;

    /// What is no option is kept under this name.
    void take_words(const char* name) {
        words.add_options()(name, boost::program_options::value<std::vector<std::string>>());
        positional.add(name, -1);
    }
    void take_word(const char* name) {
        words.add_options()(name, boost::program_options::value<std::string>());
        positional.add(name, 1);
    }
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
