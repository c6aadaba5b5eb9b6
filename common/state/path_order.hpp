// Names that planning and applying agree on.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace diskless {

/// Component by component, so that "/a" < "/a/b" < "/a-b": a parent is followed at once by what is beneath it.
struct PathOrder {
    bool operator()(std::string_view a, std::string_view b) const {
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
            const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
            return rank(x) < rank(y);
        });
    }
};

/// Our own directory in a snapshot. `seed`: copies grow here before they are renamed into place. `scaffold`:
/// directories that exist only because something beneath them was seeded, each ended by a zero byte: they are no copies
/// of the root's yet, and are filled when an entry names them.
inline constexpr const char* kOwnDirectory = "/.diskless";
inline constexpr const char* kSeedDirectory = "/.diskless/seed";
inline constexpr const char* kScaffoldFile = "/.diskless/scaffold";

}  // namespace diskless
