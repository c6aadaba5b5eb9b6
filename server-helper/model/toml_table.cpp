#include "server-helper/model/toml_table.hpp"

#include <fmt/core.h>

#include "common/base/text.hpp"

namespace diskless::server {

namespace {
int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }
}  // namespace

std::string Place::text() const { return line > 0 ? fmt::format("{}:{}", file, line) : file; }

std::string Warning::text() const {
    return fmt::format("{}: {}{}{}", place.text(), message, remedy.empty() ? "" : "; ", remedy);
}

Result<toml::table> parse_toml(const std::string& file, std::string_view text) {
    auto parsed = toml::parse(text, file);
    if (parsed) return std::move(parsed).table();
    const auto& error = parsed.error();
    // What the library says of image = debian is that no type fits.
    const bool no_value = error.description().find("determine value type") != std::string_view::npos;
    return fail(fmt::format("{}:{}:{}: {}", file, error.source().begin.line, error.source().begin.column,
                            printable(error.description())),
                no_value ? "text stands in double quotes, as image = \"debian\": correct that line"
                         : "correct that line; the form of the file is TOML (toml.io)");
}

Place TomlTable::place(std::string_view key) const {
    const auto* node = key.empty() ? nullptr : table_.get(key);
    return {file_, node ? line_of(*node) : static_cast<int>(table_.source().begin.line)};
}

void TomlTable::refuse(std::string_view key, std::string why, std::string remedy) {
    if (error_) return;
    error_ =
        fail(fmt::format("{}: {}{}{}", place(key).text(), key, key.empty() ? "" : " ", why), std::move(remedy)).value();
}

void TomlTable::wrong_type(std::string_view key, std::string_view wanted) {
    refuse(key, fmt::format("in {} must be {}", name_, wanted));
}

const toml::node* TomlTable::find(std::string_view key) {
    asked_.emplace(key);
    return table_.get(key);
}

std::optional<std::string> TomlTable::text(std::string_view key) {
    const auto* node = find(key);
    if (!node) return std::nullopt;
    const auto* value = node->as_string();
    if (!value) {
        wrong_type(key, "text in quotes");
        return std::nullopt;
    }
    for (const char c : value->get())
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
            refuse(key, "has a control character or a line break");
            return std::nullopt;
        }
    return value->get();
}

std::optional<std::int64_t> TomlTable::number(std::string_view key, std::int64_t least, std::int64_t most) {
    const auto* node = find(key);
    if (!node) return std::nullopt;
    const auto* value = node->as_integer();
    if (value && value->get() >= least && value->get() <= most) return value->get();
    wrong_type(key, fmt::format("a number from {} to {}", least, most));
    return std::nullopt;
}

std::optional<bool> TomlTable::flag(std::string_view key) {
    const auto* node = find(key);
    if (!node) return std::nullopt;
    const auto* value = node->as_boolean();
    if (value) return value->get();
    wrong_type(key, "true or false");
    return std::nullopt;
}

std::optional<std::vector<std::string>> TomlTable::texts(std::string_view key) {
    const auto* node = find(key);
    if (!node) return std::nullopt;
    if (node->is_string()) {
        const auto one = text(key);
        return one ? std::optional(std::vector{*one}) : std::nullopt;
    }
    const auto* array = node->as_array();
    std::vector<std::string> result;
    for (std::size_t at = 0; array && at < array->size(); ++at) {
        const auto* value = array->get(at)->as_string();
        if (!value || value->get().find_first_of("\n\r") != std::string::npos) {
            array = nullptr;
            break;
        }
        result.push_back(value->get());
    }
    if (array) return result;
    wrong_type(key, "a list of texts, as [\"a\", \"b\"]");
    return std::nullopt;
}

std::optional<Ipv4> TomlTable::address(std::string_view key) {
    const auto value = text(key);
    if (!value) return std::nullopt;
    const auto parsed = Ipv4::parse(*value);
    if (!parsed) refuse(key, fmt::format("is no IPv4 address: \"{}\"", printable(*value)));
    return parsed;
}

std::optional<std::vector<Ipv4>> TomlTable::addresses(std::string_view key) {
    const auto values = texts(key);
    if (!values) return std::nullopt;
    std::vector<Ipv4> result;
    for (const auto& value : *values)
        if (const auto parsed = Ipv4::parse(value))
            result.push_back(*parsed);
        else
            refuse(key, fmt::format("has what is no IPv4 address: \"{}\"", printable(value)));
    return result;
}

const toml::table* TomlTable::table(std::string_view key) {
    const auto* node = find(key);
    if (node && !node->is_table()) wrong_type(key, "a table");
    return node ? node->as_table() : nullptr;
}

std::vector<const toml::table*> TomlTable::tables(std::string_view key) {
    const auto* node = find(key);
    if (!node) return {};
    std::vector<const toml::table*> result;
    if (const auto* array = node->as_array())
        for (const auto& element : *array)
            if (const auto* one = element.as_table()) result.push_back(one);
    if (!node->is_array() || result.size() != node->as_array()->size()) wrong_type(key, "a list of tables");
    return result;
}

Result<> TomlTable::finish() {
    if (error_) return Failure(*error_);
    std::string known;
    for (const auto& [key, value] : table_) {
        if (asked_.contains(key.str())) continue;
        if (known.empty()) known = join({asked_.begin(), asked_.end()}, ", ");
        warnings_.push_back(
            {{file_, line_of(value)},
             fmt::format("nothing is known by the name \"{}\" in {}: ignored", printable(key.str()), name_),
             "possible are " + known});
    }
    return {};
}

}  // namespace diskless::server
