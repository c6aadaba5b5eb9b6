#include "common/net/root_path.hpp"

#include "common/base/text.hpp"

namespace diskless {

namespace {
Failure bad(std::string_view text, std::string_view why) {
    return fail("root path \"" + printable(text) + "\" " + std::string(why),
                "write it as server-address:/directory[,options]");
}
}  // namespace

Result<RootPath> parse_root_path(std::string_view text) {
    RootPath root;
    auto rest = trim(text);
    if (rest.starts_with("nfs4:")) {
        root.version = "4";
        rest.remove_prefix(5);
    } else if (rest.starts_with("nfs:")) {
        rest.remove_prefix(4);
    }
    if (rest.starts_with("//")) return bad(text, "is a URL");

    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) return bad(text, "has no absolute directory");
    auto before = rest.substr(0, slash);
    rest.remove_prefix(slash);

    if (!before.empty()) {
        if (before.back() != ':') return bad(text, "has no absolute directory after the server");
        before.remove_suffix(1);
        if (const auto colon = before.rfind(':'); colon != std::string_view::npos) {
            root.options = before.substr(0, colon);
            before.remove_prefix(colon + 1);
        }
        const auto server = Ipv4::parse(before);
        if (!before.empty() && !server) return bad(text, "names a server that is not an IPv4 address");
        root.server = server.value_or(Ipv4{});
    }

    const auto end = rest.find_first_of(",:");
    root.path = rest.substr(0, end);
    if (end != std::string_view::npos && end + 1 < rest.size()) {
        if (!root.options.empty()) root.options += ',';
        root.options += rest.substr(end + 1);
    }
    return root;
}

std::string expand_path_template(std::string_view path, std::string_view hostname, Ipv4 address) {
    const auto mark = path.find("%s");
    if (mark == std::string_view::npos) return std::string(path);
    const bool usable = !hostname.empty() && hostname != "." && hostname != ".." && hostname.find('/') == hostname.npos;
    std::string result(path.substr(0, mark));
    result += usable ? std::string(hostname) : address.text();
    result += path.substr(mark + 2);
    return result;
}

}  // namespace diskless
