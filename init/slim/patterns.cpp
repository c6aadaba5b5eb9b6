// fnmatch(3) without multibyte characters, character classes and ksh's extended patterns (16 KB of them), for libudev's
// enumeration of devices; and printf's %a (7 KB), which nobody asks for. Replaces fnmatch.o and printf_fphex.o.
#include <fnmatch.h>

#include <cstdio>

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Is the character in the set that begins after "["? `end`: behind its "]"; null: it has none, "[" is itself then.
bool in_set(const char* set, char c, int flags, const char*& end) {
    const bool inverted = *set == '!' || *set == '^';
    if (inverted) ++set;
    bool found = false;
    for (const char* first = set;; ++set) {
        if (*set == '\0') {
            end = nullptr;
            return false;
        }
        if (*set == ']' && set != first) break;
        if (*set == '\\' && (flags & FNM_NOESCAPE) == 0 && set[1] != '\0') ++set;
        const char low = *set;
        char high = low;
        if (set[1] == '-' && set[2] != ']' && set[2] != '\0') {
            set += 2;
            high = *set;
        }
        found |= low <= c && c <= high;
        if ((flags & FNM_CASEFOLD) != 0) found |= lower(low) <= lower(c) && lower(c) <= lower(high);
    }
    end = set + 1;
    return found != inverted;
}

/// `start`: of the text, for FNM_PERIOD.
bool matches(const char* pattern, const char* text, const char* start, int flags) {
    for (; *pattern != '\0'; ++pattern, ++text) {
        const bool hidden = (flags & FNM_PERIOD) != 0 && *text == '.' &&
                            (text == start || ((flags & FNM_PATHNAME) != 0 && text[-1] == '/'));
        const bool wild = *text != '\0' && !hidden && !((flags & FNM_PATHNAME) != 0 && *text == '/');
        if (*pattern == '*') {
            if (hidden) return false;
            while (*pattern == '*') ++pattern;
            for (;; ++text) {
                if (matches(pattern, text, start, flags)) return true;
                if (*text == '\0' || ((flags & FNM_PATHNAME) != 0 && *text == '/')) return false;
            }
        }
        if (*pattern == '?') {
            if (!wild) return false;
            continue;
        }
        if (*pattern == '[') {
            const char* end = nullptr;
            const bool in = in_set(pattern + 1, *text, flags, end);
            if (end != nullptr) {
                if (!wild || !in) return false;
                pattern = end - 1;
                continue;
            }
        }
        if (*pattern == '\\' && (flags & FNM_NOESCAPE) == 0 && pattern[1] != '\0') ++pattern;
        const bool same = *pattern == *text || ((flags & FNM_CASEFOLD) != 0 && lower(*pattern) == lower(*text));
        if (*text == '\0' || !same) return false;
    }
    return *text == '\0' || ((flags & FNM_LEADING_DIR) != 0 && *text == '/');
}

}  // namespace

extern "C" {

int fnmatch(const char* pattern, const char* text, int flags) {
    return matches(pattern, text, text, flags) ? 0 : FNM_NOMATCH;
}

int __printf_fphex(FILE*, const void*, const void* const*) { return -1; }
}
