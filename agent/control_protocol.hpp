// What is said over the control socket: one request line, one JSON answer.
//
//   request   VERB [timeout_ms=N] [now]
//   answer    {"ok":true,"answer":…}   or   {"ok":false,"cause":"…","remedy":"…"}
//
// By hand: echo status | socat - UNIX:/run/diskless/control
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"
#include "common/os/machine.hpp"
#include "common/report/json.hpp"

namespace diskless {

enum class ControlVerb { ping, status, report, log, reload, reboot, poweroff, halt, kexec };
std::string_view text(ControlVerb verb);

struct ControlRequest {
    ControlVerb verb = ControlVerb::ping;
    Milliseconds timeout{0};  // of reboot and its kin: the whole way down; 0: as configured
    bool now = false;         // PID 1 is not asked
    bool begun = false;       // PID 1 takes the node down already: it is not asked, and waited for as if it had been
    bool operator==(const ControlRequest&) const = default;
};

/// Bounds of a timeout that is given: shorter cannot work, longer is no bound.
inline constexpr Milliseconds kShortestTimeout{1'000};
inline constexpr Milliseconds kLongestTimeout{600'000};

/// Errors: no such verb, no such option, options with a verb that takes none, a timeout out of bounds.
Result<ControlRequest> parse_control_request(std::string_view line);
std::string to_line(const ControlRequest& request);

/// May only root ask for it? Everything that changes something.
bool needs_root(ControlVerb verb);

/// The power verb of a request that ends the machine; nothing for those that only read.
std::optional<PowerVerb> power_verb(ControlVerb verb);

/// `answer` is JSON.
std::string ok_answer(std::string_view answer);
std::string error_answer(const Error& error);
/// The answer's content, or the error that was answered.
Result<Json> parse_control_answer(std::string_view text);

}  // namespace diskless
