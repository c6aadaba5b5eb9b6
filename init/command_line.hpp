// A kernel command line as words, cut the way the kernel cuts it (lib/cmdline.c next_arg, init/main.c).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace diskless {

struct Word {
    std::string text;                  // as written, without the double quotes around it
    std::string name;                  // what stands before the first "="
    std::optional<std::string> value;  // what stands after it, without quotes around it; nothing without "="

    std::string_view argument() const { return value ? std::string_view(*value) : std::string_view(); }
};

struct CommandLine {
    std::vector<Word> words;
    std::vector<std::string> after_dashes;  // words behind "--": arguments of init, never parameters
};

/// Double quotes group blanks. Single quotes mean nothing to the kernel, but people write them around values: they are
/// removed. A backslash that ends a word is a line continuation that a boot loader did not understand: removed too.
CommandLine read_command_line(std::string_view text);

/// Text without one pair of single or double quotes around it.
std::string_view unquoted(std::string_view text);

/// Are these names of the same parameter? In lower-case names "-" and "_" are the same, as for the kernel; Red Hat's
/// upper-case names are taken literally.
bool same_parameter_name(std::string_view a, std::string_view b);

/// Would the kernel take this word (one without "=") for itself instead of handing it to init?
bool is_kernel_flag(std::string_view name);

}  // namespace diskless
