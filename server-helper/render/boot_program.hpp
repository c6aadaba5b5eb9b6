// The first program of a machine by its processor and firmware, as the DHCP servers name it.
#pragma once

#include <string>
#include <vector>

#include "server-helper/model/cluster.hpp"

namespace diskless::server {

/// A client architecture (DHCP option 93, RFC 4578; IANA "Processor Architecture Types") and what it is sent.
struct BootProgram {
    unsigned architecture;
    std::string tag;   // "bios", "efi64", … : a word for classes
    std::string file;  // below the TFTP root, or a URL for HTTP boot
    bool by_http = false;
};

/// BIOS first. An architecture without a program among the wanted loaders is left out. EFI machines prefer GRUB, then
/// iPXE: SYSLINUX there only when nothing else is wanted.
Result<std::vector<BootProgram>> boot_programs(const Cluster& cluster);

/// What iPXE itself is told to run ("boot.ipxe"); empty when ipxe is not among the loaders.
Result<std::string> ipxe_script(const Cluster& cluster);

}  // namespace diskless::server
