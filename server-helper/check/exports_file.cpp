#include "server-helper/check/exports_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "common/base/text.hpp"
#include "common/net/address.hpp"

namespace diskless::server {

namespace {
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// A logical line: those that end in a backslash are joined, comments are gone.
struct LogicalLine {
    int number;
    std::string text;
    bool open_quote = false;
};

std::vector<LogicalLine> logical_lines(std::string_view text) {
    std::vector<LogicalLine> result;
    int number = 0;
    bool continues = false;
    for (auto line : lines(text)) {
        ++number;
        if (!continues) result.push_back({number, "", false});
        continues = !line.empty() && line.back() == '\\';
        if (continues) line.remove_suffix(1);
        result.back().text += line;
        result.back().text += ' ';
    }
    for (auto& line : result) {
        bool quoted = false;
        for (std::size_t at = 0; at < line.text.size(); ++at) {
            if (line.text[at] == '"') quoted = !quoted;
            if (line.text[at] == '#' && !quoted) line.text.resize(at);
        }
        line.open_quote = quoted;
    }
    return result;
}

/// Reads words off a logical line.
class Words {
  public:
    explicit Words(std::string_view text) : rest_(text) {}

    /// A path: quotes taken away, \ooo resolved. Nothing at the end of the line.
    std::optional<std::string> path() {
        skip_blanks();
        if (rest_.empty()) return std::nullopt;
        std::string result;
        bool quoted = false;
        while (!rest_.empty() && (quoted || !is_blank(rest_.front()))) {
            if (rest_.front() == '"') {
                quoted = !quoted;
                rest_.remove_prefix(1);
            } else if (rest_.size() >= 4 && rest_[0] == '\\' && is_octal(rest_[1]) && is_octal(rest_[2]) &&
                       is_octal(rest_[3])) {
                result += static_cast<char>(*parse_number<unsigned>(rest_.substr(1, 3), 8) & 0xff);
                rest_.remove_prefix(4);
            } else {
                result += rest_.front();
                rest_.remove_prefix(1);
            }
        }
        return result;
    }

    /// The next word as it stands.
    std::string_view word() {
        skip_blanks();
        const auto end = std::min(rest_.find_first_of(" \t"), rest_.size());
        const auto result = rest_.substr(0, end);
        rest_.remove_prefix(end);
        return result;
    }

  private:
    void skip_blanks() {
        while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    }
    std::string_view rest_;
};

void add_options(std::string_view text, std::vector<std::string>& options) {
    for (const auto option : split(text, ','))
        if (!option.empty()) options.emplace_back(option);
}
}  // namespace

bool ExportClient::says(std::string_view yes, std::string_view no, bool by_default) const {
    bool result = by_default;
    for (const auto& option : options) {
        if (option == yes) result = true;
        if (option == no) result = false;
    }
    return result;
}

bool ExportClient::squashes_root() const {
    return says("root_squash", "no_root_squash", true) || says("all_squash", "no_all_squash", false);
}

std::vector<ExportLine> parse_exports(std::string_view text, std::string_view file, Findings& findings) {
    std::vector<ExportLine> result;
    for (const auto& [number, line, open_quote] : logical_lines(text)) {
        const auto find = [&, number = number](const char* rule, std::string what, std::string remedy) {
            findings.push_back({rule, fmt::format("{}:{}: {}", file, number, what), std::move(remedy)});
        };
        if (open_quote) {
            find("exports-syntax", "a quote is not closed: all behind it is read as the path",
                 "write \"/the path\" CLIENT(OPTIONS)");
            continue;
        }
        Words words(line);
        const auto path = words.path();
        if (!path) continue;
        ExportLine entry{number, *path, {}};
        if (!path->starts_with('/')) {
            find("exports-syntax", fmt::format("the path \"{}\" is not absolute", printable(*path)),
                 "begin the line with the path of a directory");
            continue;
        }
        std::vector<std::string> defaults;
        for (auto word = words.word(); !word.empty(); word = words.word()) {
            if (word.front() == '-' && entry.clients.empty()) {
                add_options(word.substr(1), defaults);
                continue;
            }
            const auto open = word.find('(');
            ExportClient client{std::string(word.substr(0, open)), defaults};
            if (open != std::string_view::npos) {
                if (word.back() != ')')
                    find("exports-syntax", fmt::format("\"{}\" has no closing parenthesis", printable(word)),
                         "write CLIENT(OPTION,OPTION) without blanks");
                auto options = word.substr(open + 1);
                if (options.ends_with(')')) options.remove_suffix(1);
                add_options(options, client.options);
            }
            if (client.who.empty()) {
                client.who = "*";
                find("exports-blank",
                     fmt::format("{} has a blank before {}: the options are everybody's, not those of the host before",
                                 printable(*path), printable(word)),
                     "write CLIENT(OPTIONS) without a blank between");
            }
            entry.clients.push_back(std::move(client));
        }
        if (entry.clients.empty()) entry.clients.push_back({"*", defaults});  // exports(5): the whole world
        result.push_back(std::move(entry));
    }
    return result;
}

ClientKind kind_of_client(std::string_view who) {
    if (who == "*" || who == "0.0.0.0/0" || who == "::/0") return ClientKind::everybody;
    if (who.starts_with('@')) return ClientKind::netgroup;
    const bool numeric = who.find_first_not_of("0123456789.*?[]-") == std::string_view::npos;
    if (who.find_first_of("*?[") != std::string_view::npos && who.find(':') == std::string_view::npos)
        return numeric ? ClientKind::address_pattern : ClientKind::name_pattern;
    if (const auto slash = who.find('/'); slash != std::string_view::npos) {
        const auto prefix = who.substr(slash);
        const bool one = who.find(':') == who.npos ? prefix == "/32" || prefix == "/255.255.255.255" : prefix == "/128";
        return one ? ClientKind::host : ClientKind::network;
    }
    return ClientKind::host;
}

}  // namespace diskless::server
