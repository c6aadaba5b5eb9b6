#include <algorithm>
#include <array>
#include <optional>

#include "common/base/text.hpp"
#include "common/image/elf_bytes.hpp"
#include "common/image/manifest.hpp"
#include "initramfs/module_file.hpp"

namespace diskless {

namespace {
std::optional<std::string_view> part_of(std::string_view elf, std::uint64_t offset, std::uint64_t size) {
    if (offset > elf.size() || elf.size() - offset < size) return std::nullopt;
    return elf.substr(offset, size);
}

std::string_view c_string_at(std::string_view table, std::uint64_t offset) {
    if (offset >= table.size()) return {};
    const auto rest = table.substr(offset);
    return rest.substr(0, rest.find('\0'));
}

/// A section of either class, with a content within the object.
struct SectionOf {
    std::uint64_t header;  // offset
    std::string_view name, content;
};

/// Sections in order, for as long as they can be understood; `visit` says whether to go on. False: an object that is
/// cut short or of another shape.
template <class Header, class Section, class Visit>
bool visit_class(std::string_view elf, Visit visit) {
    const auto header = structure_at<Header>(elf, 0);
    if (!header || header->e_shentsize != sizeof(Section)) return false;
    const auto offset = [&](std::uint64_t i) { return header->e_shoff + i * sizeof(Section); };
    const auto names_section = structure_at<Section>(elf, offset(header->e_shstrndx));
    if (!names_section) return false;
    const auto names = part_of(elf, names_section->sh_offset, names_section->sh_size);
    if (!names) return false;
    for (std::uint64_t i = 0; i < header->e_shnum; ++i) {
        const auto found = structure_at<Section>(elf, offset(i));
        if (!found) return false;
        if (found->sh_type == SHT_NOBITS) continue;
        const auto content = part_of(elf, found->sh_offset, found->sh_size);
        if (!content) return false;
        if (!visit(SectionOf{offset(i), c_string_at(*names, found->sh_name), *content})) break;
    }
    return true;
}

template <class Visit>
bool visit_sections(std::string_view elf, Visit visit) {
    if (!is_elf(elf)) return false;
    return elf[EI_CLASS] == ELFCLASS32 ? visit_class<Elf32_Ehdr, Elf32_Shdr>(elf, visit)
                                       : visit_class<Elf64_Ehdr, Elf64_Shdr>(elf, visit);
}

std::optional<std::string_view> section_of(std::string_view elf, std::string_view name) {
    std::optional<std::string_view> content;
    visit_sections(elf, [&](const SectionOf& section) {
        if (section.name == name) content = section.content;
        return !content;
    });
    return content;
}

/// Bytes of the object before a signature: its parts, a struct module_signature and a mark stand at the end (Linux,
/// include/linux/module_signature.h).
std::size_t size_without_signature(std::string_view elf) {
    constexpr std::string_view kMark = "~Module signature appended~\n";
    constexpr std::size_t kStructure =
        12;  // algo, hash, id_type, signer_len, key_id_len, 3 unused; sig_len, big endian
    if (!elf.ends_with(kMark) || elf.size() < kMark.size() + kStructure) return elf.size();
    const auto rest = elf.size() - kMark.size() - kStructure;
    const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(elf[rest + i])}; };
    const auto parts = byte(3) + byte(4) + (byte(8) << 24 | byte(9) << 16 | byte(10) << 8 | byte(11));
    return parts > rest ? elf.size() : rest - parts;
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

std::span<const std::string_view> unneeded_sections(std::string_view elf) {
    static constexpr std::array<std::string_view, 6> kSections{
        "_ftrace_events", "_ftrace_eval_map", ".orc_unwind", ".orc_unwind_ip", ".BTF", "__mcount_loc"};
    // Elsewhere nobody takes the tracer's calls out but the kernel, by __mcount_loc.
    return std::span(kSections).first(is_x86_64(elf) ? kSections.size() : kSections.size() - 1);
}

std::uint64_t tracer_symbol(std::string_view elf) {
    if (!is_x86_64(elf)) return 0;
    const auto symbols = section_of(elf, ".symtab"), names = section_of(elf, ".strtab");
    if (!symbols || !names) return 0;
    for (std::uint64_t i = 1; i < symbols->size() / sizeof(Elf64_Sym); ++i) {
        const auto symbol = structure_at<Elf64_Sym>(*symbols, i * sizeof(Elf64_Sym));
        if (symbol && c_string_at(*names, symbol->st_name) == "__fentry__") return i;
    }
    return 0;
}

LeanForm lean_form(std::string_view elf) {
    LeanForm lean;
    lean.bytes = size_without_signature(elf);
    const auto object = elf.substr(0, lean.bytes);
    const auto unneeded = unneeded_sections(object);
    const bool understood = visit_sections(object, [&](const SectionOf& section) {
        if (std::ranges::find(unneeded, section.name) != unneeded.end()) lean.sections.push_back(section.header);
        return true;
    });
    if (!understood || (lean.bytes == elf.size() && lean.sections.empty())) return {};
    lean.tracer = tracer_symbol(object);
    return lean;
}

bool has_section(std::string_view elf, std::string_view name) { return section_of(elf, name).has_value(); }

bool is_static_program(std::string_view elf) {
    if (!is_elf(elf)) return false;
    return elf[EI_CLASS] == ELFCLASS32 ? !has_interpreter<Elf32_Ehdr, Elf32_Phdr>(elf)
                                       : !has_interpreter<Elf64_Ehdr, Elf64_Phdr>(elf);
}

}  // namespace diskless
