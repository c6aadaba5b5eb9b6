// diskless.swap=
#include "common/base/text.hpp"
#include "init/params.hpp"

namespace diskless {

namespace {

constexpr std::size_t kMostPlaces = 8;

/// "512M", "2G", "50%".
bool read_size(std::string_view text, SwapPlace& place) {
    if (text.empty()) return false;
    const char unit = text.back();
    const auto digits = unit >= '0' && unit <= '9' ? text : text.substr(0, text.size() - 1);
    const auto number = parse_number<std::uint64_t>(digits);
    if (!number || *number == 0 || *number > (std::uint64_t{1} << 30)) return false;
    if (unit == '%') {
        place.percent = static_cast<unsigned>(*number);
        return *number <= 400;
    }
    const auto at = std::string_view("KMG").find(unit);
    if (at == std::string_view::npos) return false;
    place.bytes = *number << (10 * (at + 1));
    return place.bytes >= (1U << 20) && place.bytes <= (std::uint64_t{1} << 40);
}

}  // namespace

void read_swap(Reading& reading, const Word& word) {
    const auto value = word.argument();
    SwapPlace place{.text = printable(value)};
    const auto colon = value.find(':');
    const auto device = value.substr(0, colon);
    const auto rest = colon == std::string_view::npos ? std::string_view() : value.substr(colon + 1);
    const bool by_name = device.starts_with("LABEL=") || device.starts_with("UUID=");
    bool good = false;
    if (device == "zram") {
        good = read_size(rest, place);
    } else if (device == "snapshot") {
        place.kind = SwapPlace::Kind::snapshot_file;
        good = rest.starts_with('/');
    } else if (by_name || device.starts_with("/dev/")) {
        place.kind = SwapPlace::Kind::disk;
        place.device = device;
        good = !device.ends_with('=') && (colon == std::string_view::npos || rest.starts_with('/'));
    }
    if (place.kind != SwapPlace::Kind::zram) place.file = rest;
    if (!good || rest.find("..") != std::string_view::npos)
        return reading.warn(
            word, "names no place to swap to: ignored",
            "write zram:512M, zram:50%, LABEL=name, UUID=id or /dev/sda2, with :/file behind for a file "
            "there, or snapshot:/file");
    if (reading.config.swaps.size() < kMostPlaces) reading.config.swaps.push_back(std::move(place));
}

}  // namespace diskless
