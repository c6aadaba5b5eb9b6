#include "server-helper/model/toml_text.hpp"

#include <fmt/core.h>

namespace diskless::server {

std::string toml_text(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += fmt::format("\\{}", c);
        else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
            quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        else
            quoted += c;
    }
    return quoted + '"';
}

std::string toml_texts(const std::vector<std::string>& texts) {
    std::string list = "[";
    for (const auto& text : texts) list += (list.size() > 1 ? ", " : "") + toml_text(text);
    return list + "]";
}

}  // namespace diskless::server
