#include "common/base/text.hpp"

#include <algorithm>
#include <array>

#include "common/base/utf8.hpp"

namespace diskless {

namespace {
constexpr std::string_view kBlanks = " \t\r\n";

/// U+0080 to U+009F: terminals that read UTF-8 obey them as they obey ESC sequences.
bool is_c1_control(std::string_view text) {
    return text.size() >= 2 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
}
}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    for (;;) {
        const auto start = text.find_first_not_of(kBlanks);
        if (start == std::string_view::npos) return found;
        text.remove_prefix(start);
        const auto end = text.find_first_of(kBlanks);
        found.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return found;
        text.remove_prefix(end);
    }
}

std::vector<std::string_view> lines(std::string_view text) {
    auto found = split(text, '\n');
    if (found.back().empty()) found.pop_back();
    for (auto& line : found)
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return found;
}

bool has_line(std::string_view text, std::string_view line) { return std::ranges::count(lines(text), line) != 0; }

std::string_view trim(std::string_view text) {
    const auto start = text.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string joined;
    for (const auto& part : parts) {
        if (&part != &parts.front()) joined += separator;
        joined += part;
    }
    return joined;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

std::string printable(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        const bool control = byte < 0x20 || byte == 0x7F || is_c1_control(text);
        const std::size_t length = control ? 0 : utf8_length(text);
        if (length == 0) {
            result += "\\x";
            result += kHex[byte >> 4];
            result += kHex[byte & 15];
            text.remove_prefix(1);
        } else {
            result += text.substr(0, length);
            text.remove_prefix(length);
        }
    }
    return result;
}

std::optional<long long> parse_milliseconds(std::string_view text) {
    struct Unit {
        std::string_view suffix;
        long long milliseconds;
    };
    static constexpr std::array<Unit, 5> kUnits{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1000}}};
    for (const auto& unit : kUnits) {
        if (!text.ends_with(unit.suffix)) continue;
        const auto number = parse_number<long long>(text.substr(0, text.size() - unit.suffix.size()));
        if (!number || *number < 0 || *number > 1'000'000'000) return std::nullopt;
        return *number * unit.milliseconds;
    }
    return std::nullopt;
}

}  // namespace diskless
