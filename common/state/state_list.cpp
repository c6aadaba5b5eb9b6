#include "common/state/state_list.hpp"

#include <fmt/core.h>

#include <array>

#include "common/base/text.hpp"
#include "common/state/list_line.hpp"

namespace diskless {

std::string_view text(StateKind kind) {
    switch (kind) {
        case StateKind::persistent:
            return "persistent";
        case StateKind::volatile_empty:
            return "volatile empty";
        case StateKind::volatile_tree:
            return "volatile tree";
        case StateKind::volatile_copy:
            return "volatile copy";
        case StateKind::read_only:
            return "read-only";
        case StateKind::concatenated:
            return "concatenated";
        case StateKind::link:
            return "link";
        case StateKind::generated:
            return "generated";
    }
    return "?";
}

std::string StateOrigin::text() const { return line == 0 ? list : fmt::format("{}:{}", list, line); }

std::string clean_path(std::string_view path) {
    std::string clean;
    for (const auto part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (!clean.empty() || path.starts_with('/')) clean += '/';
        clean += part;
    }
    return clean.empty() && path.starts_with('/') ? "/" : clean;
}

std::string refused_path(std::string_view path) {
    if (path.empty()) return "is empty";
    if (path.front() != '/') return "is not absolute";
    if (path.find('\0') != std::string_view::npos) return "has a zero byte";
    if (path.size() >= 4096) return "is longer than a path can be";
    if (path == "/") return "is the root itself";
    for (const auto part : split(path, '/')) {
        if (part == "..") return "has a \"..\"";
        if (part.size() > 255) return "has a name longer than 255 bytes";
    }
    struct Forbidden {
        std::string_view tree, reason;
    };
    static constexpr std::array<Forbidden, 3> kForbidden{{
        {"/proc", "is the kernel's process file system"},
        {"/sys", "is the kernel's device file system"},
        {"/dev", "is the kernel's device directory"},
    }};
    for (const auto& [tree, reason] : kForbidden)
        if (path == tree || (path.starts_with(tree) && path[tree.size()] == '/')) return std::string(reason);
    return {};
}

std::string_view without_comment(std::string_view line) {
    line = trim(line);
    for (std::size_t at = 0; at < line.size(); ++at)
        if (line[at] == '#' && (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t'))
            return trim(line.substr(0, at));
    return line;
}

void add_path(StateList& list, StateKind kind, std::string_view written, StateOrigin origin) {
    auto path = clean_path(written);
    if (const auto reason = refused_path(path); !reason.empty()) {
        list.problems.push_back({std::move(origin), fmt::format("path \"{}\" {}", printable(written), reason),
                                 "write an absolute path without \"..\", outside /proc, /sys and /dev"});
        return;
    }
    list.entries.push_back({kind, std::move(path), written.ends_with('/'), std::move(origin)});
}

StateList parse_path_list(std::string_view text, const std::string& name) {
    StateList list;
    int number = 0;
    for (const auto line : lines(text)) {
        ++number;
        for (const auto path : words(without_comment(line)))
            add_path(list, StateKind::persistent, path, {name, number});
    }
    return list;
}

StateList parse_rwtab(std::string_view text, const std::string& name) {
    StateList list;
    int number = 0;
    for (const auto line : lines(text)) {
        const StateOrigin origin{name, ++number};
        const auto parts = words(without_comment(line));
        if (parts.empty()) continue;
        StateKind kind{};
        if (parts[0] == "empty") {
            kind = StateKind::volatile_empty;
        } else if (parts[0] == "dirs") {
            kind = StateKind::volatile_tree;
        } else if (parts[0] == "files") {
            kind = StateKind::volatile_copy;
        } else {
            list.problems.push_back({origin, fmt::format("type \"{}\" is not known", printable(parts[0])),
                                     "write \"empty <path>\", \"dirs <path>\" or \"files <path>\""});
            continue;
        }
        if (parts.size() == 1)
            list.problems.push_back(
                {origin, fmt::format("\"{}\" has no path", parts[0]), "write the path after the type"});
        for (std::size_t i = 1; i < parts.size(); ++i) add_path(list, kind, parts[i], origin);
    }
    return list;
}

}  // namespace diskless
