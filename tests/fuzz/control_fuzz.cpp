// Everything that comes over the control socket or out of /proc/1/stat: request lines, answers, PID 1's line.
#include <cstdint>
#include <cstdlib>

#include "agent/control_protocol.hpp"
#include "agent/init_kind.hpp"

using namespace diskless;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto request = parse_control_request(text)) {
        const auto again = parse_control_request(to_line(*request));
        if (!again || !(*again == *request)) std::abort();
        if (request->timeout.count() != 0 &&
            (request->timeout < kShortestTimeout || request->timeout > kLongestTimeout))
            std::abort();
    } else if (!parse_json(error_answer(request.error()))) {
        std::abort();  // whatever was asked, the refusal is JSON
    }
    (void)parse_control_answer(text);
    (void)parse_init_stat(text);
    return 0;
}
