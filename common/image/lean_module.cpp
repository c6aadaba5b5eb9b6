#include "common/image/lean_module.hpp"

#include <array>
#include <cstring>

#include "common/image/elf_bytes.hpp"

namespace diskless {

namespace {

/// The bytes of a section; none when they are not all in the object.
std::span<char> content_of(std::span<char> elf, const Elf64_Shdr& section) {
    if (section.sh_offset > elf.size() || section.sh_size > elf.size() - section.sh_offset) return {};
    return elf.subspan(section.sh_offset, section.sh_size);
}

constexpr std::size_t kCall = 5;  // bytes: the opcode and where to, relative to its end
constexpr unsigned char kCallOpcode = 0xe8;
/// The NOP that Linux itself puts there (arch/x86/include/asm/nops.h).
constexpr std::array<unsigned char, kCall> kNop{0x0f, 0x1f, 0x44, 0x00, 0x00};

std::size_t take_out(std::span<char> code, std::span<char> relocations, std::uint64_t tracer) {
    std::size_t count = 0;
    for (auto rest = relocations; rest.size() >= sizeof(Elf64_Rela); rest = rest.subspan(sizeof(Elf64_Rela))) {
        Elf64_Rela entry;
        std::memcpy(&entry, rest.data(), sizeof entry);
        if (ELF64_R_SYM(entry.r_info) != tracer) continue;
        const auto type = ELF64_R_TYPE(entry.r_info);
        if (type != R_X86_64_PLT32 && type != R_X86_64_PC32) continue;
        if (code.size() < kCall || entry.r_offset < 1 || entry.r_offset - 1 > code.size() - kCall) continue;
        auto* const call = code.data() + entry.r_offset - 1;
        if (static_cast<unsigned char>(*call) != kCallOpcode) continue;
        std::memcpy(call, kNop.data(), kNop.size());
        entry.r_info = ELF64_R_INFO(0, R_X86_64_NONE);
        std::memcpy(rest.data(), &entry, sizeof entry);
        ++count;
    }
    return count;
}

/// No section that a kernel looks for has this name, and "alloc bit cleared means ignore it" (kernel/module/main.c).
/// Name and flags are 4 bytes at 0 and up to 8 at 8 of a section's header of either class.
void hide_section(char* header) {
    std::memset(header, 0, 4);
    std::memset(header + 8, 0, 8);
}

}  // namespace

std::size_t take_out_tracer_calls(std::span<char> elf, std::uint64_t tracer) {
    const std::string_view bytes(elf.data(), elf.size());
    if (tracer == 0 || !is_x86_64(bytes)) return 0;
    const auto header = structure_at<Elf64_Ehdr>(bytes, 0);
    if (!header || header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shoff > elf.size()) return 0;
    const auto section = [&](std::uint64_t i) {
        return i < header->e_shnum ? structure_at<Elf64_Shdr>(bytes, header->e_shoff + i * sizeof(Elf64_Shdr))
                                   : std::nullopt;
    };
    std::size_t count = 0;
    for (std::uint64_t i = 0; i < header->e_shnum; ++i) {
        const auto relocations = section(i);
        if (!relocations) break;  // cut short
        if (relocations->sh_type != SHT_RELA) continue;
        const auto code = section(relocations->sh_info);
        if (!code || code->sh_type != SHT_PROGBITS || (code->sh_flags & SHF_EXECINSTR) == 0) continue;
        count += take_out(content_of(elf, *code), content_of(elf, *relocations), tracer);
    }
    return count;
}

bool make_lean(std::span<char> elf, const LeanForm& form) {
    constexpr std::uint64_t kTouched = 16;
    // First: the flags of a section that is hidden say no more what is in it.
    take_out_tracer_calls(elf, form.tracer);
    for (const auto offset : form.sections) {
        if (elf.size() < kTouched || offset > elf.size() - kTouched) return false;
        hide_section(elf.data() + offset);
    }
    return true;
}

}  // namespace diskless
