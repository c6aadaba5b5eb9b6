#include "common/os/child_result.hpp"

#include <cstdint>
#include <cstring>

namespace diskless {

namespace {

template <class Number>
void put(std::string& bytes, Number number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <class Number>
std::optional<Number> take(std::string_view& bytes) {
    if (bytes.size() < sizeof(Number)) return std::nullopt;
    Number number;
    std::memcpy(&number, bytes.data(), sizeof number);
    bytes.remove_prefix(sizeof number);
    return number;
}

}  // namespace

std::string pack_result(const Result<std::string>& result) {
    std::string body;
    put<std::uint8_t>(body, result ? 1 : 0);
    if (result) {
        body += *result;
    } else {
        put<std::int32_t>(body, result.error().code);
        put<std::uint64_t>(body, result.error().cause.size());
        body += result.error().cause;
        body += result.error().remedy;
    }
    std::string bytes;
    put<std::uint64_t>(bytes, body.size());
    return bytes += body;
}

std::optional<Result<std::string>> unpack_result(std::string_view bytes) {
    const auto length = take<std::uint64_t>(bytes);
    if (!length || bytes.size() != *length) return std::nullopt;
    const auto ok = take<std::uint8_t>(bytes);
    if (!ok) return std::nullopt;
    if (*ok == 1) return std::string(bytes);
    const auto code = take<std::int32_t>(bytes);
    const auto cause = take<std::uint64_t>(bytes);
    if (!code || !cause || *cause > bytes.size()) return std::nullopt;
    return fail(std::string(bytes.substr(0, *cause)), std::string(bytes.substr(*cause)), *code);
}

}  // namespace diskless
