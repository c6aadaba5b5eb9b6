// GRUB over the network: grub.cfg-01-<mac>, then grub.cfg-<ADDRESS IN HEXADECIMAL> below its prefix
// (grub-mknetdir --subdir=grub; the manual's "Network"). One menu serves BIOS, UEFI by TFTP and UEFI by HTTP: $root is
// the server that GRUB itself came from.
#include <fmt/format.h>

#include "server-helper/render/menu.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

Result<> render_grub_menus(const Site& site, const std::string& directory, Rendering& out) {
    for (const auto& node : site.nodes) {
        TRY(check_bootable(node));
        const auto arguments = TRY_TO("node " + node.name, grub_arguments(node.command_line));
        const auto menu = fmt::format(
            "# {}: {}\n"
            "set default=0\n"
            "set timeout=0\n"
            "menuentry {} {{\n"
            "    linux /{} {}{}\n"
            "    initrd /{}\n"
            "}}\n",
            node.name, kMadeBy, grub_quoted("diskless " + node.name), node.kernel, arguments, bootif(node),
            node.initramfs);
        add_by_mac_and_address(out, node, directory + "/grub.cfg-", node.address.hex(), "", menu);
    }
    return {};
}

Result<> render_grub(const Site& site, Rendering& out) { return render_grub_menus(site, "tftp/grub", out); }

}  // namespace diskless::server
