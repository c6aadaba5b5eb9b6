// GRUB over the network: grub.cfg-01-<mac>, then grub.cfg-<ADDRESS IN HEXADECIMAL> below its prefix
// (grub-mknetdir --subdir=grub; the manual's "Network"). One menu serves BIOS, UEFI by TFTP and UEFI by HTTP: $root is
// the server that GRUB itself came from.
#include <fmt/format.h>

#include "server-helper/render/menu.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

namespace {
// What is read where GRUB does not look for the machine's own menu: when it is one that a distribution has signed (it
// starts with a script of its own), or came by HTTP. `normal` searches again, also by address; it comes back here when
// it finds nothing.
constexpr std::string_view kAnyMachine = R"(# {}
if [ -z "$diskless_searched" ]; then
    set diskless_searched=1
    export diskless_searched
    regexp -s 1:a -s 2:b -s 3:c -s 4:d -s 5:e -s 6:f '^(..):(..):(..):(..):(..):(..)$' "$net_default_mac"
    if [ -f "$prefix/grub.cfg-01-$a-$b-$c-$d-$e-$f" ]; then
        configfile "$prefix/grub.cfg-01-$a-$b-$c-$d-$e-$f"
    fi
    normal
fi
echo "No node boots for $net_default_mac $net_default_ip"
echo "On the server: diskless-server node add NAME --mac $net_default_mac, then boot apply"
sleep 10
exit
)";
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
    std::string any(kAnyMachine);
    any.replace(any.find("{}"), 2, kMadeBy);
    out.push_back({directory + "/grub.cfg", std::move(any), {}, {}});
    return {};
}

Result<> render_grub(const Site& site, Rendering& out) { return render_grub_menus(site, "tftp/grub", out); }

}  // namespace diskless::server
