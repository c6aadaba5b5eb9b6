#include "server-helper/render/http_url.hpp"

#include <fmt/core.h>

#include "common/base/text.hpp"

namespace diskless::server {

Result<std::string> http_base(const Cluster& cluster) {
    std::string url = cluster.boot.http_url;
    while (!url.empty() && url.back() == '/') url.pop_back();
    constexpr std::string_view kPlain = "._-:/~";
    bool plain = (url.starts_with("http://") && url.size() > 7) || (url.starts_with("https://") && url.size() > 8);
    for (const unsigned char c : url)
        plain = plain && (isalnum(c) != 0 || kPlain.find(static_cast<char>(c)) != kPlain.npos) && c < 0x80;
    if (!plain)
        return fail(fmt::format("[boot] http = \"{}\" is no http:// address of plain characters", printable(url)),
                    fmt::format("write http = \"http://{}\"", cluster.server.text()));
    return url;
}

}  // namespace diskless::server
