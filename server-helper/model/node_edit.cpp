#include "server-helper/model/node_edit.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "server-helper/model/toml_table.hpp"

namespace diskless::server {

namespace {
/// Lines as indexes from 0. A node has one block or, where headings of others stand between its own, several.
struct Block {
    std::size_t header = 0;  // its first heading
    std::size_t end = 0;     // one past the last line that is its own
};
struct Place {
    std::vector<Block> blocks;
    std::optional<std::size_t>
        own_end;  // one past the last key below "[node.NAME]" itself; nothing without that heading
};

bool is_comment(std::string_view line) { return trim(line).starts_with('#'); }

/// A word of a heading, "a" or "\"a\"", by its place in the line.
struct Word {
    std::string_view text;
    std::size_t begin, end;
};

/// The words of "[node.NAME.below]" and "[[node.NAME.below]]", also with blanks and quotes; none of another line.
std::vector<Word> heading_of(std::string_view line) {
    const auto after_blanks = [&](std::size_t at) { return std::min(line.find_first_not_of(" \t", at), line.size()); };
    auto at = after_blanks(0);
    if (!line.substr(at).starts_with('[')) return {};
    const std::size_t brackets = line.substr(at).starts_with("[[") ? 2 : 1;
    at += brackets;
    std::vector<Word> words;
    while (true) {
        at = after_blanks(at);
        if (at == line.size()) return {};
        const bool quoted = line[at] == '"' || line[at] == '\'';
        const auto end = quoted ? line.find(line[at], at + 1) : line.find_first_of(" \t.]\"'[,#=", at);
        if (end == line.npos || end == at) return {};
        if (quoted)
            words.push_back({line.substr(at + 1, end - at - 1), at, end + 1});
        else
            words.push_back({line.substr(at, end - at), at, end});
        at = after_blanks(words.back().end);
        if (line.substr(at).starts_with('.')) {
            ++at;
            continue;
        }
        if (!line.substr(at).starts_with(brackets == 2 ? "]]" : "]")) return {};
        const auto rest = trim(line.substr(at + brackets));
        return rest.empty() || rest.starts_with('#') ? words : std::vector<Word>{};
    }
}

bool is_of_node(const std::vector<Word>& heading, std::string_view name) {
    return heading.size() >= 2 && heading[0].text == "node" && heading[1].text == name;
}

class Editor {
  public:
    Editor(const std::string& file, std::string_view text, const toml::table& table)
        : file_(file), nodes_(table["node"].as_table()) {
        for (const auto line : lines(text)) lines_.emplace_back(line);
        dropped_.resize(lines_.size());
        inserted_.resize(lines_.size() + 1);
    }

    Result<> set(const std::string& name, const NodeValues& values) {
        const auto place = TRY(find(name));
        if (!place.own_end) return no_heading(name);
        const auto& table = *nodes_->get(name)->as_table();
        for (const auto& [key, value] : values) {
            const auto* old = table.get(key);
            if (old && old->is_table() && !old->as_table()->is_inline())
                return fail(fmt::format("{}: {} of node {} is a table of its own", file_, key, name),
                            "edit it by hand");
            if (!old && !value) continue;
            const auto line = fmt::format("{} = {}", key, value.value_or(""));
            if (!old) {
                inserted_[*place.own_end] += line + "\n";
                continue;
            }
            const auto first = old->source().begin.line - 1, last = old->source().end.line - 1;
            for (auto at = first; at <= last; ++at) dropped_[at] = true;
            if (!value) continue;
            const auto& ending = lines_[last];
            const auto rest = old->source().end.column - 1 < ending.size()
                                  ? trim(std::string_view(ending).substr(old->source().end.column - 1))
                                  : std::string_view();
            inserted_[first] += line + (rest.starts_with('#') ? fmt::format("  {}\n", rest) : "\n");
        }
        return {};
    }

