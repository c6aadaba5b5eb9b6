// Words of the dialects: each function gives text that its dialect reads back as exactly the given value, or an error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

/// Refuses control characters (line ends first of all): no dialect carries them. `what` names the value.
Result<> check_plain(std::string_view what, std::string_view value);

/// Letters, digits and "._+~/-", relative, without "..": a file below the TFTP root as every boot loader can name it.
Result<> check_boot_file(std::string_view what, std::string_view path);

/// The parameters as the kernel splits them (lib/cmdline.c next_arg): at blanks outside of double quotes; quotes stay.
std::vector<std::string_view> kernel_words(std::string_view command_line);

/// Checks a command line: no control character, at most 2047 bytes (COMMAND_LINE_SIZE of x86), quotes in pairs.
Result<> check_command_line(std::string_view command_line);

/// The command line as arguments of GRUB's `linux`. GRUB puts an argument that has a space in double quotes itself and
/// a backslash before quotes and backslashes (grub-core/lib/cmdline.c), so that those cannot be handed on: an error.
Result<std::string> grub_arguments(std::string_view command_line);
/// 'text' for GRUB's shell.
std::string grub_quoted(std::string_view text);

/// The command line as arguments of an iPXE command: no "${" (a setting), no "#" at the start of a word (a comment),
/// no "||", "&&" or ";" words; blanks are single (src/core/exec.c joins words with one space).
Result<std::string> ipxe_arguments(std::string_view command_line);

/// "text" with backslashes before quotes and backslashes: ISC dhcpd, dnsmasq.
std::string double_quoted(std::string_view text);

/// "text" for bootptab and NFS-Ganesha, that know no escapes: quotes and backslashes are errors.
Result<std::string> quoted_without_escapes(std::string_view what, std::string_view text);

/// A path of exports(5): what is not a letter, digit or one of "/._+,:@%~-" as backslash and three octal digits.
std::string exports_path(std::string_view path);

/// 'text' of YAML.
std::string yaml_quoted(std::string_view text);

/// A word of a systemd command line or a path setting: "%" and "$" doubled, quoted where needed.
std::string systemd_word(std::string_view text);

}  // namespace diskless::server
