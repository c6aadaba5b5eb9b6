#include "common/base/result.hpp"

#include <cstring>

namespace diskless {

std::string error_text(int code) {
    const char* text = strerrordesc_np(code);
    return text != nullptr ? std::string(text) : "error " + std::to_string(code);
}

Failure fail(std::string cause, std::string remedy, int code) {
    return Failure(Error{std::move(cause), std::move(remedy), code});
}

Failure fail_errno(std::string_view call_and_object, int code, std::string remedy) {
    return Failure(Error{std::string(call_and_object) + ": " + error_text(code), std::move(remedy), code});
}

Failure within(std::string_view why, Error inner) {
    inner.cause = std::string(why) + ": " + inner.cause;
    return Failure(std::move(inner));
}

}  // namespace diskless
