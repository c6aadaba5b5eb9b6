#include "common/state/pattern.hpp"

#include "common/base/text.hpp"

namespace diskless {

namespace {

/// Length of the bracket expression that starts the pattern, 0 when it has no end and so is a plain "[".
std::size_t bracket_length(std::string_view pattern) {
    std::size_t at = 1;
    if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) ++at;
    if (at < pattern.size() && pattern[at] == ']') ++at;
    while (at < pattern.size() && pattern[at] != ']') ++at;
    return at < pattern.size() ? at + 1 : 0;
}

bool bracket_has(std::string_view inside, char c) {
    const auto byte = [](char each) { return static_cast<unsigned char>(each); };
    const bool negated = inside.front() == '!' || inside.front() == '^';
    if (negated) inside.remove_prefix(1);
    bool found = false;
    for (std::size_t at = 0; at < inside.size(); ++at) {
        if (at + 2 < inside.size() && inside[at + 1] == '-') {
            found |= byte(inside[at]) <= byte(c) && byte(c) <= byte(inside[at + 2]);
            at += 2;
        } else {
            found |= inside[at] == c;
        }
    }
    return found != negated;
}

/// Does the first element of the pattern take the character? `length`: of the element.
bool takes(std::string_view pattern, char c, std::size_t& length) {
    length = 1;
    if (pattern[0] == '?') return true;
    if (pattern[0] == '\\' && pattern.size() > 1) {
        length = 2;
        return pattern[1] == c;
    }
    if (pattern[0] == '[') {
        if (const auto whole = bracket_length(pattern); whole != 0) {
            length = whole;
            return bracket_has(pattern.substr(1, whole - 2), c);
        }
    }
    return pattern[0] == c;
}

}  // namespace

bool has_pattern(std::string_view text) { return text.find_first_of("*?[\\") != std::string_view::npos; }

bool matches_name(std::string_view pattern, std::string_view name) {
    if (name.starts_with('.') && !pattern.starts_with('.') && !pattern.starts_with("\\.")) return false;
    std::string_view after_star, name_after_star;
    bool star = false;
    while (!name.empty()) {
        std::size_t length = 0;
        if (!pattern.empty() && pattern[0] == '*') {
            pattern.remove_prefix(1);
            star = true, after_star = pattern, name_after_star = name;
        } else if (!pattern.empty() && takes(pattern, name[0], length)) {
            pattern.remove_prefix(length);
            name.remove_prefix(1);
        } else if (star) {  // the last star takes one character more
            name_after_star.remove_prefix(1);
            name = name_after_star, pattern = after_star;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*') == std::string_view::npos;
}

bool matches_path(std::string_view pattern, std::string_view path) {
    const auto patterns = split(pattern, '/');
    const auto names = split(path, '/');
    if (patterns.size() != names.size()) return false;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (!matches_name(patterns[i], names[i])) return false;
    return true;
}

}  // namespace diskless
