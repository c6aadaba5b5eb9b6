#include "common/net/bytes.hpp"
#include "common/net/dhcp_packet.hpp"

namespace diskless {

namespace {
constexpr std::uint8_t kPad = 0, kOverload = 52, kEnd = 255;

struct Option {
    std::uint8_t code;
    std::string_view value;
};

/// The next option of an area; code kEnd when there is no more, or when the next one does not fit.
Option next_option(ByteReader& area) {
    std::uint8_t code = kPad;
    while (code == kPad && area.left() > 0) code = area.u8();
    if (code == kPad || code == kEnd) return {kEnd, {}};
    const auto length = area.u8();
    const auto value = area.bytes(length);
    if (!area.ok()) return {kEnd, {}};
    return {code, value};
}

/// Calls use(option) for every option of the area; false when the last one did not fit.
template <class Use>
bool each_option(std::string_view area, Use use) {
    ByteReader in(area);
    for (auto option = next_option(in); option.code != kEnd; option = next_option(in)) use(option);
    return in.ok();
}
}  // namespace

DhcpOptions::DhcpOptions(std::string_view options, std::string_view file, std::string_view sname) {
    cut_short_ = !each_option(options, [this](const Option& option) {
        if (option.code == kOverload && option.value.size() == 1)
            overload_ = static_cast<std::uint8_t>(option.value[0]) & 3;
    });
    // RFC 3396 section 5: options field, then file, then sname.
    areas_ = {options, overload_ & 1 ? file : std::string_view{}, overload_ & 2 ? sname : std::string_view{}};
    for (std::size_t i = 1; i < areas_.size(); ++i)
        if (!each_option(areas_[i], [](const Option&) {})) cut_short_ = true;
}

bool DhcpOptions::has(std::uint8_t code) const {
    bool found = false;
    for (const auto area : areas_) each_option(area, [&](const Option& option) { found |= option.code == code; });
    return found;
}

std::string DhcpOptions::value(std::uint8_t code) const {
    std::string result;
    for (const auto area : areas_)
        each_option(area, [&](const Option& option) {
            if (option.code == code) result += option.value;
        });
    return result;
}

}  // namespace diskless
