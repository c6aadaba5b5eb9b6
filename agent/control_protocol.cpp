#include "agent/control_protocol.hpp"

#include <fmt/core.h>

#include <array>

#include "common/base/text.hpp"
#include "common/os/control_socket.hpp"

namespace diskless {

namespace {
constexpr std::array kVerbs{ControlVerb::ping,     ControlVerb::status, ControlVerb::report,
                            ControlVerb::log,      ControlVerb::reload, ControlVerb::reboot,
                            ControlVerb::poweroff, ControlVerb::halt,   ControlVerb::kexec};
constexpr const char* kAskFor = "ask for one of: ping status report log reload reboot poweroff halt kexec";
}  // namespace

std::string_view text(ControlVerb verb) {
    switch (verb) {
        case ControlVerb::ping:
            return "ping";
        case ControlVerb::status:
            return "status";
        case ControlVerb::report:
            return "report";
        case ControlVerb::log:
            return "log";
        case ControlVerb::reload:
            return "reload";
        case ControlVerb::reboot:
            return "reboot";
        case ControlVerb::poweroff:
            return "poweroff";
        case ControlVerb::halt:
            return "halt";
        case ControlVerb::kexec:
            return "kexec";
    }
    return "ping";
}

bool needs_root(ControlVerb verb) { return verb >= ControlVerb::reload; }

std::optional<PowerVerb> power_verb(ControlVerb verb) {
    switch (verb) {
        case ControlVerb::reboot:
            return PowerVerb::reboot;
        case ControlVerb::poweroff:
            return PowerVerb::poweroff;
        case ControlVerb::halt:
            return PowerVerb::halt;
        case ControlVerb::kexec:
            return PowerVerb::kexec;
        default:
            return std::nullopt;
    }
}

Result<ControlRequest> parse_control_request(std::string_view line) {
    if (line.size() > kLongestControlLine) return fail("request is too long");
    const auto parts = words(line);
    if (parts.empty()) return fail("empty request", kAskFor);
    ControlRequest request;
    bool known = false;
    for (const auto verb : kVerbs)
        if (text(verb) == parts[0]) {
            request.verb = verb;
            known = true;
        }
    if (!known) return fail(fmt::format("no such request: {}", printable(parts[0])), kAskFor);
    for (std::size_t i = 1; i < parts.size(); ++i) {
        if (!power_verb(request.verb)) return fail(fmt::format("{} takes no options", parts[0]));
        constexpr std::string_view kTimeout = "timeout_ms=";
        if (parts[i] == "now") {
            request.now = true;
        } else if (parts[i] == "begun") {
            request.begun = true;
        } else if (parts[i].starts_with(kTimeout)) {
            const auto number = parse_number<std::int64_t>(parts[i].substr(kTimeout.size()));
            if (!number || *number < kShortestTimeout.count() || *number > kLongestTimeout.count())
                return fail(
                    fmt::format("timeout_ms must be {} to {}", kShortestTimeout.count(), kLongestTimeout.count()));
            request.timeout = Milliseconds{*number};
        } else {
            return fail(fmt::format("no such option of {}: {}", parts[0], printable(parts[i])));
        }
    }
    return request;
}

std::string to_line(const ControlRequest& request) {
    std::string line(text(request.verb));
    if (request.timeout.count() != 0) line += fmt::format(" timeout_ms={}", request.timeout.count());
    if (request.now) line += " now";
    if (request.begun) line += " begun";
    return line;
}

std::string ok_answer(std::string_view answer) {
    JsonWriter json;
    json.begin_object();
    json.member("ok", true);
    json.name("answer");
    json.raw(answer);
    json.end_object();
    return json.text() + "\n";
}

std::string error_answer(const Error& error) {
    JsonWriter json;
    json.begin_object();
    json.member("ok", false);
    json.member("cause", error.cause);
    json.member("remedy", error.remedy);
    json.end_object();
    return json.text() + "\n";
}

Result<Json> parse_control_answer(std::string_view text) {
    Json tree = TRY_TO("answer of the agent", parse_json(text));
    if (tree.is_true("ok")) {
        const Json* answer = tree.find("answer");
        return answer != nullptr ? *answer : Json{};
    }
    const auto cause = tree.text_of("cause");
    if (cause.empty()) return fail("answer of the agent: neither ok nor a cause");
    return fail(printable(cause), printable(tree.text_of("remedy")));
}

}  // namespace diskless
