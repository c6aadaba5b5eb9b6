#include <elf.h>

#include <cstring>
#include <optional>

#include "common/base/text.hpp"
#include "common/image/manifest.hpp"
#include "initramfs/module_file.hpp"

namespace diskless {

namespace {
/// A structure at an offset, when the text reaches that far.
template <class Structure>
std::optional<Structure> structure_at(std::string_view elf, std::uint64_t offset) {
    if (offset > elf.size() || elf.size() - offset < sizeof(Structure)) return std::nullopt;
    Structure value;
    std::memcpy(&value, elf.data() + offset, sizeof value);
    return value;
}

std::optional<std::string_view> part_of(std::string_view elf, std::uint64_t offset, std::uint64_t size) {
    if (offset > elf.size() || elf.size() - offset < size) return std::nullopt;
    return elf.substr(offset, size);
}

std::string_view c_string_at(std::string_view table, std::uint64_t offset) {
    if (offset >= table.size()) return {};
    const auto rest = table.substr(offset);
    return rest.substr(0, rest.find('\0'));
}

template <class Header, class Section>
std::optional<std::string_view> section_of_class(std::string_view elf, std::string_view name) {
    const auto header = structure_at<Header>(elf, 0);
    if (!header || header->e_shentsize != sizeof(Section)) return std::nullopt;
    const auto section = [&](std::uint64_t i) {
        return structure_at<Section>(elf, header->e_shoff + i * sizeof(Section));
    };
    const auto names_section = section(header->e_shstrndx);
    if (!names_section) return std::nullopt;
    const auto names = part_of(elf, names_section->sh_offset, names_section->sh_size);
    if (!names) return std::nullopt;
    for (std::uint64_t i = 0; i < header->e_shnum; ++i) {
        const auto found = section(i);
        if (!found) return std::nullopt;
        if (found->sh_type != SHT_NOBITS && c_string_at(*names, found->sh_name) == name)
            return part_of(elf, found->sh_offset, found->sh_size);
    }
    return std::nullopt;
}

bool is_elf(std::string_view bytes) {
    constexpr unsigned char kOurs = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    return bytes.size() > EI_NIDENT && bytes.starts_with(ELFMAG) && bytes[EI_DATA] == kOurs;
}

std::optional<std::string_view> section_of(std::string_view elf, std::string_view name) {
    if (!is_elf(elf)) return std::nullopt;
    return elf[EI_CLASS] == ELFCLASS32 ? section_of_class<Elf32_Ehdr, Elf32_Shdr>(elf, name)
                                       : section_of_class<Elf64_Ehdr, Elf64_Shdr>(elf, name);
}

template <class Header, class Segment>
bool has_interpreter(std::string_view elf) {
    const auto header = structure_at<Header>(elf, 0);
    for (std::uint64_t i = 0; header && i < header->e_phnum; ++i) {
        const auto segment = structure_at<Segment>(elf, header->e_phoff + i * sizeof(Segment));
        if (segment && segment->p_type == PT_INTERP) return true;
    }
    return !header;
}

void add_softdeps(std::vector<std::string>& names, std::string_view value) {
    bool before = false;
    for (const auto word : words(value)) {
        if (word.ends_with(':'))
            before = word == "pre:";
        else if (before)
            names.push_back(normalize_alias(word));
    }
}
}  // namespace

Result<ModuleInfo> parse_module_info(std::string_view elf) {
    if (!is_elf(elf)) return fail("not an ELF object of this machine's byte order");
    const auto section = section_of(elf, ".modinfo");
    if (!section) return fail("no .modinfo section: cut short, or not a kernel module");
    ModuleInfo info;
    for (const auto field : split(*section, '\0')) {
        const auto equals = field.find('=');
        if (equals == std::string_view::npos) continue;
        const auto key = field.substr(0, equals), value = field.substr(equals + 1);
        if (key == "alias") info.aliases.push_back(normalize_alias(value));
        if (key == "firmware") info.firmware.emplace_back(value);
        if (key == "softdep") add_softdeps(info.softdeps, value);
        if (key == "depends")
            for (const auto name : split(value, ','))
                if (!name.empty()) info.depends.push_back(normalize_alias(name));
    }
    return info;
}

bool has_section(std::string_view elf, std::string_view name) { return section_of(elf, name).has_value(); }

bool is_static_program(std::string_view elf) {
    if (!is_elf(elf)) return false;
    return elf[EI_CLASS] == ELFCLASS32 ? !has_interpreter<Elf32_Ehdr, Elf32_Phdr>(elf)
                                       : !has_interpreter<Elf64_Ehdr, Elf64_Phdr>(elf);
}

}  // namespace diskless
