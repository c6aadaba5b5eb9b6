// GRUB over the network: grub.cfg-01-<mac>, then grub.cfg-<ADDRESS IN HEXADECIMAL>, then grub.cfg below its prefix
// (grub-mknetdir --subdir=grub; the manual's "Network"). One menu serves BIOS, UEFI by TFTP and UEFI by HTTP: $root is
// the server that GRUB itself came from.
#include <fmt/core.h>

#include "server-helper/render/menu.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

namespace {
/// What GRUB 2.06 comes to when it has not found the machine's menu by itself: it looks only by TFTP, and GRUB as
/// distributions sign it does not look at all. -s, for -e lists directories, which TFTP cannot. `normal` looks also for
/// the address, and comes back here when there is none.
std::string entry_menu() {
    return fmt::format(
        "# {}\n"
        "if [ -z \"$diskless_searched\" ]; then\n"
        "    set diskless_searched=1\n"
        "    export diskless_searched\n"
        "    regexp --set=1:m1 --set=2:m2 --set=3:m3 --set=4:m4 --set=5:m5 --set=6:m6 "
        "'^(..):(..):(..):(..):(..):(..)$' \"$net_default_mac\"\n"
        "    set menu=\"$prefix/grub.cfg-01-$m1-$m2-$m3-$m4-$m5-$m6\"\n"
        "    if [ -s \"$menu\" ]; then\n"
        "        configfile \"$menu\"\n"
        "    fi\n"
        "    normal\n"
        "fi\n"
        "echo \"No node boots for $net_default_mac $net_default_ip\"\n"
        "echo \"On the server: diskless-server node add NAME --mac $net_default_mac, then boot apply\"\n"
        "sleep 10\n"
        "exit\n",
        kMadeBy);
}
}  // namespace

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
    out.push_back({directory + "/grub.cfg", entry_menu(), {}, {}});
    return {};
}

Result<> render_grub(const Site& site, Rendering& out) { return render_grub_menus(site, "tftp/grub", out); }

}  // namespace diskless::server
