#include "init/shutdown_command.hpp"

#include <fmt/core.h>

#include "common/base/text.hpp"

namespace diskless {

Result<std::string> shutdown_word(const std::vector<std::string>& arguments) {
    constexpr const char* kUsage = "write: shutdown [-h | -r | -H] now";
    std::string word = "poweroff";
    std::string time;
    for (std::size_t i = 1; i < arguments.size() && time.empty(); ++i) {
        const auto& argument = arguments[i];
        if (argument == "--poweroff") {
            word = "poweroff";
        } else if (argument == "--reboot") {
            word = "reboot";
        } else if (argument == "--halt") {
            word = "halt";
        } else if (argument.size() > 1 && argument[0] == '-') {
            for (const char letter : std::string_view(argument).substr(1)) {
                if (letter == 'h' || letter == 'P' || letter == 'p') word = "poweroff";
                if (letter == 'r') word = "reboot";
                if (letter == 'H') word = "halt";
                if (letter == 't') ++i;  // seconds between TERM and KILL: the way down has its own
                if (letter == 'c') return fail("no shutdown is waiting: each begins at once");
                // What only changes how disks are checked or init is asked means nothing here.
                if (std::string_view("hPprHtnfFaq").find(letter) == std::string_view::npos)
                    return fail("no option " + printable(argument), kUsage);
            }
        } else {
            time = argument;
        }
    }
    if (time.empty()) return fail("when?", kUsage);
    if (time == "now" || time == "+0" || time == "0") return word;
    return fail(fmt::format("{} is not now, and nobody here waits", printable(time)),
                "for five minutes: sleep 300; shutdown -r now");
}

}  // namespace diskless
