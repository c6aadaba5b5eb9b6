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

/// What of a module the kernel may be given when loading is to be cheap: not the signature at the end, and not the
/// sections of `unneeded_sections`. Empty (bytes 0) when there is nothing to leave out, or the object is not
/// understood.
LeanForm lean_form(std::string_view elf);

/// What a kernel can do without, and takes long over when it loads a module: trace events and the names of their
/// values (nfsv4 has 200 of them, each a directory in tracefs), the tables by which stacks are unwound, and type
/// information. __mcount_loc is not among them: by it the kernel takes the call of the function tracer out of every
/// function.
std::span<const std::string_view> unneeded_sections();

/// Is this an ELF program that needs no interpreter, so that it can be /init?
bool is_static_program(std::string_view elf);

/// The object as strip(1) of binutils leaves it: no debug information, no BTF, no notes, no symbols that relocation
/// does not need; and without trace events and unwind tables, which take a kernel most of the time of loading a module.
/// The signature goes with it.
Result<std::string> strip_module(std::string_view elf);

}  // namespace diskless
