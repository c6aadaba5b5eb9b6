// telinit: a request to PID 1 by /run/initctl.
#include <fmt/core.h>

#include "common/base/text.hpp"
#include "common/os/init_request.hpp"
#include "common/os/output.hpp"
#include "init/supervise_main.hpp"

namespace diskless {

int telinit_role(Os& os, const std::vector<std::string>& arguments) {
    FileOutput err(2);
    InitRequest request{.command = InitCommand::run_level};
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const auto& word = arguments[i];
        if (word == "-t" && i + 1 < arguments.size()) {
            request.sleep_time = Seconds{parse_number<int>(arguments[++i]).value_or(5)};
        } else if (word == "-e" && i + 1 < arguments.size()) {
            request.command = InitCommand::set_environment;
            request.data = arguments[++i];
        } else if (word.size() == 1 &&
                   std::string_view("0123456SsQqUuABCabc").find(word[0]) != std::string_view::npos) {
            request.level = word[0];
        } else {
            request.level = '\0';
            request.command = InitCommand::run_level;
            break;
        }
    }
    if (request.command == InitCommand::run_level && request.level == '\0') {
        err.write("usage: telinit [-t SECONDS] 0-6|S|a-c|q|u, telinit -e NAME=VALUE\n");
        return 2;
    }
    // Where nobody reads, opening would wait for ever.
    const auto done =
        os.processes.in_child("ask PID 1", Deadline::after(os.clock, Seconds{5}), [&]() -> Result<std::string> {
            TRY(os.files.write(std::string(kInitctl), init_request_bytes(request)));
            return {};
        });
    if (done) return 0;
    err.write(fmt::format("telinit: {}\n", done.error().cause));
    return 1;
}

}  // namespace diskless
