// The table of parameters as mdoc(7) lists.
#include <fmt/core.h>

#include "common/base/text.hpp"
#include "init/params.hpp"

namespace diskless {

namespace {

/// Text that no macro processor takes for its own: backslashes, and a dot or quote that begins a line.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '\\')
            result += "\\e";
        else if (c == '"')
            result += "\\(dq";
        else if (c == '-')
            result += "\\-";
        else
            result += c;
    }
    if (!result.empty() && (result.front() == '.' || result.front() == '\'')) result.insert(0, "\\&");
    return result;
}

/// The meaning as a sentence; rows of what is not supported begin in lower case and say what is done instead.
std::string sentence(std::string_view text) {
    if (text.front() < 'a' || text.front() > 'z' || text.ends_with('.')) return escaped(text);
    return escaped(fmt::format("Instead: {}.", text));
}

/// Lines of at most 78 characters, as mandoc's style wants its input; no line begins like a macro.
std::string wrapped(std::string_view text) {
    std::string result;
    std::size_t column = 0;
    for (const auto word : words(text)) {
        if (column != 0 && column + 1 + word.size() > 78 && word.front() != '.' && word.front() != '\'') {
            result += '\n';
            column = 0;
        } else if (column != 0) {
            result += ' ';
            ++column;
        }
        result += word;
        column += word.size();
    }
    return result;
}

}  // namespace

std::string parameters_man() {
    std::string man;
    std::string_view group;
    for (const auto& parameter : parameters()) {
        if (parameter.group != group) {
            if (!group.empty()) man += ".El\n";
            group = parameter.group;
            man += fmt::format(".Ss {}\n.Bl -tag -width Ds\n", group);
        }
        bool first = true;  // the other spellings take the same value
        for (const auto name : words(parameter.names)) {
            if (!first || parameter.argument.empty())
                man += fmt::format(".It Cm {}\n", escaped(name));
            else
                man += fmt::format(".It Cm {}= Ns Ar \"{}\"\n", escaped(name), escaped(parameter.argument));
            first = false;
        }
        man += fmt::format("{}\n.Pq Em {}\n", wrapped(sentence(parameter.meaning)), escaped(parameter.origin));
    }
    man += ".El\n";
    return man;
}

}  // namespace diskless
