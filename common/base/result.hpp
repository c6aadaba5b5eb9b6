// Errors are values with words.
//
// The innermost part names the call and its object ("mount 10.9.0.1:/srv/root on /sysroot: Connection refused");
// each layer adds why it wanted it (within()). `remedy` is the one line that tells the operator what to do.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace diskless {

struct Error {
    std::string cause;   // one line, no trailing newline
    std::string remedy;  // one line for the operator; empty when there is nothing better than the cause
    int code = 0;        // errno of the innermost call, 0 when no system call failed

    bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = tl::expected<T, Error>;
using Failure = tl::unexpected<Error>;

/// A failure in words.
Failure fail(std::string cause, std::string remedy = {}, int code = 0);

/// A failed system call: "<call_and_object>: <strerror(code)>".
Failure fail_errno(std::string_view call_and_object, int code = errno, std::string remedy = {});

/// The same failure seen from one layer further out: "<why>: <cause>". Remedy and code are kept.
Failure within(std::string_view why, Error inner);

/// strerror without locale or shared state; "error 1234" for numbers it does not know.
std::string error_text(int code);

namespace detail {
template <class T>
T&& unwrap(tl::expected<T, Error>& result) {
    return std::move(*result);
}
inline void unwrap(tl::expected<void, Error>&) {}
}  // namespace detail

}  // namespace diskless

/// The value of a Result, or return its error from the enclosing function. Not inside a braced list: GCC 12 leaks the
/// elements that were made before the return.
#define TRY(expression)                                                                           \
    ({                                                                                            \
        auto try_result_ = (expression);                                                          \
        if (!try_result_) return tl::unexpected<diskless::Error>(std::move(try_result_.error())); \
        diskless::detail::unwrap(try_result_);                                                    \
    })

/// The same, saying why the enclosing function wanted it.
#define TRY_TO(why, expression)                                                         \
    ({                                                                                  \
        auto try_result_ = (expression);                                                \
        if (!try_result_) return diskless::within(why, std::move(try_result_.error())); \
        diskless::detail::unwrap(try_result_);                                          \
    })
