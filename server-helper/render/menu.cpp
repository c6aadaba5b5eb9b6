#include "server-helper/render/menu.hpp"

#include "server-helper/render/quote.hpp"

namespace diskless::server {

void add_by_mac_and_address(Rendering& out, const ResolvedNode& node, const std::string& prefix, std::string_view hex,
                            std::string_view suffix, const std::string& content) {
    if (node.mac.is_set())
        out.push_back({prefix + "01-" + node.mac.dashed() + std::string(suffix), content, node.name, {}});
    if (node.address.is_set()) out.push_back({prefix + std::string(hex) + std::string(suffix), content, node.name, {}});
}

Result<> check_bootable(const ResolvedNode& node) {
    TRY_TO("node " + node.name, check_boot_file("kernel", node.kernel));
    TRY_TO("node " + node.name, check_boot_file("initramfs", node.initramfs));
    TRY_TO("node " + node.name, check_command_line(node.command_line));
    return {};
}

std::string bootif(const ResolvedNode& node) { return node.mac.is_set() ? " BOOTIF=01-" + node.mac.dashed() : ""; }

}  // namespace diskless::server
