// iPXE (ipxe.org/scripting): boot.ipxe, that DHCP names, goes on to the script of the machine.
#include <fmt/core.h>

#include "common/base/text.hpp"
#include "server-helper/render/menu.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

namespace {
std::string entry_script() {
    return fmt::format(
        "#!ipxe\n"
        "# {}\n"
        "chain ipxe/01-${{mac:hexhyp}}.ipxe || chain ipxe/${{ip:hexraw}}.ipxe || goto unknown\n"
        ":unknown\n"
        "echo No node boots for ${{mac}} ${{ip}}\n"
        "echo On the server: diskless-server node add NAME --mac ${{mac}}, then boot apply\n"
        "sleep 10\n"
        "exit 1\n",
        kMadeBy);
}
}  // namespace

Result<> render_ipxe_scripts(const Site& site, const std::string& directory, const std::string& url, Rendering& out) {
    for (const auto& node : site.nodes) {
        TRY(check_bootable(node));
        const auto arguments = TRY_TO("node " + node.name, ipxe_arguments(node.command_line));
        // The initrd= names iPXE's file for the EFI stub of kernels that ask for it; a BIOS kernel does not read it.
        const auto script = fmt::format(
            "#!ipxe\n"
            "# {}: {}\n"
            "kernel {}/{} {} initrd=initrd.img{}\n"
            "initrd --name initrd.img {}/{}\n"
            "boot\n",
            node.name, kMadeBy, url, node.kernel, arguments,
            node.mac.is_set() ? bootif(node) : " BOOTIF=01-${mac:hexhyp}", url, node.initramfs);
        add_by_mac_and_address(out, node, directory + "/ipxe/", lower(node.address.hex()), ".ipxe", script);
    }
    out.push_back({directory + "/boot.ipxe", entry_script(), {}, {}});
    return {};
}

Result<> render_ipxe(const Site& site, Rendering& out) {
    return render_ipxe_scripts(site, "tftp", "tftp://" + site.cluster.server.text(), out);
}

}  // namespace diskless::server
