#include "server-helper/render/quote.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace diskless::server {

namespace {
constexpr std::size_t kLongestCommandLine = 2047;  // bytes

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool only(std::string_view text, std::string_view others) {
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return is_alphanumeric(c) || others.find(c) != std::string_view::npos; });
}

std::string escaped(std::string_view text, std::string_view special) {
    std::string result;
    for (const char c : text) {
        if (special.find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
    return result;
}

std::string doubled(std::string_view text, std::string_view special) {
    std::string result;
    for (const char c : text) {
        if (special.find(c) != std::string_view::npos) result += c;
        result += c;
    }
    return result;
}
}  // namespace

Result<> check_plain(std::string_view what, std::string_view value) {
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (std::any_of(value.begin(), value.end(), is_control))
        return fail(fmt::format("{} has a control character: \"{}\"", what, printable(value)), "take it out");
    return {};
}

Result<> check_boot_file(std::string_view what, std::string_view path) {
    const auto refuse = [&](std::string_view why) {
        return fail(fmt::format("{} \"{}\" {}", what, printable(path), why),
                    "name a file below the TFTP root by letters, digits and ._+~/-");
    };
    if (path.empty()) return refuse("is empty");
    if (path.front() == '/') return refuse("is absolute");
    if (!only(path, "._+~/-")) return refuse("has characters that boot loaders do not take");
    for (const auto part : split(path, '/'))
        if (part.empty() || part == "." || part == "..") return refuse("has an empty part, \".\" or \"..\"");
    return {};
}

std::vector<std::string_view> kernel_words(std::string_view command_line) {
    std::vector<std::string_view> found;
    bool in_quotes = false;
    std::size_t start = 0;
    for (std::size_t at = 0; at <= command_line.size(); ++at) {
        const bool ends = at == command_line.size() || (command_line[at] == ' ' && !in_quotes);
        if (!ends) {
            if (command_line[at] == '"') in_quotes = !in_quotes;
            continue;
        }
        if (at > start) found.push_back(command_line.substr(start, at - start));
        start = at + 1;
    }
    return found;
}

Result<> check_command_line(std::string_view command_line) {
    TRY(check_plain("the kernel command line", command_line));
    if (command_line.size() > kLongestCommandLine)
        return fail(fmt::format("the kernel command line has {} bytes, x86 kernels take {}", command_line.size(),
                                kLongestCommandLine),
                    "move what is long into the image's manifest or the node's lists");
    if (std::count(command_line.begin(), command_line.end(), '"') % 2)
        return fail("the kernel command line has an odd number of double quotes", "close the quote");
    return {};
}

std::string grub_quoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'')
            result += "'\\''";
        else
            result += c;
    }
    return result + "'";
}

Result<std::string> grub_arguments(std::string_view command_line) {
    TRY(check_command_line(command_line));
    std::vector<std::string> arguments;
    for (const auto word : kernel_words(command_line)) {
        // The kernel takes name="a b" and "name=a b" alike; GRUB makes the second from the argument name=a b.
        std::string bare(word);
        std::erase(bare, '"');
        if (bare.find_first_of("'\\") != std::string::npos)
            return fail(fmt::format("GRUB cannot hand the kernel parameter {} on: it puts a backslash before ' and \\",
                                    printable(word)),
                        "write it without these, or leave grub out of the boot loaders");
        arguments.push_back(only(bare, "._+~/-,:=@%") ? bare : grub_quoted(bare));
    }
    return join(arguments, " ");
}

Result<std::string> ipxe_arguments(std::string_view command_line) {
    TRY(check_command_line(command_line));
    const auto refuse = [&](std::string_view word, std::string_view why) {
        return fail(fmt::format("iPXE cannot hand the kernel parameter {} on: {}", printable(word), why),
                    "write it otherwise, or leave ipxe out of the boot loaders");
    };
    for (const auto word : kernel_words(command_line))
        if (word.find("  ") != std::string_view::npos) return refuse(word, "it makes one space of several");
    std::vector<std::string> arguments;
    for (const auto word : words(command_line)) {
        if (word.find("${") != std::string_view::npos) return refuse(word, "${ begins a setting");
        if (word.front() == '#') return refuse(word, "# begins a comment");
        if (word == "||" || word == "&&" || word == ";") return refuse(word, "it ends the command");
        arguments.emplace_back(word);
    }
    return join(arguments, " ");
}

std::string double_quoted(std::string_view text) { return '"' + escaped(text, "\"\\") + '"'; }

Result<std::string> quoted_without_escapes(std::string_view what, std::string_view text) {
    TRY(check_plain(what, text));
    if (text.find_first_of("\"\\") != std::string_view::npos)
        return fail(
            fmt::format("{} \"{}\" has a quote or backslash, which this dialect cannot carry", what, printable(text)),
            "rename it, or leave the dialect out");
    return '"' + std::string(text) + '"';
}

std::string exports_path(std::string_view path) {
    std::string result;
    for (const char c : path) {
        if (only({&c, 1}, "/._+,:@%~-"))
            result += c;
        else
            result += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    }
    return result;
}

std::string yaml_quoted(std::string_view text) { return '\'' + doubled(text, "'") + '\''; }

std::string systemd_word(std::string_view text) {
    const auto plain = doubled(text, "%$");
    return only(text, "._+~/-,:=@%$") ? plain : '"' + escaped(plain, "\"\\") + '"';
}

}  // namespace diskless::server
