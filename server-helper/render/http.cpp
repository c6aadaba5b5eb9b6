// boot/http for UEFI HTTP boot (UEFI 2.5, section "HTTP Boot") and iPXE: the menus again, and links to where the
// kernels lie, so that each exists once.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "common/base/text.hpp"
#include "server-helper/render/http_url.hpp"
#include "server-helper/render/menu.hpp"

namespace diskless::server {

Result<> render_http(const Site& site, Rendering& out) {
    const auto& loaders = site.cluster.boot.loaders;
    const auto loads = [&](std::string_view name) { return std::count(loaders.begin(), loaders.end(), name) > 0; };
    const auto url = TRY(http_base(site.cluster));
    const auto below = url.find('/', url.find("://") + 3);
    const auto url_path = below == url.npos ? std::string() : url.substr(below + 1);
    std::set<std::string> linked{"grub", "ipxe", "boot.ipxe"};
    // GRUB's own modules and the first programs lie in the TFTP tree, too.
    const auto link = [&](const std::string& name) {
        if (linked.insert(name).second) out.push_back({"http/" + name, {}, {}, "../tftp/" + name});
    };
    for (const auto& node : site.nodes) {
        TRY(check_bootable(node));
        for (const auto& file : {node.kernel, node.initramfs}) link(std::string(split(file, '/').front()));
    }
    if (loads("grub")) {
        TRY(render_grub_menus(site, "http/grub", out));
        out.push_back({"http/grub/x86_64-efi", {}, {}, "../../tftp/grub/x86_64-efi"});
        out.push_back({"http/grub/arm64-efi", {}, {}, "../../tftp/grub/arm64-efi"});
    }
    TRY(render_ipxe_scripts(site, "http", url, out));
    link("ipxe.efi");
    link("ipxe-arm64.efi");
    // Our own unit serves the directory as "/": "http://SERVER/boot/debian" is found through boot -> ".".
    if (url_path.empty()) return {};
    const auto parts = split(url_path, '/');
    std::string target = ".";
    for (std::size_t at = 1; at < parts.size(); ++at) target = at == 1 ? ".." : target + "/..";
    if (!std::all_of(parts.begin(), parts.end(), is_name) || linked.contains(std::string(parts.front())))
        return fail(fmt::format("[boot] http = \"{}\": its path cannot be that of a link in boot/http", printable(url)),
                    fmt::format("write http = \"{}\"", url.substr(0, below)));
    out.push_back({"http/" + url_path, {}, {}, target});
    return {};
}

}  // namespace diskless::server
