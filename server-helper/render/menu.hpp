// What the boot loaders' renderers share: a node's file names and its kernel.
#pragma once

#include <string>
#include <string_view>

#include "server-helper/render/rendered.hpp"

namespace diskless::server {

/// Adds `content` under `prefix` + 01-<mac> and `prefix` + <address in hexadecimal>, as far as the node has them.
void add_by_mac_and_address(Rendering& out, const ResolvedNode& node, const std::string& prefix, std::string_view hex,
                            std::string_view suffix, const std::string& content);

/// Can the node's kernel, initramfs and command line be named in a menu? Errors name the node.
Result<> check_bootable(const ResolvedNode& node);

/// " BOOTIF=01-<mac>" or nothing when the MAC is not known.
std::string bootif(const ResolvedNode& node);

/// GRUB menus below `directory` ("tftp/grub"), iPXE scripts below `directory` ("tftp") that load kernels from `url`.
Result<> render_grub_menus(const Site& site, const std::string& directory, Rendering& out);
Result<> render_ipxe_scripts(const Site& site, const std::string& directory, const std::string& url, Rendering& out);

}  // namespace diskless::server
