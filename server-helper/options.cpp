#include "server-helper/options.hpp"

namespace diskless::server {

namespace po = boost::program_options;

Result<ParsedOptions> parse_options(OptionSet& options, const std::vector<std::string>& arguments, Streams& streams) {
    options.described.add_options()("help,h", "print this");
    ParsedOptions parsed;
    po::options_description all;
    all.add(options.described).add(options.words);
    try {
        const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
        po::store(po::command_line_parser(arguments).options(all).positional(options.positional).style(style).run(),
                  parsed.values);
        po::notify(parsed.values);
    } catch (const po::too_many_positional_options_error&) {
        return bad_usage("there is one word too many", "usage: " + std::string(options.usage));
    } catch (const po::error& error) {
        return bad_usage(error.what());
    }
    if (parsed.has("help")) {
        parsed.helped = true;
        streams.out << "usage: " << options.usage << "\n\n" << options.described << '\n' << options.examples;
    }
    return parsed;
}

}  // namespace diskless::server
