// boot/http for UEFI HTTP boot (UEFI 2.5, section "HTTP Boot") and iPXE: the menus again, and links to where the
// kernels lie, so that each exists once.
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
    return {};
}

}  // namespace diskless::server
