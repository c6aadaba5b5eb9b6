#include "agent/ctl/options.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <boost/smart_ptr/make_shared.hpp>

#include "common/base/text.hpp"

namespace diskless {

namespace po = boost::program_options;

Result<ParsedOptions> parse_options(const std::vector<std::string>& arguments, const std::vector<OptionRow>& rows) {
    // The library reports by exceptions: fenced here.
    try {
        po::options_description known;
        const auto add = [&known](const std::string& name, bool bare) {
            known.add(boost::make_shared<po::option_description>(name.c_str(), new po::untyped_value(bare)));
        };
        add("help,h", true);
        for (const auto& row : rows) add(std::string(row.name), row.value.empty());

        using Style = po::command_line_style::style_t;
        constexpr int kStyle = Style::allow_long | Style::allow_short | Style::allow_dash_for_short |
                               Style::short_allow_next | Style::long_allow_adjacent | Style::long_allow_next;
        const auto parsed = po::command_line_parser(arguments).options(known).style(kStyle).run();

        ParsedOptions options;
        for (const auto& option : parsed.options) {
            if (option.string_key.empty()) {
                for (const auto& operand : option.value) options.operands.push_back(operand);
                continue;
            }
            const bool first =
                options.values.emplace(option.string_key, option.value.empty() ? std::string() : option.value.front())
                    .second;
            if (!first) return fail("option --" + option.string_key + " is given twice");
        }
        return options;
    } catch (const std::exception& problem) {
        return fail(printable(problem.what()));
    }
}

}  // namespace diskless
