// What a stick says and how it is divided: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "server-helper/model/cluster.hpp"

namespace diskless::server {

/// The node's command line as its stick has it: with BOOTIF= when the MAC is known, and, with `static_address`, the
/// node's address from the list in place of ip=dhcp (the kernel's Documentation/admin-guide/nfs/nfsroot.rst).
/// Fails when the list has no address for the node, or the network no prefix.
Result<std::string> stick_command_line(const Cluster& cluster, const ResolvedNode& node, bool static_address);

/// syslinux.cfg that boots /vmlinuz with /initrd.img at once.
Result<std::string> stick_syslinux_config(const ResolvedNode& node, const std::string& command_line);

/// grub.cfg that does the same.
Result<std::string> stick_grub_config(const ResolvedNode& node, const std::string& command_line);

/// The line of a tool's output that tells why it failed: the last (mtools complain once a layer) that is not the name
/// and version of the tool.
std::string_view complaint_of(std::string_view output);

inline constexpr std::uint64_t kStickStart = 1 << 20;  // bytes before the partition

/// Bytes of the partition for `content` bytes: whole MiB, at least 64 (FAT32 begins at 65525 clusters).
std::uint64_t stick_partition_size(std::uint64_t content);

/// The first sector of a disk with one active FAT partition from kStickStart on. `code`: mbr.bin of SYSLINUX, at most
/// 440 bytes; empty: nothing that a BIOS could start.
Result<std::string> stick_boot_sector(std::string_view code, std::uint64_t partition_size, std::uint32_t signature,
                                      bool fat16 = false);

}  // namespace diskless::server