    Result<> rename(const std::string& name, const std::string& new_name) {
        for (const auto& block : TRY(find(name)).blocks)
            for (auto at = block.header; at < block.end; ++at)
                if (const auto heading = heading_of(lines_[at]); is_of_node(heading, name)) {
                    const auto [begin, end] = std::pair(heading[1].begin, heading[1].end);
                    lines_[at].replace(begin, end - begin, new_name);
                }
        return {};
    }

    Result<> remove(const std::string& name) {
        for (auto [header, end] : TRY(find(name)).blocks) {
            while (header > 0 && is_comment(lines_[header - 1])) --header;
            while (end < lines_.size() && trim(lines_[end]).empty()) ++end;
            for (auto at = header; at < end; ++at) dropped_[at] = true;
        }
        return {};
    }

    std::string text() const {
        std::string result;
        for (std::size_t at = 0; at <= lines_.size(); ++at) {
            result += inserted_[at];
            if (at < lines_.size() && !dropped_[at]) result += lines_[at] + "\n";
        }
        return result;
    }

  private:
    Failure no_heading(const std::string& name) const {
        const auto* node = nodes_->get(name);
        return fail(
            fmt::format("{}:{}: node {} has no heading [node.{}]", file_, node->source().begin.line, name, name),
            "write it so, or edit it by hand");
    }

    Result<Place> find(const std::string& name) const {
        if (!nodes_ || !nodes_->get(name)) return fail(fmt::format("{}: there is no node {}", file_, name));
        Place place;
        // Comments right above the next heading are the next one's.
        const auto trimmed = [&](std::size_t header, std::size_t end) {
            while (end > header + 1 && (trim(lines_[end - 1]).empty() || is_comment(lines_[end - 1]))) --end;
            return end;
        };
        std::optional<std::size_t> own, open;  // headings that what is read belongs to: its own, of its block
        for (std::size_t at = 0; at <= lines_.size(); ++at) {
            const auto heading = at < lines_.size() ? heading_of(lines_[at]) : std::vector<Word>{};
            if (heading.empty() && at < lines_.size()) continue;
            if (own) place.own_end = trimmed(*std::exchange(own, std::nullopt), at);
            const bool is_mine = is_of_node(heading, name);
            if (open && !is_mine) {
                place.blocks.push_back({*open, trimmed(*open, at)});
                open.reset();
            }
            if (is_mine && !open) open = at;
            if (is_mine && heading.size() == 2) own = at;
        }
        if (place.blocks.empty()) return no_heading(name);
        return place;
    }

    const std::string& file_;
    const toml::table* nodes_;
    std::vector<std::string> lines_;
    std::vector<bool> dropped_;
    std::vector<std::string> inserted_;  // before the line of that index
};

std::string added(const std::string& name, const NodeValues& values) {
    std::string text = fmt::format("[node.{}]\n", name);
    // What people look for first comes first.
    for (const auto* key : {"ip", "mac", "groups", "image"})
        if (const auto found = values.find(key); found != values.end() && found->second)
            text += fmt::format("{} = {}\n", key, *found->second);
    for (const auto& [key, value] : values)
        if (value && key != "ip" && key != "mac" && key != "groups" && key != "image")
            text += fmt::format("{} = {}\n", key, *value);
    return text;
}
}  // namespace

Result<std::string> edit_nodes(const std::string& file, std::string_view text, const NodeEdits& edits) {
    const auto table = TRY(parse_toml(file, text));
    Editor editor(file, text, table);
    for (const auto& [name, values] : edits.set) TRY(editor.set(name, values));
    for (const auto& name : edits.remove) TRY(editor.remove(name));
    for (const auto& [name, new_name] : edits.rename) TRY(editor.rename(name, new_name));
    auto result = editor.text();
    for (const auto& [name, values] : edits.add) {
        if (!result.empty() && !result.ends_with("\n\n")) result += "\n";
        result += added(name, values);
    }
    return result;
}

}  // namespace diskless::server
