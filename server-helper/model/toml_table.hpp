// A table of a TOML file that knows where its values stand: errors name file and line, keys nobody asked for are
// warned about.
#pragma once

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 1
#include <toml++/toml.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "server-helper/model/cluster.hpp"

namespace diskless::server {

/// Syntax errors name file, line and column.
Result<toml::table> parse_toml(const std::string& file, std::string_view text);

/// Reads one table by keys. The first error is kept in finish(); readers go on with empty values.
class TomlTable {
  public:
    TomlTable(const toml::table& table, std::string file, std::string name, std::vector<Warning>& warnings)
        : table_(table), file_(std::move(file)), name_(std::move(name)), warnings_(warnings) {}

    std::optional<std::string> text(std::string_view key);
    std::optional<std::int64_t> number(std::string_view key, std::int64_t least, std::int64_t most);
    std::optional<bool> flag(std::string_view key);
    /// An array of strings, or one string.
    std::optional<std::vector<std::string>> texts(std::string_view key);
    std::optional<Ipv4> address(std::string_view key);
    std::optional<std::vector<Ipv4>> addresses(std::string_view key);
    /// A table below this one; nullptr when absent.
    const toml::table* table(std::string_view key);
    /// An array of tables; empty when absent.
    std::vector<const toml::table*> tables(std::string_view key);

    Place place(std::string_view key = {}) const;
    /// An error at the key, unless there is one already.
    void refuse(std::string_view key, std::string why, std::string remedy = {});
    const std::string& file() const { return file_; }
    const toml::table& values() const { return table_; }
    std::vector<Warning>& warnings() { return warnings_; }
    /// The first error; warns about keys that no reader has asked for.
    Result<> finish();

  private:
    const toml::node* find(std::string_view key);
    void wrong_type(std::string_view key, std::string_view wanted);

    const toml::table& table_;
    std::string file_, name_;  // "[boot]", for messages
    std::vector<Warning>& warnings_;
    std::set<std::string, std::less<>> asked_;
    std::optional<Error> error_;
};

/// The keys that [defaults], groups and nodes have in common.
Settings read_settings(TomlTable& table);

}  // namespace diskless::server
