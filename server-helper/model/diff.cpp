// Lines that differ, by Myers' O(ND) algorithm ("An O(ND) Difference Algorithm and Its Variations", 1986).
#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "server-helper/model/apply.hpp"

namespace diskless::server {

namespace {
constexpr int kContext = 3;
constexpr int kMaxDifferences = 2000;  // beyond it the whole middle is shown as replaced

using Lines = std::vector<std::string_view>;

struct Edit {
    char kind;  // ' ', '-', '+'
    std::string_view line;
};

/// The furthest-reaching paths for 0, 1, 2, … differences; empty when there are too many.
std::vector<std::vector<int>> shortest_trace(const Lines& before, const Lines& after) {
    const int n = static_cast<int>(before.size()), m = static_cast<int>(after.size());
    const int limit = std::min(n + m, kMaxDifferences);
    std::vector<std::vector<int>> trace;
    std::vector<int> reach(static_cast<std::size_t>(2 * limit + 3), 0);
    const auto at = [&](int k) -> int& { return reach[static_cast<std::size_t>(k + limit + 1)]; };
    for (int d = 0; d <= limit; ++d) {
        for (int k = -d; k <= d; k += 2) {
            int x = k == -d || (k != d && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1;
            int y = x - k;
            while (x < n && y < m && before[static_cast<std::size_t>(x)] == after[static_cast<std::size_t>(y)])
                ++x, ++y;
            at(k) = x;
            if (x >= n && y >= m) {
                trace.emplace_back(reach.begin() + (limit + 1 - d - 1), reach.begin() + (limit + 1 + d + 2));
                return trace;
            }
        }
        trace.emplace_back(reach.begin() + (limit + 1 - d - 1), reach.begin() + (limit + 1 + d + 2));
    }
    return {};
}

/// What turns `before` into `after`.
std::vector<Edit> edits(const Lines& before, const Lines& after) {
    std::vector<Edit> result;
    const auto trace = shortest_trace(before, after);
    if (trace.empty()) {
        for (const auto line : before) result.push_back({'-', line});
        for (const auto line : after) result.push_back({'+', line});
        return result;
    }
    int x = static_cast<int>(before.size()), y = static_cast<int>(after.size());
    for (int d = static_cast<int>(trace.size()) - 1; d > 0; --d) {
        const auto& reach = trace[static_cast<std::size_t>(d - 1)];  // of d - 1, index k + d
        const auto at = [&](int k) { return k < -d || k > d ? -1 : reach[static_cast<std::size_t>(k + d)]; };
        const int k = x - y;
        const bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
        const int from_k = down ? k + 1 : k - 1;
        const int from_x = at(from_k), from_y = from_x - from_k;
        while (x > from_x && y > from_y && (down ? x > from_x : x > from_x + 1)) {
            result.push_back({' ', before[static_cast<std::size_t>(--x)]});
            --y;
        }
        if (down)
            result.push_back({'+', after[static_cast<std::size_t>(--y)]});
        else
            result.push_back({'-', before[static_cast<std::size_t>(--x)]});
    }
    while (x > 0) result.push_back({' ', before[static_cast<std::size_t>(--x)]});
    std::reverse(result.begin(), result.end());
    return result;
}

std::string span(int start, int count) {
    return count == 1 ? fmt::format("{}", start) : fmt::format("{},{}", count == 0 ? start - 1 : start, count);
}

/// Hunks of edits with context around them.
std::string hunks(const std::vector<Edit>& all) {
    std::string text;
    const int size = static_cast<int>(all.size());
    int old_line = 1, new_line = 1, next = 0;
    const auto kind = [&](int at) { return all[static_cast<std::size_t>(at)].kind; };
    while (next < size) {
        int first = next;
        while (first < size && kind(first) == ' ') ++first;
        if (first == size) break;
        const int begin = std::max(next, first - kContext);
        old_line += begin - next, new_line += begin - next;
        int end = first, quiet = 0;  // goes on while changes are no more than two contexts apart
        while (end < size && quiet <= 2 * kContext) quiet = kind(end++) == ' ' ? quiet + 1 : 0;
        end -= std::max(0, quiet - kContext);
        int removed = 0, added = 0;
        std::string body;
        for (int at = begin; at < end; ++at) {
            removed += kind(at) != '+', added += kind(at) != '-';
            body += fmt::format("{}{}\n", kind(at), printable(all[static_cast<std::size_t>(at)].line));
        }
        text += fmt::format("@@ -{} +{} @@\n{}", span(old_line, removed), span(new_line, added), body);
        old_line += removed, new_line += added, next = end;
    }
    return text;
}
}  // namespace

std::string unified_diff(const std::string& path, std::string_view before, std::string_view after) {
    if (before == after) return {};
    auto old_lines = lines(before), new_lines = lines(after);
    // Lines that both begin and end with need no search.
    std::vector<Edit> head, tail;
    std::size_t same = 0;
    while (same < std::min(old_lines.size(), new_lines.size()) && old_lines[same] == new_lines[same])
        head.push_back({' ', old_lines[same++]});
    old_lines.erase(old_lines.begin(), old_lines.begin() + static_cast<std::ptrdiff_t>(same));
    new_lines.erase(new_lines.begin(), new_lines.begin() + static_cast<std::ptrdiff_t>(same));
    while (!old_lines.empty() && !new_lines.empty() && old_lines.back() == new_lines.back()) {
        tail.push_back({' ', old_lines.back()});
        old_lines.pop_back(), new_lines.pop_back();
    }
    const auto middle = edits(old_lines, new_lines);
    head.insert(head.end(), middle.begin(), middle.end());
    head.insert(head.end(), tail.rbegin(), tail.rend());
    return fmt::format("--- {0}\n+++ {0}\n{1}", path, hunks(head));
}

}  // namespace diskless::server
