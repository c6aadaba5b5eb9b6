// JSON as a plain tree to read from, and a writer that needs no tree (RFC 8259).
//
// Reading goes through nlohmann-json's SAX parser in one source file, so that its templates are instantiated once and
// nothing throws; everyone else sees only this header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless {

struct Json {
    enum class Kind { null, boolean, integer, real, text, array, object };
    Kind kind = Kind::null;
    bool boolean = false;
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
    std::vector<Json> items;         // of an array, or the values of an object
    std::vector<std::string> names;  // of an object: names[i] belongs to items[i]

    /// The member of an object; nullptr when there is none or this is no object.
    const Json* find(std::string_view name) const;
    std::string_view text_of(std::string_view name) const;  // empty when absent or no text
    bool is_true(std::string_view name) const;
};

/// Parses one JSON value. Errors: not JSON (with the byte), more than `limit` bytes, nested deeper than 32.
Result<Json> parse_json(std::string_view text, std::size_t limit = 4 << 20);

/// Writes JSON in order of the calls. With an indent every member stands on a line of its own; without, all is one
/// line. Bytes that are not UTF-8 become U+FFFD, so that the result can always be parsed.
class JsonWriter {
  public:
    explicit JsonWriter(int indent = 0) : indent_(indent) {}

    void begin_object() { begin('{'); }
    void end_object() { end('}'); }
    void begin_array() { begin('['); }
    void end_array() { end(']'); }
    void name(std::string_view name);
    void value(std::string_view text);
    void value(const char* text) { value(std::string_view(text)); }
    void value(std::int64_t number);
    void value(bool yes);
    /// Of an object: its name and value.
    template <class Value>
    void member(std::string_view its_name, const Value& its_value) {
        name(its_name);
        value(its_value);
    }
    /// A JSON text that is valid by itself.
    void raw(std::string_view json);

    const std::string& text() const { return text_; }

  private:
    void begin(char bracket);
    void end(char bracket);
    void separate();
    void new_line();
    void quote(std::string_view text);

    std::string text_;
    int indent_;
    int depth_ = 0;
    bool first_ = true;        // in its array or object
    bool after_name_ = false;  // the next value belongs to a name
};

}  // namespace diskless
