// What a child hands back through a pipe: a Result<std::string> as bytes.
//
//   u64 length of the rest | u8 ok | ok: value
//                                   | else: i32 code, u64 length of cause, cause, remedy
// Both ends are the same program on the same machine: native byte order.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace diskless {

std::string pack_result(const Result<std::string>& result);

/// Nothing while bytes are missing or when they are no packed result (a child may write rubbish when it dies).
std::optional<Result<std::string>> unpack_result(std::string_view bytes);

}  // namespace diskless
