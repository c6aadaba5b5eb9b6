// PXELINUX (SYSLINUX 4 to 6, wiki.syslinux.org/wiki/?title=Config): pxelinux.cfg/01-<mac>, then the address in
// upper-case hexadecimal digits. File names are relative to where pxelinux.0 lies, the TFTP root.
#include <fmt/core.h>

#include "server-helper/render/menu.hpp"

namespace diskless::server {

Result<> render_pxelinux(const Site& site, Rendering& out) {
    for (const auto& node : site.nodes) {
        TRY(check_bootable(node));
        // LINUX, not KERNEL: KERNEL guesses the type from the end of the name. IPAPPEND 2 adds BOOTIF=.
        const auto menu = fmt::format(
            "# {}: {}\n"
            "DEFAULT diskless\n"
            "PROMPT 0\n"
            "LABEL diskless\n"
            "  LINUX {}\n"
            "  INITRD {}\n"
            "  APPEND {}\n"
            "  IPAPPEND 2\n",
            node.name, kMadeBy, node.kernel, node.initramfs, node.command_line);
        add_by_mac_and_address(out, node, "tftp/pxelinux.cfg/", node.address.hex(), "", menu);
    }
    return {};
}

}  // namespace diskless::server
