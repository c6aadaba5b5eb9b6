// UTF-8 as far as telling it from other bytes.
#pragma once

#include <cstddef>
#include <string_view>

namespace diskless {

/// Length in bytes of the valid UTF-8 sequence that starts a text that is not empty (RFC 3629, section 4), 0 when there
/// is none.
std::size_t utf8_length(std::string_view text);

}  // namespace diskless
