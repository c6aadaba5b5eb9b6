#include "server-helper/model/node_edit.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "server-helper/model/toml_table.hpp"

namespace diskless::server {

namespace {
/// Lines of one node, as indexes from 0.
struct Block {
    std::size_t header = 0;   // "[node.NAME]"
    std::size_t own_end = 0;  // one past its own last key, before tables below it
    std::size_t end = 0;      // one past the last line that is its own
};

bool is_header(std::string_view line) { return trim(line).starts_with('['); }
bool is_comment(std::string_view line) { return trim(line).starts_with('#'); }

/// "[node.NAME]" and "[node.NAME.below]", the name with or without quotes; the position after the name, else npos.
std::size_t after_name(std::string_view line, std::string_view name) {
    const auto open = line.find('[');
    if (open == std::string_view::npos) return std::string_view::npos;
    for (const auto& start : {fmt::format("[node.{}", name), fmt::format("[node.\"{}\"", name)})
        if (line.substr(open).starts_with(start)) {
            const auto after = open + start.size();
            if (after < line.size() && (line[after] == ']' || line[after] == '.')) return after;
        }
    return std::string_view::npos;
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
        const auto block = TRY(find(name));
        const auto& table = *nodes_->get(name)->as_table();
        for (const auto& [key, value] : values) {
            const auto* old = table.get(key);
            if (old && old->is_table() && !old->as_table()->is_inline())
                return fail(fmt::format("{}: {} of node {} is a table of its own", file_, key, name),
                            "edit it by hand");
            if (!old && !value) continue;
            const auto line = fmt::format("{} = {}", key, value.value_or(""));
            if (!old) {
                inserted_[block.own_end] += line + "\n";
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
        const auto block = TRY(find(name));
        for (auto at = block.header; at < block.end; ++at)
            if (const auto after = after_name(lines_[at], name); after != std::string::npos)
                lines_[at] = fmt::format("[node.{}{}", new_name, lines_[at].substr(after));
        return {};
    }

    Result<> remove(const std::string& name) {
        auto block = TRY(find(name));
        while (block.header > 0 && is_comment(lines_[block.header - 1])) --block.header;
        while (block.end < lines_.size() && trim(lines_[block.end]).empty()) ++block.end;
        for (auto at = block.header; at < block.end; ++at) dropped_[at] = true;
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
    Result<Block> find(const std::string& name) const {
        const auto* node = nodes_ ? nodes_->get(name) : nullptr;
        if (!node) return fail(fmt::format("{}: there is no node {}", file_, name));
        Block block;
        block.header = node->source().begin.line - 1;
        if (block.header >= lines_.size() || after_name(lines_[block.header], name) == std::string::npos)
            return fail(fmt::format("{}:{}: node {} has no heading [node.{}]", file_, block.header + 1, name, name),
                        "write it so, or edit it by hand");
        block.end = block.header + 1;
        std::optional<std::size_t> below;
        while (block.end < lines_.size()) {
            if (is_header(lines_[block.end])) {
                if (after_name(lines_[block.end], name) == std::string::npos) break;
                if (!below) below = block.end;
            }
            ++block.end;
        }
        // Comments right above the next heading are the next one's.
        const auto trimmed = [&](std::size_t end) {
            while (end > block.header + 1 && (trim(lines_[end - 1]).empty() || is_comment(lines_[end - 1]))) --end;
            return end;
        };
        block.own_end = trimmed(below.value_or(block.end));
        block.end = trimmed(block.end);
        return block;
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
