// Bounds-checked looks into the bytes of an ELF object: elf(5).
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace diskless {

/// A structure at an offset, when the object reaches that far.
template <class Structure>
std::optional<Structure> structure_at(std::string_view elf, std::uint64_t offset) {
    if (offset > elf.size() || elf.size() - offset < sizeof(Structure)) return std::nullopt;
    Structure value;
    std::memcpy(&value, elf.data() + offset, sizeof value);
    return value;
}

/// An object of this machine's byte order?
inline bool is_elf(std::string_view bytes) {
    constexpr unsigned char kOurs = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    return bytes.size() > EI_NIDENT && bytes.starts_with(ELFMAG) && bytes[EI_DATA] == kOurs;
}

inline bool is_x86_64(std::string_view bytes) {
    if (!is_elf(bytes) || bytes[EI_CLASS] != ELFCLASS64) return false;
    const auto header = structure_at<Elf64_Ehdr>(bytes, 0);
    return header && header->e_machine == EM_X86_64;
}

}  // namespace diskless
