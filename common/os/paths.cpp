#include "common/os/files.hpp"

namespace diskless {

std::string join_path(std::string_view base, std::string_view rest) {
    while (!base.empty() && base.back() == '/') base.remove_suffix(1);
    while (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
    std::string joined(base);
    if (!rest.empty() || joined.empty()) joined += '/';
    joined += rest;
    return joined;
}

std::string parent_path(std::string_view path) {
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string base_name(std::string_view path) {
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace diskless
