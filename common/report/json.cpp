#include "common/report/json.hpp"

#include <fmt/core.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "common/base/utf8.hpp"

namespace diskless {

namespace {
constexpr std::size_t kDeepest = 32;

/// Builds the tree from the parser's events; refuses (returns false) instead of throwing.
class TreeBuilder {
  public:
    using Sax = nlohmann::json;

    bool null() { return add({}); }
    bool boolean(bool yes) {
        Json value;
        value.kind = Json::Kind::boolean;
        value.boolean = yes;
        return add(std::move(value));
    }
    bool number_integer(Sax::number_integer_t number) {
        Json value;
        value.kind = Json::Kind::integer;
        value.integer = number;
        return add(std::move(value));
    }
    bool number_unsigned(Sax::number_unsigned_t number) {
        if (number > static_cast<Sax::number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
            return number_float(static_cast<double>(number), {});
        return number_integer(static_cast<std::int64_t>(number));
    }
    bool number_float(double number, const std::string&) {
        Json value;
        value.kind = Json::Kind::real;
        value.real = number;
        return add(std::move(value));
    }
    bool string(std::string& text) {
        Json value;
        value.kind = Json::Kind::text;
        value.text = std::move(text);
        return add(std::move(value));
    }
    bool binary(Sax::binary_t&) { return false; }
    bool start_object(std::size_t) { return open(Json::Kind::object); }
    bool start_array(std::size_t) { return open(Json::Kind::array); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    bool key(std::string& name) {
        open_.back().names.push_back(std::move(name));
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
        problem = fmt::format("not JSON at byte {}", position);
        return false;
    }

    Json root;
    std::string problem;

  private:
    bool add(Json value) {
        if (open_.empty())
            root = std::move(value);
        else
            open_.back().items.push_back(std::move(value));
        return true;
    }
    bool open(Json::Kind kind) {
        if (open_.size() >= kDeepest) {
            problem = fmt::format("JSON nested deeper than {}", kDeepest);
            return false;
        }
        open_.emplace_back().kind = kind;
        return true;
    }
    bool close() {
        Json done = std::move(open_.back());
        open_.pop_back();
        return add(std::move(done));
    }

    std::vector<Json> open_;
};

}  // namespace

const Json* Json::find(std::string_view name) const {
    for (std::size_t i = 0; i < names.size() && i < items.size(); ++i)
        if (names[i] == name) return &items[i];
    return nullptr;
}

std::string_view Json::text_of(std::string_view name) const {
    const Json* member = find(name);
    return member != nullptr && member->kind == Kind::text ? std::string_view(member->text) : std::string_view();
}

bool Json::is_true(std::string_view name) const {
    const Json* member = find(name);
    return member != nullptr && member->kind == Kind::boolean && member->boolean;
}

Result<Json> parse_json(std::string_view text, std::size_t limit) {
    if (text.size() > limit) return fail(fmt::format("JSON of {} bytes, at most {} are taken", text.size(), limit));
    TreeBuilder builder;
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder))
        return fail(builder.problem.empty() ? "not JSON" : builder.problem);
    return std::move(builder.root);
}

void JsonWriter::new_line() {
    if (indent_ == 0) return;
    text_ += '\n';
    text_.append(static_cast<std::size_t>(indent_ * depth_), ' ');
}

void JsonWriter::separate() {
    if (after_name_) {
        after_name_ = false;
        return;
    }
    if (depth_ == 0) return;
    if (!first_) text_ += ',';
    first_ = false;
    new_line();
}

void JsonWriter::begin(char bracket) {
    separate();
    text_ += bracket;
    ++depth_;
    first_ = true;
}

void JsonWriter::end(char bracket) {
    --depth_;
    if (!first_) new_line();
    first_ = false;
    text_ += bracket;
}

void JsonWriter::name(std::string_view name) {
    separate();
    quote(name);
    text_ += indent_ == 0 ? ":" : ": ";
    after_name_ = true;
}

void JsonWriter::quote(std::string_view text) {
    text_ += '"';
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            text_ += "\\ufffd";
        } else if (byte == '"' || byte == '\\') {
            text_ += '\\';
            text_ += text.front();
        } else if (byte == '\n') {
            text_ += "\\n";
        } else if (byte < 0x20 || byte == 0x7F) {
            text_ += fmt::format("\\u{:04x}", static_cast<unsigned>(byte));
        } else {
            text_ += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    text_ += '"';
}

void JsonWriter::value(std::string_view text) {
    separate();
    quote(text);
}

void JsonWriter::value(std::int64_t number) {
    separate();
    text_ += fmt::format("{}", number);
}

void JsonWriter::value(bool yes) {
    separate();
    text_ += yes ? "true" : "false";
}

void JsonWriter::raw(std::string_view json) {
    separate();
    text_ += json;
}

}  // namespace diskless
