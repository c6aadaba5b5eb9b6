// What a subcommand of diskless-server is, and the table of them.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

enum ExitCode { kDone = 0, kFailed = 1, kBadUsage = 2 };

/// `Error::code` of a mistake on the command line; everything else is a failure of the work.
inline constexpr int kUsageCode = -1;
/// Without a remedy: the help of the command.
Failure bad_usage(std::string cause, std::string remedy = {});

struct Streams {
    std::ostream& out;  // what was asked for
    std::ostream& err;  // progress, warnings, failures
};

struct Command {
    std::string_view name;  // "initramfs build"
    std::string_view help;  // one line
    /// `arguments` are those after the name.
    Result<> (*run)(const std::vector<std::string>& arguments, Streams& streams);
};

/// Every subcommand, in the order of the help.
const std::vector<Command>& commands();

/// The whole program: `arguments` without argv[0]; an ExitCode.
int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace diskless::server
