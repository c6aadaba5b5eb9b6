// xCAT's litefile and litetree tables as comma-separated lines (tabdump): docs/advanced/statelite of xCAT.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "common/base/text.hpp"
#include "common/state/list_line.hpp"

namespace diskless {

namespace {

/// Fields of one line; "" within quotes is a quote. Nothing when a quote is not closed.
std::optional<std::vector<std::string>> fields_of(std::string_view line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (std::size_t at = 0; at < line.size(); ++at) {
        const char c = line[at];
        if (c == '"' && quoted && at + 1 < line.size() && line[at + 1] == '"') {
            fields.back() += '"';
            ++at;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            fields.emplace_back();
        } else {
            fields.back() += c;
        }
    }
    if (quoted) return std::nullopt;
    for (auto& field : fields) field = std::string(trim(field));
    return fields;
}

bool is_for(const std::string& image, const std::vector<std::string>& images) {
    return image.empty() || lower(image) == "all" || std::find(images.begin(), images.end(), image) != images.end();
}

/// The table's "disable": "1" or "yes" switch a row off.
bool is_disabled(const std::vector<std::string>& fields, std::size_t column) {
    return fields.size() > column && (fields[column] == "1" || lower(fields[column]) == "yes");
}

/// Calls back with the fields of every row that counts.
template <class Row>
void for_each_row(std::string_view text, const std::string& name, std::size_t least, std::size_t disable_column,
                  std::string_view columns, std::vector<StateProblem>& problems, Row row) {
    int number = 0;
    for (const auto line : lines(text)) {
        const StateOrigin origin{name, ++number};
        const auto content = trim(line);
        if (content.empty() || content.front() == '#') continue;
        const auto fields = fields_of(content);
        if (!fields) {
            problems.push_back({origin, fmt::format("quote without end: {}", printable(content)), "close the quote"});
        } else if (fields->size() < least) {
            problems.push_back(
                {origin, fmt::format("too few fields: {}", printable(content)), fmt::format("write {}", columns)});
        } else if (!is_disabled(*fields, disable_column)) {
            row(*fields, origin);
        }
    }
}

/// "$node" as a whole word: "$nodetype.arch" is a column of xCAT's database.
void fill_in_node(std::string& directory, const std::string& node) {
    constexpr std::string_view kWord = "$node";
    const auto goes_on = [](char c) {
        return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    };
    for (std::size_t at = 0; (at = directory.find(kWord, at)) != std::string::npos;) {
        const auto end = at + kWord.size();
        if (end < directory.size() && goes_on(directory[end])) {
            at = end;
        } else {
            directory.replace(at, kWord.size(), node);
            at += node.size();
        }
    }
}

/// Combinations with "link" are bound instead of linked: the path shows the same, and needs no writable parent.
std::optional<StateKind> kind_of(std::string_view options) {
    struct Row {
        std::string_view options;
        StateKind kind;
    };
    static constexpr std::array<Row, 13> kOptions{{
        {"", StateKind::volatile_copy},
        {"tmpfs", StateKind::volatile_copy},
        {"rw", StateKind::volatile_copy},
        {"tempfs", StateKind::volatile_copy},
        {"tmpfs,rw", StateKind::volatile_copy},
        {"persistent", StateKind::persistent},
        {"rw,persistent", StateKind::persistent},
        {"link,persistent", StateKind::persistent},
        {"ro", StateKind::read_only},
        {"link,ro", StateKind::read_only},
        {"con", StateKind::concatenated},
        {"link,con", StateKind::concatenated},
        {"link", StateKind::link},
    }};
    for (const auto& row : kOptions)
        if (row.options == options) return row.kind;
    return std::nullopt;
}

}  // namespace

StateList parse_litefile(std::string_view text, const std::string& name, const std::vector<std::string>& images) {
    StateList list;
    for_each_row(
        text, name, 2, 4, "image,file,options,comments,disable", list.problems,
        [&](const std::vector<std::string>& fields, const StateOrigin& origin) {
            if (!is_for(fields[0], images)) return;
            auto options = fields.size() > 2 ? lower(fields[2]) : std::string();
            std::erase(options, ' ');
            const auto kind = kind_of(options);
            if (!kind) {
                list.problems.push_back(
                    {origin,
                     fmt::format("options \"{}\" of {} are not known", printable(fields[2]), printable(fields[1])),
                     options == "localdisk" ? "use \"persistent\": there are no local disks here"
                                            : "use tmpfs, persistent, ro, con or link"});
                return;
            }
            add_path(list, *kind, fields[1], origin);
        });
    return list;
}

Litetree parse_litetree(std::string_view text, const std::string& name, const std::vector<std::string>& images,
                        const std::string& node) {
    Litetree tree;
    for_each_row(
        text, name, 3, 5, "priority,image,directory,mntopts,comments,disable", tree.problems,
        [&](const std::vector<std::string>& fields, const StateOrigin& origin) {
            if (!is_for(fields[1], images)) return;
            const auto priority = parse_number<long>(fields[0]);
            auto directory = fields[2];
            if (!priority) {
                tree.problems.push_back({origin, fmt::format("priority \"{}\" is no number", printable(fields[0])),
                                         "write a number, the lowest is searched first"});
                return;
            }
            fill_in_node(directory, node);
            if (directory.find('$') != std::string::npos || directory.find("#CMD") != std::string::npos) {
                tree.problems.push_back({origin,
                                         fmt::format("directory \"{}\" needs xCAT's database", printable(fields[2])),
                                         "write the directory itself; only $node is filled in"});
                return;
            }
            const auto colon = directory.find(":/");
            const auto path = clean_path(colon == std::string::npos ? directory : directory.substr(colon + 1));
            if (const auto reason = path == "/" ? std::string() : refused_path(path); !reason.empty()) {
                tree.problems.push_back({origin, fmt::format("directory \"{}\" {}", printable(fields[2]), reason),
                                         "write host:/path or an absolute path"});
                return;
            }
            tree.entries.push_back({*priority,
                                    (colon == std::string::npos ? "" : directory.substr(0, colon + 1)) + path,
                                    fields.size() > 3 ? fields[3] : "", origin});
        });
    std::stable_sort(tree.entries.begin(), tree.entries.end(),
                     [](const auto& a, const auto& b) { return a.priority < b.priority; });
    return tree;
}

}  // namespace diskless
