// struct init_request of sysvinit's initreq.h: what telinit, shutdown and others write to the fifo of PID 1.
// 384 bytes in native byte order: magic, command, run level, seconds between TERM and KILL, 368 bytes of data.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/os/clock.hpp"

namespace diskless {

inline constexpr std::string_view kInitctl = "/run/initctl";  // /dev/initctl before 2012

enum class InitCommand : int {
    start = 0,
    run_level = 1,
    power_failing = 2,
    power_fails_now = 3,
    power_is_back = 4,
    set_environment = 6,
};

struct InitRequest {
    InitCommand command = InitCommand::start;
    char level = '\0';  // run_level: '0'…'9', 'S', 'a'…'c', 'q', 'u'
    Seconds sleep_time{5};
    std::string data;  // set_environment: "NAME=value", or "NAME" to unset it
    bool operator==(const InitRequest&) const = default;
};

inline constexpr std::size_t kInitRequestSize = 384;

std::string init_request_bytes(const InitRequest& request);
/// Nothing when it is none: another size or magic, a command nobody knows.
std::optional<InitRequest> parse_init_request(std::string_view bytes);

}  // namespace diskless
