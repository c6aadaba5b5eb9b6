#include "init/swap/file_system_head.hpp"

#include <fmt/core.h>

#include <cstring>

#include "common/base/text.hpp"

namespace diskless {

namespace {

constexpr std::size_t kPage = kHeadBytes;
constexpr std::string_view kSwapMagic = "SWAPSPACE2";

bool has(std::string_view bytes, std::size_t at, std::string_view magic) {
    return bytes.substr(at, magic.size()) == magic;
}

std::string hex(std::string_view bytes, bool backwards, bool upper) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[backwards ? bytes.size() - 1 - i : i]);
        text += upper ? fmt::format("{:02X}", byte) : fmt::format("{:02x}", byte);
    }
    return text;
}

std::string uuid(std::string_view bytes) {
    auto text = hex(bytes, false, false);
    for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
    return text;
}

/// Up to a zero byte, without blanks behind.
std::string label(std::string_view bytes) {
    bytes = bytes.substr(0, bytes.find('\0'));
    const auto end = bytes.find_last_not_of(' ');
    return end == std::string_view::npos ? std::string() : printable(bytes.substr(0, end + 1));
}

FileSystemHead fat(std::string_view bytes, std::size_t serial, std::size_t name) {
    auto id = hex(bytes.substr(serial, 4), true, true);
    id.insert(4, "-");
    auto its_label = label(bytes.substr(name, 11));
    if (its_label == "NO NAME") its_label.clear();
    return {"vfat", std::move(id), std::move(its_label)};
}

}  // namespace

std::optional<FileSystemHead> read_head(std::string_view bytes) {
    if (bytes.size() < kHeadBytes) return std::nullopt;
    if (has(bytes, kPage - kSwapMagic.size(), kSwapMagic))
        return FileSystemHead{"swap", uuid(bytes.substr(0x40C, 16)), label(bytes.substr(0x41C, 16))};
    if (has(bytes, 1024 + 56, "\x53\xEF"))
        return FileSystemHead{"ext4", uuid(bytes.substr(1024 + 104, 16)), label(bytes.substr(1024 + 120, 16))};
    if (has(bytes, 0, "XFSB")) return FileSystemHead{"xfs", uuid(bytes.substr(32, 16)), label(bytes.substr(108, 12))};
    if (has(bytes, 3, "NTFS    ")) return FileSystemHead{"ntfs3", hex(bytes.substr(72, 8), true, true), {}};
    if (has(bytes, 82, "FAT32   ")) return fat(bytes, 67, 71);
    if (has(bytes, 54, "FAT16   ")) return fat(bytes, 39, 43);
    return std::nullopt;
}

std::string make_swap_header(std::uint64_t bytes) {
    std::string header(kPage, '\0');
    const std::uint32_t version = 1, last_page = static_cast<std::uint32_t>(bytes / kPage - 1);
    std::memcpy(header.data() + 1024, &version, sizeof version);
    std::memcpy(header.data() + 1028, &last_page, sizeof last_page);
    header.replace(kPage - kSwapMagic.size(), kSwapMagic.size(), kSwapMagic);
    return header;
}

}  // namespace diskless
