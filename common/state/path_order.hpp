// The order of a plan.
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

}  // namespace diskless
