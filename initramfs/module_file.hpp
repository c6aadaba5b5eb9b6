// One kernel module file: its ELF object, uncompressed, and what its .modinfo section says.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/devices.hpp"

namespace diskless {

/// A whole file, decompressed when it is .xz, .zst or .gz (told by content, not by name).
Result<std::string> read_decompressed(const std::string& path);

struct ModuleInfo {
    std::vector<std::string> depends;   // module names, underscores
    std::vector<std::string> softdeps;  // those of "pre:"
    std::vector<std::string> aliases;   // normalized
    std::vector<std::string> firmware;  // paths below /lib/firmware
};

/// Reads the .modinfo section ("key=value" strings, each ended by NUL). Errors: not an ELF object of this byte order,
/// cut short, no such section.
Result<ModuleInfo> parse_module_info(std::string_view elf);

/// Has the object a section of this name? False when it is no ELF object.
bool has_section(std::string_view elf, std::string_view name);

/// What of a module the kernel may be given when loading is to be cheap: not the signature at the end, not the
/// sections of `unneeded_sections`, and no call of the function tracer. Empty (bytes 0) when there is nothing to leave
/// out, or the object is not understood.
LeanForm lean_form(std::string_view elf);

/// What a kernel can do without, and takes long over when it loads a module: trace events and the names of their
/// values (nfsv4 has 200 of them, each a directory in tracefs), the tables by which stacks are unwound, type
/// information; and on x86-64, where `take_out_tracer_calls` is done instead, the list of the function tracer's calls.
std::span<const std::string_view> unneeded_sections(std::string_view elf);

/// Index of the symbol that functions call for the function tracer; 0 when there is none, or this is no object of
/// x86-64.
std::uint64_t tracer_symbol(std::string_view elf);

/// Is this an ELF program that needs no interpreter, so that it can be /init?
bool is_static_program(std::string_view elf);

/// The object as strip(1) of binutils leaves it: no debug information, no BTF, no notes, no symbols that relocation
/// does not need; and without what its lean form leaves out, which takes a kernel most of the time of loading a module.
/// The signature goes with it.
Result<std::string> strip_module(std::string_view elf);

}  // namespace diskless
