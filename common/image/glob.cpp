#include <optional>

#include "common/image/manifest.hpp"

namespace diskless {

namespace {
struct OneMatch {
    bool matches;
    std::size_t next;  // where the pattern goes on
};

/// "[…]" at pattern[at]; nothing when the bracket never closes, which makes it an ordinary character.
std::optional<OneMatch> match_bracket(std::string_view pattern, std::size_t at, char c) {
    auto i = at + 1;
    const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
    if (negated) ++i;
    bool found = false;
    for (bool first = true; i < pattern.size(); first = false) {
        if (pattern[i] == ']' && !first) return OneMatch{found != negated, i + 1};
        const auto low = static_cast<unsigned char>(pattern[i]);
        auto high = low;
        if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
            high = static_cast<unsigned char>(pattern[i + 2]);
            i += 2;
        }
        ++i;
        const auto value = static_cast<unsigned char>(c);
        found |= low <= value && value <= high;
    }
    return std::nullopt;
}

OneMatch match_one(std::string_view pattern, std::size_t at, char c) {
    if (pattern[at] == '?') return {true, at + 1};
    if (pattern[at] == '[')
        if (const auto bracket = match_bracket(pattern, at, c)) return *bracket;
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    return {pattern[at] == c, at + 1};
}
}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
    constexpr auto kNone = std::string_view::npos;
    std::size_t p = 0, t = 0, star = kNone, star_text = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
            continue;
        }
        if (p < pattern.size()) {
            const auto one = match_one(pattern, p, text[t]);
            if (one.matches) {
                p = one.next;
                ++t;
                continue;
            }
        }
        // Only the last star need give way: an earlier one that took more could not help what follows the last.
        if (star == kNone) return false;
        p = star + 1;
        t = ++star_text;
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

std::string normalize_alias(std::string_view alias) {
    std::string text(alias);
    bool in_brackets = false;
    for (auto& c : text) {
        if (c == '[') in_brackets = true;
        if (c == ']') in_brackets = false;
        if (c == '-' && !in_brackets) c = '_';
    }
    return text;
}

}  // namespace diskless
