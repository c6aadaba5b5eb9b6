// What a partition holds, by its first bytes. libblkid knows two hundred formats; a node's swap lives on one of five.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace diskless {

/// So many bytes of a partition are enough.
inline constexpr std::size_t kHeadBytes = 4096;

struct FileSystemHead {
    std::string type;   // as mount(2) has it: "ext4", "vfat", "ntfs3", "xfs"; or "swap"
    std::string uuid;   // as blkid(8) writes it: "0f3a…-…", "1234-ABCD" (vfat), "0123456789ABCDEF" (ntfs)
    std::string label;  // empty: none, or a format that keeps it elsewhere (ntfs)
    bool operator==(const FileSystemHead&) const = default;
};

/// Nothing when it is none of them. Formats: ext4 layout (kernel documentation), swap header (linux/swap.h), FAT BIOS
/// parameter block, NTFS boot sector, XFS superblock.
std::optional<FileSystemHead> read_head(std::string_view bytes);

/// A swap header for `bytes` of memory, as mkswap(8) writes it: kHeadBytes long. Pages of other than 4096 bytes are not
/// for this.
std::string make_swap_header(std::uint64_t bytes);

}  // namespace diskless
