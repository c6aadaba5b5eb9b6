#include "common/os/init_request.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace diskless {

namespace {

constexpr std::int32_t kMagic = 0x03091969;

struct Layout {
    std::int32_t magic, command, run_level, sleep_time;
    char data[368];
};
static_assert(sizeof(Layout) == kInitRequestSize);

}  // namespace

std::string init_request_bytes(const InitRequest& request) {
    Layout layout{};
    layout.magic = kMagic;
    layout.command = static_cast<std::int32_t>(request.command);
    layout.run_level = request.level;
    layout.sleep_time = static_cast<std::int32_t>(request.sleep_time.count());
    std::memcpy(layout.data, request.data.data(), std::min(request.data.size(), sizeof layout.data - 1));
    return {reinterpret_cast<const char*>(&layout), sizeof layout};
}

std::optional<InitRequest> parse_init_request(std::string_view bytes) {
    Layout layout;
    if (bytes.size() != sizeof layout) return std::nullopt;
    std::memcpy(&layout, bytes.data(), sizeof layout);
    if (layout.magic != kMagic || layout.command < 0 || layout.command > 6 || layout.command == 5) return std::nullopt;
    InitRequest request;
    request.command = static_cast<InitCommand>(layout.command);
    if (layout.run_level > 0 && layout.run_level < 0x7f) request.level = static_cast<char>(layout.run_level);
    request.sleep_time = Seconds{std::clamp(layout.sleep_time, 0, 300)};
    request.data.assign(layout.data, strnlen(layout.data, sizeof layout.data));
    return request;
}

}  // namespace diskless
