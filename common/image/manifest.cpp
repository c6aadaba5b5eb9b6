#include "common/image/manifest.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"

namespace diskless {

namespace {
constexpr std::string_view kFirstLine = "diskless-manifest 1";

std::vector<std::string> strings(std::string_view text) {
    const auto found = words(text);
    return {found.begin(), found.end()};
}

void append_words(std::string& text, std::string_view keyword, const std::vector<std::string>& values) {
    if (values.empty()) return;
    text += keyword;
    for (const auto& value : values) text.append(1, ' ').append(value);
    text += '\n';
}

void append_fact(std::string& text, std::string_view keyword, std::string_view value) {
    if (!value.empty()) text.append(keyword).append(1, ' ').append(value).append(1, '\n');
}

Failure bad_line(std::size_t number, std::string_view line, std::string_view problem) {
    return fail(fmt::format("manifest line {}: {}: \"{}\"", number, problem, printable(line.substr(0, 80))),
                "build the image again with the diskless-server of this version");
}

/// Empty when it is none.
LeanForm lean_form_of(std::string_view value) {
    LeanForm lean;
    for (const auto word : words(value)) {
        const auto number = parse_number<std::uint64_t>(word);
        if (!number || *number == 0) return {};
        if (lean.bytes == 0)
            lean.bytes = *number;
        else
            lean.sections.push_back(*number);
    }
    return lean;
}

/// Takes one line into the manifest; what is wrong with it, empty when nothing is.
std::string_view take_line(Manifest& manifest, std::string_view keyword, std::string_view value) {
    if (keyword == "kernel") {
        manifest.kernel = value;
        return {};
    }
    if (keyword == "built") {
        const auto seconds = parse_number<std::int64_t>(value);
        if (!seconds || *seconds < 0) return "not a time in seconds since 1970";
        manifest.built = *seconds;
        return {};
    }
    if (keyword == "parameters") {
        manifest.parameters = value;
        return {};
    }
    if (keyword == "builtin") {
        for (const auto name : words(value)) manifest.builtin.emplace_back(name);
        return {};
    }
    if (keyword == "group") {
        auto members = strings(value);
        if (members.empty()) return "group without a name";
        ModuleGroup group{std::move(members.front()), {}};
        group.modules.assign(members.begin() + 1, members.end());
        manifest.groups.push_back(std::move(group));
        return {};
    }
    if (keyword == "module") {
        const auto parts = words(value);
        if (parts.size() != 2) return "a module has a name and a path";
        if (!parts[1].starts_with('/')) return "the path is not absolute";
        manifest.modules.push_back({std::string(parts[0]), std::string(parts[1]), {}, {}, {}, {}});
        return {};
    }
    constexpr std::array<std::string_view, 5> kOfModule{"needs", "alias", "options", "lean", "tracer"};
    if (std::ranges::find(kOfModule, keyword) == kOfModule.end()) return "unknown keyword";
    if (manifest.modules.empty()) return "belongs to a module, but none stands above it";
    auto& module = manifest.modules.back();
    if (keyword == "needs") {
        for (const auto name : words(value)) module.needs.emplace_back(name);
    } else if (keyword == "alias") {
        module.aliases.emplace_back(value);
    } else if (keyword == "options") {
        module.options = value;
    } else if (keyword == "tracer") {
        const auto symbol = parse_number<std::uint64_t>(value);
        if (!symbol || *symbol == 0) return "not the index of a symbol";
        if (module.lean.bytes == 0) return "a line with lean comes first";
        module.lean.tracer = *symbol;
    } else {
        module.lean = lean_form_of(value);
        if (module.lean.bytes == 0) return "not a size and offsets";
    }
    return {};
}
}  // namespace

std::string to_text(const Manifest& manifest) {
    std::string text(kFirstLine);
    text += '\n';
    append_fact(text, "kernel", manifest.kernel);
    append_fact(text, "built", fmt::format("{}", manifest.built));
    append_fact(text, "parameters", manifest.parameters);
    append_words(text, "builtin", manifest.builtin);
    for (const auto& group : manifest.groups)
        append_fact(text, "group", group.name + (group.modules.empty() ? "" : " ") + join(group.modules, " "));
    for (const auto& module : manifest.modules) {
        append_fact(text, "module", module.name + " " + module.path);
        append_words(text, "needs", module.needs);
        for (const auto& alias : module.aliases) append_fact(text, "alias", alias);
        append_fact(text, "options", module.options);
        if (module.lean.bytes != 0) {
            text += fmt::format("lean {}", module.lean.bytes);
            for (const auto offset : module.lean.sections) text += fmt::format(" {}", offset);
            text += '\n';
            if (module.lean.tracer != 0) text += fmt::format("tracer {}\n", module.lean.tracer);
        }
    }
    return text;
}

Result<Manifest> parse_manifest(std::string_view text) {
    const auto all = lines(text);
    if (all.empty() || all.front() != kFirstLine)
        return bad_line(1, all.empty() ? "" : all.front(), "not a manifest of this version");
    Manifest manifest;
    for (std::size_t i = 1; i < all.size(); ++i) {
        const auto line = trim(all[i]);
        if (line.empty() || line.front() == '#') continue;
        const auto end = std::min(line.find_first_of(" \t"), line.size());
        const auto value = trim(line.substr(end));
        if (value.empty()) return bad_line(i + 1, line, "a keyword without a value");
        if (const auto problem = take_line(manifest, line.substr(0, end), value); !problem.empty())
            return bad_line(i + 1, line, problem);
    }
    return manifest;
}

}  // namespace diskless
