#include "server-helper/model/node_set.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_set>

#include "common/base/text.hpp"

namespace diskless::server {

namespace {
constexpr std::size_t kMaxNames = 1'000'000;

using Names = std::vector<std::string>;

Failure bad(std::string_view text, std::string_view why) {
    return fail(
        fmt::format("node set \"{}\" {}", printable(text), why),
        "write names, ranges as node[001-128,200], @group; joined by \",\" (and), \"!\" (without), \"&\" (in both)");
}

/// "001-128/2": its numbers as text, with the zeros of the first.
Result<> add_range(std::string_view whole, std::string_view range, Names& into) {
    const auto slash = range.find('/');
    const auto bounds = range.substr(0, slash);
    const auto dash = bounds.find('-');
    const auto first = bounds.substr(0, dash);
    const auto last = dash == std::string_view::npos ? first : bounds.substr(dash + 1);
    const auto begin = parse_number<std::uint64_t>(first), end = parse_number<std::uint64_t>(last);
    const auto step = slash == std::string_view::npos ? std::optional<std::uint64_t>(1)
                                                      : parse_number<std::uint64_t>(range.substr(slash + 1));
    if (!begin || !end || !step || *step == 0 || first.size() > 18 || last.size() > 18)
        return bad(whole, fmt::format("has a range that is no range: \"{}\"", printable(range)));
    if (*end < *begin) return bad(whole, fmt::format("has a range that ends before it begins: \"{}\"", range));
    if ((*end - *begin) / *step >= kMaxNames) return bad(whole, "has more than 1,000,000 names");
    const bool padded = first.size() > 1 && first[0] == '0';
    const auto width = padded ? first.size() : std::size_t{1};
    for (auto number = *begin; number <= *end; number += *step) into.push_back(fmt::format("{:0{}}", number, width));
    return {};
}

/// One term, "node[1-2]-ib[0,1]": every combination, the last bracket fastest.
Result<Names> expand_term(std::string_view whole, std::string_view term) {
    Names names{""};
    while (!term.empty()) {
        const auto open = term.find('[');
        const auto plain = term.substr(0, open);
        if (plain.find(']') != std::string_view::npos) return bad(whole, "has a \"]\" without \"[\"");
        for (auto& name : names) name += plain;
        if (open == std::string_view::npos) break;
        const auto close = term.find(']', open);
        if (close == std::string_view::npos) return bad(whole, "has a \"[\" without \"]\"");
        Names numbers;
        for (const auto range : split(term.substr(open + 1, close - open - 1), ','))
            TRY(add_range(whole, trim(range), numbers));
        if (names.size() * numbers.size() > kMaxNames) return bad(whole, "has more than 1,000,000 names");
        Names longer;
        longer.reserve(names.size() * numbers.size());
        for (const auto& name : names)
            for (const auto& number : numbers) longer.push_back(name + number);
        names = std::move(longer);
        term.remove_prefix(close + 1);
    }
    return names;
}

/// Where the term that begins the text ends: at an operator outside brackets.
std::size_t term_end(std::string_view text) {
    bool inside = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '[') inside = true;
        if (text[at] == ']') inside = false;
        if (!inside && (text[at] == ',' || text[at] == '!' || text[at] == '&')) return at;
    }
    return text.size();
}

class OrderedSet {
  public:
    void combine(char operation, Names names) {
        if (operation == ',') {
            for (auto& name : names)
                if (known_.insert(name).second) order_.push_back(std::move(name));
            return;
        }
        const std::unordered_set<std::string> others(names.begin(), names.end());
        std::erase_if(order_, [&](const std::string& name) { return others.count(name) == (operation == '!'); });
        known_ = {order_.begin(), order_.end()};
    }
    Names take() { return std::move(order_); }

  private:
    Names order_;
    std::unordered_set<std::string> known_;
};

/// A name cut at its last number: "node007-ib" is "node", "007", "-ib".
struct Parts {
    std::string before, digits, after;
};

Parts cut(const std::string& name) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    auto end = name.size();
    while (end > 0 && !digit(name[end - 1])) --end;
    auto begin = end;
    while (begin > 0 && digit(name[begin - 1]) && end - begin < 18) --begin;
    return {name.substr(0, begin), name.substr(begin, end - begin), name.substr(end)};
}
}  // namespace

Result<Names> expand_node_set(std::string_view text, const GroupLookup& lookup) {
    OrderedSet result;
    auto rest = trim(text);
    if (rest.empty()) return bad(text, "is empty");
    char operation = ',';
    for (;;) {
        const auto end = term_end(rest);
        const auto term = trim(rest.substr(0, end));
        if (term.empty()) return bad(text, "has nothing between two operators");
        if (term.find_first_of(" \t") != std::string_view::npos) return bad(text, "has a blank within a name");
        if (term[0] == '@') {
            if (!lookup) return bad(text, "names a group, and there are none here");
            result.combine(operation, TRY(lookup(term.substr(1))));
        } else {
            result.combine(operation, TRY(expand_term(text, term)));
        }
        if (end == rest.size()) return result.take();
        operation = rest[end];
        rest.remove_prefix(end + 1);
    }
}

std::string fold_node_set(const Names& names) {
    struct Series {
        Parts parts;
        std::vector<std::uint64_t> numbers;
    };
    std::vector<Series> all;
    std::map<std::string, std::size_t> by_shape;
    for (const auto& name : names) {
        auto parts = cut(name);
        // Zeros at the front belong to the width: n01 and n1 are different names.
        const bool padded = parts.digits.size() > 1 && parts.digits[0] == '0';
        auto number = parse_number<std::uint64_t>(parts.digits).value_or(0);
        auto shape = [&](std::size_t width) {
            return fmt::format("{}\n{}\n{}", parts.before, parts.digits.empty() ? -1 : static_cast<int>(width),
                               parts.after);
        };
        // 008, 009, 010, 100: the ones without zeros at the front join the series of their width when there is one.
        auto found = by_shape.find(shape(parts.digits.size()));
        if (found == by_shape.end() && !padded) found = by_shape.find(shape(0));
        if (found == by_shape.end()) {
            found = by_shape.emplace(shape(padded ? parts.digits.size() : 0), all.size()).first;
            all.push_back({parts, {}});
        }
        all[found->second].numbers.push_back(number);
    }
    Names folded;
    for (auto& [parts, numbers] : all) {
        std::sort(numbers.begin(), numbers.end());
        numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
        if (parts.digits.empty() || numbers.size() == 1) {
            folded.push_back(parts.before + parts.digits + parts.after);
            continue;
        }
        const auto width = parts.digits[0] == '0' ? parts.digits.size() : std::size_t{1};
        Names ranges;
        for (std::size_t at = 0; at < numbers.size();) {
            auto end = at;
            while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
            ranges.push_back(end == at ? fmt::format("{:0{}}", numbers[at], width)
                                       : fmt::format("{:0{}}-{:0{}}", numbers[at], width, numbers[end], width));
            at = end + 1;
        }
        folded.push_back(fmt::format("{}[{}]{}", parts.before, join(ranges, ","), parts.after));
    }
    return join(folded, ",");
}

}  // namespace diskless::server
