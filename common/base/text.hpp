// Small text helpers on string_view. They never allocate more than their result, never look at the locale.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace diskless {

/// All parts between separators, empty ones too: split("a::b", ':') is {"a", "", "b"}; split("", ':') is {""}.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The non-empty words between blanks (space, tab, newline, carriage return).
std::vector<std::string_view> words(std::string_view text);

/// The lines of a text without their "\n" or "\r\n"; a last line without newline counts, an empty rest does not.
std::vector<std::string_view> lines(std::string_view text);
/// Is one of its lines just this?
bool has_line(std::string_view text, std::string_view line);

// What these return points into the text: one that ends with the statement would leave a range-for nothing to read.
template <class Text>
concept Temporary = std::is_same_v<Text, std::string>;  // deduced so for an rvalue only
template <Temporary Text>
std::vector<std::string_view> split(Text&&, char) = delete;
template <Temporary Text>
std::vector<std::string_view> words(Text&&) = delete;
template <Temporary Text>
std::vector<std::string_view> lines(Text&&) = delete;

/// Text without blanks at both ends.
std::string_view trim(std::string_view text);

std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string lower(std::string_view text);

/// Text safe for a terminal and a log line: control characters and bytes that are not UTF-8 become \xNN.
std::string printable(std::string_view text);

/// The whole text as a number in the given base; nothing when it is empty, has other characters or overflows.
template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
    Number value{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

/// A time span as people write it on a command line: "30", "30s", "500ms", "2m", "1h"; in milliseconds.
std::optional<long long> parse_milliseconds(std::string_view text);

}  // namespace diskless
